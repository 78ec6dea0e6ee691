"""The servers behind the proxies: a connector with default settings, and plain `mcp` servers to show the incident on.

Run as `python -m tests.proxies.backends KIND PORT`. Every server offers the same tool `rest`; the connector also has
tools whose events and effects a test can order and count.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn
from mcp.server import MCPServer
from starlette.types import ASGIApp

from connector import Call, Connector, tool
from tests.proxies.processes import Program, free_ports, python_module, running

CONNECTOR: Final = "connector"
BRISK: Final = "connector, interval 1 s"
ON_H11: Final = "connector, h11"
PLAIN_EVENTS: Final = "mcp, events"
PLAIN_JSON: Final = "mcp, JSON"

_ENVIRONMENT: Final = {BRISK: {"BALLAST_HEARTBEAT_INTERVAL": "1"}}


class Sleeper(Connector):
    """Tools that are quiet for a long time, and tools that wait for the test."""

    name = "sleeper"
    version = "1"

    def __init__(self) -> None:
        super().__init__()
        self._released: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(0))
        self._effects: dict[str, int] = defaultdict(int)
        self._changed: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    @tool(read_only=True)
    async def rest(self, seconds: float) -> str:
        """Be quiet for some seconds, then answer."""
        return await _rested(seconds)

    @tool(read_only=True)
    async def climb(self, run: str, steps: int, call: Call) -> str:
        """Report one step at a time; each waits until it is released."""
        for step in range(1, steps + 1):
            await call.progress(step, steps)
            await self._released[run].acquire()
        return f"climbed {steps} steps"

    @tool(read_only=True)
    async def release(self, run: str, steps: int) -> str:
        """Release steps of a climb."""
        for _ in range(steps):
            self._released[run].release()
        return "released"

    @tool
    async def write(self, run: str, seconds: float) -> str:
        """Be quiet for some seconds, then have an effect."""
        await asyncio.sleep(seconds)
        self._effects[run] += 1
        self._changed[run].set()
        return f"written by {run}"

    @tool(read_only=True)
    async def effects(self, run: str) -> int:
        """How often a run had its effect; waits for the first one."""
        await self._changed[run].wait()
        return self._effects[run]


def plain(*, json_response: bool) -> ASGIApp:
    """A plain server of the `mcp` SDK, stateless so that both revisions are one request each."""
    server = MCPServer("sleeper", version="1", log_level="ERROR")

    @server.tool()
    async def rest(seconds: float) -> str:
        """Be quiet for some seconds, then answer."""
        return await _rested(seconds)

    return server.streamable_http_app(json_response=json_response, stateless_http=True)


@contextmanager
def serving(kinds: Mapping[str, str], folder: Path) -> Iterator[dict[str, int]]:
    """Serve servers, given as name and kind, each in a process of its own; gives the ports by name."""

    def programs() -> list[Program]:
        ports = free_ports(len(kinds))
        return [
            Program(
                command=python_module("tests.proxies.backends", kind, str(port)),
                ports=[port],
                environment=_ENVIRONMENT.get(kind, {}),
            )
            for kind, port in zip(kinds.values(), ports, strict=True)
        ]

    with running(programs, folder) as started:
        yield {name: program.ports[0] for name, program in zip(kinds, started, strict=True)}


async def _rested(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return f"rested {seconds:g} s"


def main(kind: str, port: int) -> None:
    """Serve one kind until a signal ends it."""
    if kind in {CONNECTOR, BRISK}:
        Sleeper().serve(port=port)
    elif kind == ON_H11:
        uvicorn.run(Sleeper().app(), port=port, http="h11", log_level="error")
    else:
        uvicorn.run(plain(json_response=kind == PLAIN_JSON), port=port, log_level="error")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
