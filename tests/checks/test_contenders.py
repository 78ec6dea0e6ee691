"""The table of docs/sessions.md: which server keeps which contract beside OAuth, judged anew."""

import re
from pathlib import Path

import pytest

from tests.checks.contenders import CONTENDERS, SHOWN, Contender, judge, verdicts

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "sessions.md").read_text()


def column(name: str) -> dict[str, str]:
    """What the document says of one server."""
    begins = DOCUMENT.index("## Which servers keep the contracts of the wire")
    table = DOCUMENT[begins : DOCUMENT.index("\n## ", begins + 1)]
    head = next(line for line in table.splitlines() if line.startswith("| contract |"))
    place = [cell.strip() for cell in head.split("|")].index(name)
    rows = [line for line in table.splitlines() if re.match(r"\| CT-\d\d \|", line)]
    return {line.split("|")[1].strip(): line.split("|")[place].strip() for line in rows}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # theirs: streams left open by aborts
@pytest.mark.timeout(120)
@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_the_table_of_the_document_is_what_comes_out(contender: Contender) -> None:
    """Issue 6, item 8: a table that nobody has to believe."""
    said = column(contender.name)

    assert set(said) == set(SHOWN)
    assert verdicts(judge(contender)) == said
