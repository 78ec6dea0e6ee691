"""`mcp-ballast`: what people type, what they read, and the exit code schedules depend on."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from contract_tests import load_sessions
from contract_tests.cli import main
from tests.replay.literal import literal

SERVER = """\
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

mcp = MCPServer("plain")


@mcp.tool(annotations=ToolAnnotations(read_only_hint=True))
def find(query: str) -> str:
    return f"found {query}"


@mcp.tool()
def drop(name: str) -> str:
    raise SystemExit("dropped")


async def strange(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<html>"})


def not_a_server():
    pass


class Kind:
    def app(self):
        pass


number = 7
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "server.py").write_text(SERVER)
    return tmp_path


def ballast(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as people do."""
    command = [sys.executable, "-c", "from contract_tests.cli import main; main()", *arguments]
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **(env or {})}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=50, check=False)


@pytest.fixture
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Run the command in this process, in the project's folder: for what fails before anything is played."""
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield lambda *arguments: CliRunner().invoke(main, arguments)
    sys.modules.pop("server", None)


def test_a_session_that_holds_exits_with_0(project: Path) -> None:
    """Design, section 2: stable exit codes."""
    done = ballast("test", "server.py", "--only", "create-noauth-modern", "--only", "call-model", cwd=project)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("replaying 2 sessions against server.py at http://127.0.0.1:")
    ended = sorted(lines[1:3])  # sessions are played side by side: who is done first is said first
    assert ended[0].startswith("holds        call-model  The model calls a tool, from a Mac and from an iPhone")
    assert ended[1].startswith("holds        create-noauth-modern")
    assert "2 hold, 0 break, 0 not checked" in done.stdout
    assert "manager started" not in done.stderr, "the target's own log is shown on request only"


def test_a_finding_exits_with_1_and_shows_what_to_do(project: Path) -> None:
    """Issue 2, item 4: step, sent, received, expected, incident, advice."""
    done = ballast("test", "server.py:mcp", "--only", "call-absent-meta", cwd=project)

    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert "call-absent-meta > call" in text
    assert '"method":"tools/call","params":{"name":"find","arguments":{"query":"example"}}}' in text
    assert "received 400 Bad Request, application/json, 95 bytes" in text
    assert "expected status 200" in text
    assert "got status 400 (-32600: Bad Request: Missing session ID)" in text
    assert "guards P-01, P-03, CT-01" in text
    assert "next Serve tools/call without Mcp-Session-Id" in text


def test_reports_are_written_where_they_are_wanted(project: Path) -> None:
    """Issue 2, item 4."""
    reports = ["--json", "r.json", "--junit", "r.xml", "--html", "r.html"]
    done = ballast("test", "server.py", "--only", "create-noauth-modern", *reports, cwd=project)

    assert done.returncode == 0
    assert done.stderr.splitlines()[-3:] == ["written: r.json", "written: r.xml", "written: r.html"]
    assert json.loads((project / "r.json").read_text())["sessions"][0]["id"] == "create-noauth-modern"
    assert "<testsuite" in (project / "r.xml").read_text()
    assert "create-noauth-modern" in (project / "r.html").read_text()


def test_a_report_that_cannot_be_written_is_said(project: Path) -> None:
    """Ours: bad input."""
    done = ballast("test", "server.py", "--only", "create-noauth-modern", "--json", "server.py/where.json", cwd=project)

    assert done.returncode == 2
    assert "Error: server.py/where.json cannot be written: " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["http://127.0.0.1:9/mcp"], "Error: Nothing answers at http://127.0.0.1:9/mcp: "),
        (["ftp://127.0.0.1/mcp"], "Error: ftp://127.0.0.1/mcp is not an http or https address."),
        (["absent.py"], "Error: There is no file absent.py. Give the path of a Python file, or module:attribute."),
        (["server"], "Error: 'server' is no target. Give an address (https://...), module:attribute or file.py"),
        (["absent:app"], "Error: The module absent does not import: ModuleNotFoundError: No module named 'absent'."),
        (["server:nothing"], "Error: server has no 'nothing'. It has: Kind, MCPServer, ToolAnnotations, drop, "),
        (["server:number"], "Error: server:number is an object of type int, which cannot be served"),
        (["server:not_a_server"], "Error: server:not_a_server is an object of type function, which cannot be served"),
        (["server:Kind"], "Error: server:Kind is the class Kind, which cannot be served"),
        (["server.py", "--only", "call-modle"], "Error: There is no session 'call-modle'. Near: call-model"),
        (["server.py", "--host-profile", "chatgbt"], "Error: There is no host profile 'chatgbt'. Near: chatgpt."),
        (["server.py", "--config", "absent.toml"], "Error: There is no file absent.toml. Create it, or leave --config"),
        (["server.py", "--header", "nonsense"], "'nonsense' is not 'Name: value'."),
        (["server.py", "--pace", "fast"], "'fast' is not one of 'real', 'none'."),
        ([], "No target. Give an address, module:attribute or file.py, or [target] in ballast.toml."),
    ],
)  # fmt: skip
def test_what_cannot_be_tested_exits_with_2_and_says_what_to_do(
    arguments: list[str], expected: str, here: Callable[..., Result]
) -> None:
    """Design, section 2: 2 is usage, or a target that cannot be reached."""
    done = here("test", *arguments)

    assert expected in done.stderr
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr


