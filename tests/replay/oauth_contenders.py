"""Which server fails which of CT-20 to CT-29: `python -m tests.replay.oauth_contenders` prints the table of the docs.

Every server is served on loopback with its own authorization server that approves everyone. The SDK has no provider of
its own: it gets one that does what the docstrings of its interface ask for. Each is killed once, for CT-29.
"""

import contextlib
import logging
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import anyio
import uvicorn
from mcp.server.auth.settings import ClientRegistrationOptions

from contract_tests import Options, Run, Target, Verdict, load_sessions, play_sessions
from contract_tests.checks.registry import OAUTH
from contract_tests.target.application import as_application
from tests.environment import uncovered
from tests.replay.authorization import Memory, protected

GUARDS: Mapping[str, tuple[str, ...]] = {
    "CT-20": ("oauth-discovery", "oauth-well-known"),
    "CT-21": ("CT-21", "oauth-dcr"),
    "CT-22": ("CT-22",),
    "CT-23": ("CT-23",),
    "CT-24": (
        "oauth-cimd-iss", "oauth-cimd-callback-id", "oauth-cimd-plural", "oauth-cimd-scalar", "oauth-codex-loopback",
    ),
    "CT-25": ("CT-25", "oauth-reconnect"),
    "CT-26": ("CT-26",),
    "CT-27": ("oauth-refresh-parallel",),
    "CT-28": ("oauth-session-rotated",),
    "CT-29": ("CT-29",),
}  # fmt: skip
"""The sessions and checks that decide each contract."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A server, made for the origin it will be served at."""

    name: str
    make: Callable[[str], object]


def plain_mcp(origin: str) -> object:
    """The SDK's server with the SDK's authorization endpoints over a provider in memory."""
    return protected(origin, memory=Memory(as_documented=True)).streamable_http_app()


def fastmcp(origin: str) -> object:
    """FastMCP with the provider it ships for tests."""
    from fastmcp import FastMCP
    from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider

    auth = InMemoryOAuthProvider(base_url=origin, client_registration_options=ClientRegistrationOptions(enabled=True))
    server = FastMCP("protected", auth=auth)

    @server.tool(annotations={"readOnlyHint": True})
    def find(query: str) -> str:
        return query

    return server.http_app()


def connector(origin: str) -> object:
    """This project's, with the built-in authorization server; its file is kept in the current folder."""
    from connector import Connector, tool
    from connector.oauth import AuthorizationServer

    class Protected(Connector):
        name = "protected"

        @tool(read_only=True)
        def find(self, query: str) -> str:
            """Find something."""
            return query

    return Protected(public_url=origin, auth=AuthorizationServer(approve="everyone")).app()


CONTENDERS = (
    Contender(name=f"mcp {version('mcp')}", make=plain_mcp),
    Contender(name=f"FastMCP {version('fastmcp')}", make=fastmcp),
    Contender(name="Connector", make=connector),
)


def judge(contender: Contender) -> Run:
    """Play what decides CT-20 to CT-29."""
    wanted = {key for keys in GUARDS.values() for key in keys}
    sessions = [session for session in load_sessions() if session.id in wanted]

    async def run(running: Running) -> Run:
        target = Target(name=contender.name, url=f"http://127.0.0.1:{running.port}/mcp")
        options = Options(pace="none", seed=1, restart=running.restart)
        return await play_sessions(sessions, target, options=options, contracts=OAUTH)

    running = Running(contender)
    try:
        return anyio.run(run, running)
    finally:
        running.stop()


class Running:
    """A contender in a process of its own, so that it can be killed."""

    def __init__(self, contender: Contender) -> None:
        self._contender = contender
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self._folder = tempfile.TemporaryDirectory(prefix="ballast-contender-")
        self._process = self._started()

    def restart(self) -> None:
        """Kill it as an operating system does, and start it again."""
        self._kill()
        self._process = self._started()

    def stop(self) -> None:
        """Kill it, and forget what it kept."""
        self._kill()
        self._folder.cleanup()

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait(20)

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.replay.oauth_contenders", "serve", self._contender.name, str(self.port)]
        plain = {name: value for name, value in uncovered().items() if not name.startswith("BALLAST_")}
        environment = {**plain, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        silent = subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=self._folder.name, env=environment, stdout=silent, stderr=silent)
        ends = time.monotonic() + 60
        while time.monotonic() < ends and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return process
            time.sleep(0.05)
        process.kill()
        raise AssertionError(f"{self._contender.name} did not start")


def serve(contender: Contender, port: int) -> None:
    """Serve a contender in this process until it is killed."""
    made = as_application(contender.make(f"http://127.0.0.1:{port}"), name=contender.name)
    uvicorn.run(made.app, host="127.0.0.1", port=port, lifespan="on" if made.has_lifespan else "auto", ws="none")


def verdicts(run: Run) -> dict[str, str]:
    """holds, breaks or not checked, for every contract."""
    found = {session.id: session.verdict for session in run.sessions}
    return {contract: _verdict([found[key] for key in keys]) for contract, keys in GUARDS.items()}


def _verdict(found: list[Verdict]) -> str:
    if Verdict.FAILED in found:
        return "breaks"
    return "holds" if Verdict.PASSED in found else "not checked"


def table(runs: Mapping[str, Run]) -> str:
    """The table as Markdown, with a sum under it."""
    found = {name: verdicts(run) for name, run in runs.items()}
    lines = [f"| contract | {' | '.join(found)} |", f"|---|{'---|' * len(found)}"]
    lines += [f"| {contract} | {' | '.join(column[contract] for column in found.values())} |" for contract in GUARDS]
    sums = [f"**{list(column.values()).count('breaks')}** of {len(GUARDS)}" for column in found.values()]
    return "\n".join([*lines, f"| breaks | {' | '.join(sums)} |"])


def main() -> None:
    """Print the table; with -v every finding."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    runs: dict[str, Run] = {}
    for contender in CONTENDERS:
        try:
            runs[contender.name] = judge(contender)
        except Exception as problem:  # noqa: BLE001 - the table of the others is worth having
            print(f"{contender.name} was not judged: {problem!r}", file=sys.stderr)  # noqa: T201
    print(table(runs))  # noqa: T201 - this is what it is for
    for name, run in runs.items() if "-v" in sys.argv else ():
        for session in run.sessions:
            print(name, session.id, session.verdict.value, session.reason)  # noqa: T201
            for finding in session.findings:
                print("   ", finding.step, "|", finding.where, "|", finding.expected, "|", finding.actual)  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(next(one for one in CONTENDERS if one.name == sys.argv[2]), int(sys.argv[3]))
    else:
        main()
