"""The table of docs/sessions.md: which server fails which of CT-20 to CT-29, judged anew."""

import re
from pathlib import Path

import pytest

from tests.replay.oauth_contenders import CONTENDERS, GUARDS, Contender, judge, verdicts

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "sessions.md").read_text()


def column(name: str) -> dict[str, str]:
    """What the document says of one server."""
    table = DOCUMENT[DOCUMENT.index("## Which servers fail what") :]
    head = next(line for line in table.splitlines() if line.startswith("| contract |"))
    place = [cell.strip() for cell in head.split("|")].index(name)
    rows = re.findall(r"^\| (CT-\d\d) \|.*$", table, re.MULTILINE)
    lines = [line for line in table.splitlines() if line.startswith("| CT-")]
    return dict(zip(rows, (line.split("|")[place].strip() for line in lines), strict=True))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_the_table_of_the_document_is_what_comes_out(contender: Contender) -> None:
    """Issue 5, shown by: a table that nobody has to believe; each server is killed once."""
    said = column(contender.name)

    assert set(said) == set(GUARDS)
    assert verdicts(judge(contender)) == said