def test_what_listens_and_is_no_http_server_is_unreachable(here: Callable[..., Result]) -> None:
    """Ours: a port of something else, or the wrong scheme."""
    with literal(lambda connection, _: connection.sendall(b"SSH-2.0-other\r\n\r\n")) as target:
        done = here("test", target.url)

    assert f"Error: {target.url} accepts connections and answers nothing: " in done.stderr
    assert done.exit_code == 2


def test_a_target_that_does_not_import_or_start_says_why(tmp_path: Path) -> None:
    """Ours: import errors are the user's; one sentence, not our traceback."""
    (tmp_path / "broken.py").write_text("import nowhere_at_all")
    (tmp_path / "lame.py").write_text(
        "from contextlib import asynccontextmanager\n"
        "from starlette.applications import Starlette\n"
        "@asynccontextmanager\n"
        "async def lifespan(app):\n"
        "    raise ValueError('no database')\n"
        "    yield\n"
        "app = Starlette(lifespan=lifespan)\n"
    )
    broken = ballast("test", "broken.py", cwd=tmp_path)
    lame = ballast("test", "lame.py", cwd=tmp_path)

    assert (broken.returncode, lame.returncode) == (2, 2)
    assert "Error: broken.py does not import: ModuleNotFoundError: No module named 'nowhere_at_all'." in broken.stderr
    assert "Error: lame.py does not start: ValueError: no database. Serve it alone" in lame.stderr


def test_a_page_in_place_of_a_server_is_a_finding(project: Path) -> None:
    """O-13: a catch-all page answers everything with 200."""
    done = ballast("test", "server:strange", "--only", "create-noauth-modern", "--only", "call-model", cwd=project)

    assert done.returncode == 1
    assert "expected  application/json or text/event-stream" in done.stdout
    assert "call-model: tools/list and initialize were not answered as MCP (status 200 text/html" in done.stdout


def test_a_tool_that_writes_is_called_only_with_the_users_examples(project: Path) -> None:
    """Issue 2, item 4: read-only tools unasked, others by example."""
    (project / "writes.py").write_text(
        "from mcp.server.mcpserver import MCPServer\n"
        "mcp = MCPServer('writes')\n"
        "@mcp.tool()\n"
        "def order(name: str) -> str:\n"
        "    open('ordered', 'a').write(name + '\\n')\n"
        "    return name\n"
    )
    unasked = ballast("test", "writes.py", "--only", "call-model", cwd=project)
    assert not (project / "ordered").exists()
    (project / "ballast.toml").write_text('[target]\nstart = "writes.py"\n[tools.order]\narguments = {name = "tea"}\n')
    asked = ballast("test", "--only", "call-model", cwd=project)

    assert unasked.returncode == 2
    assert "none of its tools (order) is marked read-only, and others are not called unasked" in unasked.stdout
    assert asked.returncode == 0
    assert (project / "ordered").read_text() == "tea\ntea\ntea\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("= 1", "ballast.toml cannot be read as TOML:"),
        ("tagret = 'x'", "ballast.toml: tagret is unknown. Known here: target,"),
        ("only = 'x'", "ballast.toml: only is 'x', which is no list."),
        ("pace = 'fast'", "ballast.toml: pace is 'fast'. Write real or none."),
        ("[tools.find]\nargs = {}", "ballast.toml: tools.find.args is unknown. Known here: arguments, slow, earlier."),
        ("[tools.find]\narguments = 1", "ballast.toml: tools.find.arguments is no table."),
        ("[headers]\nAuthorization = 'Bearer ${NO_SUCH}'", "ballast.toml: the environment has no NO_SUCH. Set it,"),
        (
            "[target]\nurll = 'x'",
            "ballast.toml: target.urll is unknown. Known here: url, start, path, headers, command, counter, workers,",
        ),
        ("[oauth]\nclient = 'x'", "ballast.toml: oauth.client is unknown."),
    ],
)
def test_a_wrong_configuration_exits_with_2_and_names_the_place(
    text: str, expected: str, project: Path, here: Callable[..., Result]
) -> None:
    """Ours: bad input."""
    (project / "ballast.toml").write_text(text)
    done = here("test", "server.py")

    assert expected in done.stderr
    assert done.exit_code == 2


