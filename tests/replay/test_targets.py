"""What can be a target, and where it is found."""

import gc
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from connector import Connector, tool
from contract_tests import BallastTestError, open_target
from tests.loopback import await_health
from tests.replay.replaying import play
from tests.replay.servers import Answer, Asked, Tolerant, plain_sdk, result, said


class One(Connector):
    """Has one tool."""

    name = "one"

    @tool(read_only=True)
    def one(self) -> int:
        """Give 1."""
        return 1


@pytest.mark.parametrize(
    "target", [One(), One().app(), plain_sdk(), Tolerant()], ids=["connector", "its app", "sdk", "asgi"]
)
def test_whatever_can_be_served_is_served(target: Any) -> None:
    """Design, section 7: any MCP server."""
    assert play(target, "create-noauth-modern").exit_code == 0


def test_a_fastmcp_server_is_served() -> None:
    """Issue 2: any MCP server; skipped where FastMCP is not installed."""
    fastmcp = pytest.importorskip("fastmcp", reason="FastMCP is not installed")
    server = fastmcp.FastMCP("fast")

    def one() -> int:
        return 1

    server.tool(one, annotations={"readOnlyHint": True})
    assert play(server, "create-noauth-legacy").exit_code == 0


def test_a_server_at_the_root_is_found_there() -> None:
    """Ours: an object says nothing about its path."""
    inner = Tolerant()

    async def at_root(scope: Any, receive: Any, send: Any) -> None:
        elsewhere = {**scope, "path": "/mcp" if scope["path"] == "/" else "/elsewhere"}
        await inner(elsewhere, receive, send)

    run = play(at_root, "create-noauth-modern")

    assert run.url.endswith("/")
    assert run.exit_code == 0
    assert run.notes[1].endswith(f"/mcp did not answer as MCP; {run.url} did")


def test_an_address_without_a_path_is_tried_with_mcp_too() -> None:
    """Issue 2, item 4: only if the bare one does not answer."""
    with open_target(Tolerant()) as served:
        bare = served.url.removesuffix("/mcp")
        run = play(bare, "create-noauth-modern")
        wrong = play(f"{bare}/wrong", "create-noauth-modern")

    assert run.url == f"{bare}/mcp"
    assert run.exit_code == 0
    assert (wrong.url, wrong.exit_code) == (f"{bare}/wrong", 1)


def test_a_target_is_gone_when_its_block_ends() -> None:
    """Ours: no port, thread or lifespan is left behind."""
    ended: list[str] = []

    class Lifespan:
        async def __aenter__(self) -> None:
            ended.append("started")

        async def __aexit__(self, *_: object) -> None:
            ended.append("stopped")

    with open_target(Starlette(lifespan=lambda _: Lifespan())) as target:
        port = int(target.url.split(":")[2].split("/")[0])
        assert ended == ["started"]

    assert ended == ["started", "stopped"]
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", port)):
        pass
    gc.collect()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (7, "int is an object of type int, which cannot be served"),
        (One, "type is the class One, which cannot be served: .* Name an instance of it."),
        ("nonsense", "'nonsense' is no target"),
    ],
)
def test_what_cannot_be_served_is_said(target: object, expected: str) -> None:
    """Ours: bad input."""
    with pytest.raises(BallastTestError, match=expected), open_target(target):
        pass


def test_tools_are_read_from_every_page_of_the_list() -> None:
    """MCP: nextCursor; a target that repeats its cursor is asked no further."""
    pages = {None: ("a", "2"), "2": ("b", "3"), "3": ("c", "3")}

    def page(asked: Asked) -> Answer:
        name, after = pages[asked.message["params"].get("cursor")]
        tool = {"name": name, "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": name == "c"}}
        return result(asked, {"tools": [tool], "nextCursor": after})

    server = Tolerant({"tools/list": page})
    play(server, "call-model")

    assert {asked.message["params"]["name"] for asked in server.asked if asked.kind == "tools/call"} == {"c"}


def test_a_server_of_older_revisions_is_surveyed_with_a_session() -> None:
    """P-01: sessions are issued and demanded for the list; calls come without."""

    def sticky(asked: Asked) -> Answer | None:
        return None if asked.headers.get("mcp-session-id") == "s1" else said({"error": "no session"}, status=400)

    def initialize(asked: Asked) -> Answer:
        server = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "old", "version": "1"}}
        return said({"jsonrpc": "2.0", "id": asked.message["id"], "result": server}, headers={"Mcp-Session-Id": "s1"})

    server = Tolerant(
        {
            "initialize": initialize,
            "tools/list": sticky,
            "tools/call": sticky,
            "server/discover": sticky,
            "notification": sticky,
        }
    )
    run = play(server, "create-noauth-modern", "call-model", "call-model-legacy")

    reasons = {session.id: session.reason or session.verdict for session in run.sessions}
    assert reasons["create-noauth-modern"] == "the target does not speak 2026-07-28"
    assert reasons["call-model"] == "the target does not speak 2026-07-28"
    assert [finding.step for finding in run.sessions[1].findings] == ["initialized", "call"]


def test_serve_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """Design, section 2: the command of every README."""
    (tmp_path / "mine.py").write_text(
        "from connector import Connector, tool\n"
        "class One(Connector):\n"
        "    name = 'one'\n"
        "    @tool(read_only=True)\n"
        "    def one(self) -> int:\n"
        "        return 1\n"
        "connector = One()\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        "from contract_tests.cli import main; main()",
        "serve",
        "mine.py",
        "--port",
        str(port),
    ]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        await_health(f"http://127.0.0.1:{port}")
        assert httpx2.get(f"http://127.0.0.1:{port}/mcp").status_code == 405
        served.send_signal(signal.SIGINT)
        out, _ = served.communicate(timeout=20)

    assert out.splitlines()[0] == f"serving mine.py at http://127.0.0.1:{port} (interrupt to stop)"
