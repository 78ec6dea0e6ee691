"""Closed-loop load on one server: every connection sends its next call when its last is answered.

Decides who sends when and what is counted; both the time and the number of calls are bounded. Runs in the
parent process, on a CPU of its own, and does as little as it can per call. Knows nothing about the servers.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

from .wire import CallBytes, MalformedReplyError, Reply, fault_of, take_reply

# A call that is still without an answer this long after the end of a run is an error.
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long and how much one run may be, after warming up."""

    warmup_seconds: float
    seconds: float
    most_calls: int
    connections: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run measured. Latencies are seconds, sorted."""

    seconds: float
    latencies: list[float]
    cpu_seconds: float | None
    errors: dict[str, int]


@dataclass(slots=True)
class _Tally:
    call: CallBytes
    number: int = 0
    counting: bool = False
    stopping: bool = False
    most_calls: int = 0
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    full: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, latency: float, fault: str | None) -> None:
        if fault is not None:
            self.errors[fault] += 1
        elif self.counting:
            self.latencies.append(latency)
            if len(self.latencies) >= self.most_calls:
                self.full.set()


class _Caller(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, tally: _Tally) -> None:
        self._tally = tally
        self._buffer = b""
        self._text = b""
        self._sent_at = 0.0
        self.idle = asyncio.Event()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send_next(self) -> None:
        assert self.transport is not None
        self._tally.number += 1
        request, self._text = self._tally.call.numbered(self._tally.number)
        self._sent_at = perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        try:
            reply = take_reply(self._buffer)
        except MalformedReplyError as problem:
            self._give_up(str(problem))
            return
        if reply is not None:
            self._settle(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.idle.is_set():
            self._give_up("the server closed a kept-alive connection")

    def _settle(self, reply: Reply) -> None:
        self._buffer = self._buffer[reply.size :]
        self._tally.count(perf_counter() - self._sent_at, fault_of(reply, self._text))
        if self._tally.stopping:
            self.idle.set()
        else:
            self.send_next()

    def _give_up(self, fault: str) -> None:
        self._tally.errors[fault] += 1
        self.idle.set()


async def measure(port: int, call: CallBytes, bounds: Bounds, cpu_seconds: Callable[[], float | None]) -> Run:
    """Load the server on loopback `port` and return what was measured after warming up."""
    tally = _Tally(call=call, most_calls=bounds.most_calls)
    callers = [await _connect(port, tally) for _ in range(bounds.connections)]
    for caller in callers:
        caller.send_next()
    await asyncio.sleep(bounds.warmup_seconds)
    before, started, tally.counting = cpu_seconds(), perf_counter(), True
    with suppress(TimeoutError):  # the usual end: time is up before the count is
        await asyncio.wait_for(tally.full.wait(), bounds.seconds)
    tally.counting, seconds, after = False, perf_counter() - started, cpu_seconds()
    await _finish(callers, tally)
    used = None if before is None or after is None else after - before
    return Run(seconds=seconds, latencies=sorted(tally.latencies), cpu_seconds=used, errors=dict(tally.errors))


async def _connect(port: int, tally: _Tally) -> _Caller:
    loop = asyncio.get_running_loop()
    _, caller = await loop.create_connection(lambda: _Caller(tally), "127.0.0.1", port)
    return caller


async def _finish(callers: list[_Caller], tally: _Tally) -> None:
    tally.stopping = True
    waits = [asyncio.ensure_future(caller.idle.wait()) for caller in callers]
    _, late = await asyncio.wait(waits, timeout=_PATIENCE_SECONDS)
    if late:
        tally.errors["no answer"] += len(late)
    for wait in late:
        wait.cancel()
    for caller in callers:
        caller.idle.set()
        if caller.transport is not None:
            caller.transport.close()
