"""The table of docs/sessions.md: which server fails which of CT-20 to CT-29, judged anew."""

import re
import socket
from pathlib import Path

import anyio
import pytest

from connector import Connector, tool
from connector.oauth import AuthorizationServer
from contract_tests import Options, Run, Target, choose, load_sessions, play_sessions
from contract_tests.target.application import as_application
from contract_tests.target.serving import served
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


def test_a_connector_that_is_open_but_for_one_tool_links_and_links_again() -> None:
    """Recipe 11: the challenge in the result, the login, the same call with a token."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    class Notes(Connector):
        name = "notes"

        @tool(read_only=True, anonymous=True)
        def about(self) -> str:
            """What this is."""
            return "notes"

        @tool(read_only=True, scopes=["notes.read"])
        def find(self, query: str) -> str:
            """Find a note."""
            return query

    lock = AuthorizationServer(approve="everyone", anonymous_listing=True)
    app = Notes(public_url=f"http://127.0.0.1:{port}", auth=lock).app()
    sessions = choose(load_sessions(), ["relink", "oauth-relink", "call-model"])

    async def run(origin: str) -> Run:
        target = Target(name="notes", url=f"{origin}/mcp")
        return await play_sessions(sessions, target, options=Options(pace="none", seed=1))

    with served(as_application(app, name="notes"), name="notes", port=port) as origin:
        found = anyio.run(run, origin)

    assert found.findings == ()
    assert {session.id: session.verdict.value for session in found.sessions} == {
        "call-model": "passed",
        "oauth-relink": "passed",
        "relink": "passed",
    }
