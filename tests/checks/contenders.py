"""Which server keeps which contract beside OAuth: `python -m tests.checks.contenders` prints the table of the docs.

Every server has one tool that reads, one that writes and one that counts, is served twice on loopback (for CT-30), and
is otherwise as it comes. The connector allows the origin of Claude, which is not among its defaults.
"""

import logging
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import anyio
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

from connector import Connector, tool
from contract_tests import Options, Run, Target, choose, load_sessions, play_sessions
from contract_tests.checks.means import Means
from contract_tests.checks.registry import EVIDENCE
from contract_tests.checks.standings import NUMBERS, standings
from contract_tests.offer.catalogue import Example
from contract_tests.target.application import as_application
from contract_tests.target.serving import served
from tests.checks.judging import WIRE

SHOWN = tuple(number for number in NUMBERS if not "CT-20" <= number <= "CT-29")
"""CT-20 to CT-29 need an authorization server, and have a table of their own."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A server, made as often as it is wanted."""

    name: str
    make: Callable[[], object]


HINTS = {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False}
"""What ChatGPT asks of every tool."""


def plain_mcp() -> object:
    """The SDK's server."""
    server: MCPServer[Any] = MCPServer("shop")
    taken: list[str] = []

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False))
    def find(query: str) -> str:
        return query

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False))
    def orders() -> int:
        return len(taken)

    @server.tool(annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False))
    def order(what: str) -> str:
        taken.append(what)
        return f"{what}, number {len(taken)}"

    return server


def fastmcp() -> object:
    """FastMCP's."""
    from fastmcp import FastMCP

    server = FastMCP("shop")
    taken: list[str] = []

    @server.tool(annotations=HINTS)
    def find(query: str) -> str:
        return query

    @server.tool(annotations=HINTS)
    def orders() -> int:
        return len(taken)

    @server.tool(annotations={**HINTS, "readOnlyHint": False})
    def order(what: str) -> str:
        taken.append(what)
        return f"{what}, number {len(taken)}"

    return server


class Shop(Connector):
    """This project's."""

    name = "shop"

    def __init__(self) -> None:
        super().__init__(store="memory:")
        self.taken: list[str] = []

    @tool(read_only=True)
    def find(self, query: str) -> str:
        """Find something."""
        return query

    @tool(read_only=True)
    def orders(self) -> int:
        """How many there are."""
        return len(self.taken)

    @tool
    def order(self, what: str) -> str:
        """Order something."""
        self.taken.append(what)
        return f"{what}, number {len(self.taken)}"


CONTENDERS = (
    Contender(name=f"mcp {version('mcp')}", make=plain_mcp),
    Contender(name=f"FastMCP {version('fastmcp')}", make=fastmcp),
    Contender(name="Connector", make=Shop),
)


def judge(contender: Contender) -> Run:
    """Check what can be checked of a contender."""
    sessions = choose(load_sessions(), [*EVIDENCE["CT-06"], *EVIDENCE["CT-17"]])
    examples = {"find": Example(arguments={"query": "tea"}), "order": Example(arguments={"what": "tea"})}
    with ExitStack() as stack:
        urls = [
            f"{stack.enter_context(served(as_application(contender.make(), name='shop'), name='shop'))}/mcp"
            for _ in range(2)
        ]
        means = Means(write="order", counter="orders", workers=tuple(urls))
        named = ("CT-04", "CT-05")
        options = Options(pace="none", seed=1, examples=examples, means=means, named=named)

        async def run() -> Run:
            target = Target(name=contender.name, url=urls[0])
            return await play_sessions(sessions, target, options=options, contracts=WIRE)

        return anyio.run(run)


def verdicts(run: Run) -> dict[str, str]:
    """holds, breaks or not checked, for every number beside OAuth."""
    words = {"held": "holds", "broken": "breaks", "not checked": "not checked"}
    return {one.number: words[one.outcome] for one in standings(run.sessions) if one.number in SHOWN}


def table(runs: Mapping[str, Run]) -> str:
    """The table as Markdown, with a sum under it."""
    found = {name: verdicts(run) for name, run in runs.items()}
    lines = [f"| contract | {' | '.join(found)} |", f"|---|{'---|' * len(found)}"]
    lines += [f"| {number} | {' | '.join(column[number] for column in found.values())} |" for number in SHOWN]
    sums = [f"**{list(column.values()).count('breaks')}** of {len(SHOWN)}" for column in found.values()]
    return "\n".join([*lines, f"| breaks | {' | '.join(sums)} |"])


def main() -> None:
    """Print the table; with -v every finding."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    runs = {contender.name: judge(contender) for contender in CONTENDERS}
    print(table(runs))  # noqa: T201 - this is what it is for
    for name, run in runs.items() if "-v" in sys.argv else ():
        for session in run.sessions:
            for finding in session.findings:
                print(name, session.id, finding.step, finding.where, finding.actual, sep=" | ")  # noqa: T201


if __name__ == "__main__":
    main()
