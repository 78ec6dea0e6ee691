"""The benchmark of scale: `python -m tests.bench.scale`. Ten thousand quiet streams, and far more calls than there is
room for.

Decides what is opened and measured. Lateness is how much later than `interval` a heartbeat came at the client: the
pause between two is never longer by itself, since jitter only shortens it.
"""

import asyncio
import json
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import click

from .process import Server, pin_load_generator, serving
from .report import setting, write_between_markers
from .wire import BOTH

INTERVAL = 5.0  # the default of StreamSettings
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
OFFERED = 2400  # calls a second: at most 320 find a place
CONNECTIONS = 256


def _request(tool: str) -> bytes:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}}
    body = json.dumps(message).encode()
    lines = [
        "POST /mcp HTTP/1.1", "Host: localhost", "Content-Type: application/json", f"Accept: {BOTH}",
        "MCP-Protocol-Version: 2025-11-25", f"Content-Length: {len(body)}",
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + body


class Quiet(asyncio.Protocol):
    """One client that waits for an answer which never comes, and notes how late each heartbeat is."""

    request = _request("quiet")

    def __init__(self, late: list[float]) -> None:
        self._late = late
        self._last: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        transport.write(self.request)  # type: ignore[attr-defined]  # a TCP transport can

    def data_received(self, data: bytes) -> None:
        """Note when a heartbeat came."""
        if b"still working" in data:
            now = time.monotonic()
            if self._last is not None:
                self._late.append(max(0.0, now - self._last - INTERVAL))
            self._last = now


async def quiet_streams(server: Server, count: int, seconds: float) -> list[str]:
    """Open `count` streams, keep them for `seconds`, and give the row of the table."""
    loop, late = asyncio.get_running_loop(), list[float]()
    for _ in range(50):
        await loop.create_connection(lambda: Quiet([]), "127.0.0.1", server.port)
    await asyncio.sleep(2)
    before = server.resident_bytes()
    for opened in range(count):
        await loop.create_connection(lambda: Quiet(late), "127.0.0.1", server.port)
        if opened % 100 == 0:
            await asyncio.sleep(0.02)
    await asyncio.sleep(2 * INTERVAL)
    late.clear()
    cpu, since = server.cpu_seconds(), time.monotonic()
    await asyncio.sleep(seconds)
    cores = _difference(server.cpu_seconds(), cpu) / (time.monotonic() - since)
    each = _difference(server.resident_bytes(), before) / count / 1000
    return [f"{count}", f"{each:.1f}", f"{_p99(late):.3f}", f"{len(late)}", f"{cores:.2f}"]


def _difference(after: float | None, before: float | None) -> float:
    return float("nan") if after is None or before is None else after - before


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98] if len(values) > 1 else float("nan")


@dataclass
class Tally:
    """What became of the calls."""

    admitted: list[float] = field(default_factory=list)
    shed: list[float] = field(default_factory=list)
    wrong: int = 0

    @property
    def count(self) -> int:
        """How many were answered."""
        return len(self.admitted) + len(self.shed) + self.wrong

    def note(self, took: float, reply: bytes) -> None:
        """Count one reply."""
        if b'"isError":false' in reply:
            self.admitted.append(took)
        elif b"was not started" in reply:
            self.shed.append(took)
        else:
            self.wrong += 1


class Calls:
    """Calls that are due, and connections that are free to make them. A call's time runs from when it was due."""

    def __init__(self) -> None:
        self._due: deque[float] = deque()
        self._free: list[Caller] = []

    def add(self) -> None:
        """One more call is due now."""
        now = time.monotonic()
        if self._free:
            self._free.pop().ask(now)
        else:
            self._due.append(now)

    def take(self, caller: "Caller") -> None:
        """A connection is free."""
        if self._due:
            caller.ask(self._due.popleft())
        else:
            self._free.append(caller)


class Caller(asyncio.Protocol):
    """One kept connection. No task and no stream per call: the generator must not be what is measured."""

    request = _request("short")

    def __init__(self, calls: Calls, tally: Tally) -> None:
        self._calls = calls
        self._tally = tally
        self._reply = b""
        self._since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready."""
        self._write = transport.write  # type: ignore[attr-defined]  # a TCP transport can
        self._calls.take(self)

    def ask(self, since: float) -> None:
        """Make a call that was due at `since`."""
        self._since = since
        self._write(self.request)

    def data_received(self, data: bytes) -> None:
        """Count the reply when it is whole, and be ready again."""
        self._reply += data
        head, found, body = self._reply.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if found and (len(body) >= int(length) if length else body.endswith(b"0\r\n\r\n")):
            self._tally.note(time.monotonic() - self._since, body)
            self._reply = b""
            self._calls.take(self)


async def shed_load(server: Server, seconds: float) -> list[str]:
    """Offer calls at a steady rate, whatever the answers do, and give the row of the table."""
    loop, tally, calls = asyncio.get_running_loop(), Tally(), Calls()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Caller(calls, tally), "127.0.0.1", server.port)
    since, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - since) < seconds:
        for _ in range(int(elapsed * OFFERED) - sent):
            sent += 1
            calls.add()
        await asyncio.sleep(0.002)
    while tally.count < sent:  # noqa: ASYNC110  # an event would cost the generator something for every reply
        await asyncio.sleep(0.01)
    total = time.monotonic() - since
    rates = [f"{sent / total:.0f}", f"{len(tally.admitted) / total:.0f}", f"{len(tally.shed) / total:.0f}"]
    return [*rates, f"{_p99(tally.admitted) * 1000:.0f}", f"{_p99(tally.shed) * 1000:.0f}", f"{tally.wrong}"]


@click.command()
@click.option("--streams", default=10_000, show_default=True, help="How many quiet streams.")
@click.option("--seconds", default=30.0, show_default=True, help="How long they are watched.")
@click.option("--write", is_flag=True, help="Put the tables into docs/benchmarks.md.")
def main(*, streams: int, seconds: float, write: bool) -> None:
    """Measure ten thousand quiet streams, and a load of which most is shed."""
    pinning = pin_load_generator()
    with serving("floor", "default", fast=True) as server:
        floor = asyncio.run(quiet_streams(server, streams, seconds))
    with serving("scale", "default", fast=True) as server:
        quiet = asyncio.run(quiet_streams(server, streams, seconds))
    with serving("scale", "json", fast=True) as server:
        shed = asyncio.run(shed_load(server, seconds / 3))
    report = "\n".join(
        [
            setting("python -m tests.bench.scale --write", pinning, "one uvicorn worker, uvloop and httptools"),
            "",
            "| served by | quiet streams | kB each | lateness p99, s | heartbeats | cores |",
            "|---|--:|--:|--:|--:|--:|",
            f"| **mcp-ballast**; targets: 20 kB, 1 s, 1 core | {' | '.join(quiet)} |",
            f"| a bare ASGI app that only sends heartbeats | {' | '.join(floor)} |",
            "",
            "| offered/s | admitted/s | shed/s | admitted p99 ms (under 250) | shed p99 ms | wrong |",
            "|--:|--:|--:|--:|--:|--:|",
            f"| {' | '.join(shed)} |",
        ]
    )
    sys.stdout.write(report + "\n")
    if write:
        write_between_markers(PAGE, "bench-scale", report)


if __name__ == "__main__":
    main()