def test_sessions_are_listed_and_explained(project: Path) -> None:
    """Ours: what is replayed is no secret."""
    every = ballast("sessions", cwd=project)
    one = ballast("sessions", "responses-slow-60x2", cwd=project)
    none = ballast("sessions", "responses-slow", cwd=project)

    assert any(
        line.split()[:4] == ["call-model", "chatgpt/model", "observed", "2026-09-15"]
        for line in every.stdout.splitlines()
    )
    assert "known       observed, last seen 2026-09-18, to be trusted until 2027-03-18" in one.stdout
    assert "    only if   call was cut" in one.stdout
    assert "    leaves    after 59.8 s" in one.stdout
    assert none.returncode == 2
    assert "Error: There is no session 'responses-slow'. Near: responses-slow-60x2" in none.stderr


def test_contracts_and_rules_are_listed_and_explained_too(here: Callable[..., Result]) -> None:
    """Issue 6, items 1 and 4: what is checked and mutated is no secret either."""
    listed = here("sessions").output
    assert "CT-12  mcp  serious " in listed
    assert "CT-06  shown by create-bad-discover" in listed
    assert "sent-slowly                  platform change, with --mutate  The body comes slowly, in pieces" in listed
    assert "try it      mcp-ballast test TARGET --mutate --rule retry-new-id" in here("sessions", "retry-new-id").output
    both = here("sessions", "CT-06").output
    assert "CT-06: A question before the handshake" in both
    assert "CT-06 is shown by sessions: create-bad-discover" in both


def test_every_shipped_session_can_be_explained(here: Callable[..., Result]) -> None:
    """Ours: what is replayed must be open to those it is replayed against."""
    for session in load_sessions():
        done = here("sessions", session.id)
        lines = done.stdout.splitlines()
        assert lines[0] == f"{session.id}: {session.title}"
        assert [line.split()[1] for line in lines if line.startswith("* ")] == [step.name for step in session.steps]


def test_traces_of_a_target_in_this_process_come_with_each_step(tmp_path: Path) -> None:
    """Issue 2, item 8: the trace of each step."""
    (tmp_path / "traced.py").write_text(
        "from connector import Connector, tool\n"
        "class Traced(Connector):\n"
        "    name = 'traced'\n"
        "    @tool(read_only=True)\n"
        "    def one(self) -> int:\n"
        "        return 1\n"
        "connector = Traced()\n"
    )
    done = ballast("test", "traced.py", "--only", "call-widget", "--traces", "--json", "run.json", cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    steps = json.loads((tmp_path / "run.json").read_text())["sessions"][0]["steps"]
    assert [[span["name"] for span in step["spans"]] for step in steps] == [["tools/call one"], ["tools/call one"]]


def test_a_secret_header_reaches_the_target_and_no_report(tmp_path: Path) -> None:
    """Issue 2: no secret in logs and reports, also where the target echoes it."""
    (tmp_path / "echo.py").write_text(
        "from mcp.server.mcpserver import Context, MCPServer\n"
        "from mcp_types import ToolAnnotations\n"
        "mcp = MCPServer('echo')\n"
        "@mcp.tool(annotations=ToolAnnotations(read_only_hint=True))\n"
        "def echo(ctx: Context) -> str:\n"
        "    return ctx.headers['authorization']\n"
    )
    arguments = ["--header", "Authorization: Bearer s3cret-s3cret-s3cret", "--json", "r.json", "--html", "r.html"]
    done = ballast("test", "echo.py", "--only", "call-model", *arguments, cwd=tmp_path)

    assert done.returncode == 0, done.stdout
    reports = (tmp_path / "r.json").read_text() + (tmp_path / "r.html").read_text() + done.stdout
    assert "s3cret" not in reports
    assert "Bearer <withheld>" in (tmp_path / "r.json").read_text()
