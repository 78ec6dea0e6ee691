"""How many calls run at once: in all, of one tool, of one principal; and how many streams are open beside them.

A call passes up to three gates, always in the order principal, tool, all: it holds a place at one only while it waits
at a later one, so no two calls can wait for each other. Where there is no room it waits a little and is then refused
with a time to come back. Knows asyncio and nothing of HTTP or MCP. For one event loop; not for threads.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final, Self

from ...settings import CapacitySettings
from .busy import Busy, Scope
from .gate import Gate

LONGEST_RETRY_AFTER: Final = 300.0
"""Seconds. Nobody comes back in an hour because a reply said so, and by then the estimate means nothing."""

SPREAD: Final = 2.0
"""Seconds over which those who are refused together come back at least; `Retry-After` knows whole seconds only."""

HOPELESS: Final = 2.0
"""How many times longer than it may wait a call would have to wait, on average, to be refused without waiting. Above
one, because stays vary, and a place may come free sooner than the mean says.
"""

UNKNOWN_STAY: Final = 1.0
"""Seconds that a call is taken to last before the first one has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """What is going on, and how many were refused since the start, by what was full."""

    calls: int
    waiting: int
    streams: int
    principals: int
    shed: Mapping[Scope, int]


class Slot:
    """A place for one call or one stream until `release`; also a context manager."""

    __slots__ = ("_capacity", "_caps", "_since")

    def __init__(self, capacity: "Capacity", caps: tuple[Gate, ...]) -> None:
        self._capacity = capacity
        self._caps = caps
        self._since = capacity.clock()

    def release(self) -> None:
        """Hand the place on. A second time does nothing."""
        caps, self._caps = self._caps, ()
        if caps:
            capacity = self._capacity
            stayed = capacity.clock() - self._since
            for cap in caps:
                cap.leave(stayed)
            if capacity._ended is not None:  # noqa: SLF001  # two halves of one thing
                capacity._note_end()  # noqa: SLF001

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Capacity:
    """Lets calls and streams in, or raises `Busy`. What is kept per tool and per principal is gone at zero.

    `jitter` gives numbers from 0 to 1, `clock` seconds to measure stays by.
    """

    def __init__(
        self,
        settings: CapacitySettings | None = None,
        *,
        jitter: Callable[[], float] = random.Random().random,  # noqa: S311,B008  # its own; nobody's seed is disturbed
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._policy = policy = settings or CapacitySettings()
        self._jitter = jitter
        self.clock = clock
        self._has_tool_caps = policy.per_tool is not None or bool(policy.tools)
        self._calls = Gate(policy.calls, Scope.GLOBAL)
        self._unnamed = (self._calls,)
        self._streams = Gate(policy.streams, Scope.STREAMS)
        self._callers: dict[str, Gate] = {}
        self._tools: dict[str, Gate] = {}
        self._listeners: dict[str, Gate] = {}
        self._shed = dict.fromkeys(Scope, 0)
        self._waiting = 0
        self._closed: str | None = None
        self._ended: asyncio.Event | None = None

    def try_call(self, *, tool: str | None = None, principal: str | None = None) -> Slot | None:
        """A place for a call, if there is one this instant. None means: `await wait_for_call`."""
        calls = self._calls
        if calls.taken >= calls.most or self._closed is not None:
            return None
        own = None if principal is None else self._of_principal(principal)
        of_tool = None if tool is None or not self._has_tool_caps else self._of_tool(tool)
        if of_tool is not None:
            return self._enter((of_tool, calls) if own is None else (own, of_tool, calls))
        return self._enter(self._unnamed if own is None else (own, calls))

    async def wait_for_call(self, *, tool: str | None = None, principal: str | None = None) -> Slot:
        """A place for a call, waiting for it if need be. `Slot.release` hands it on.

        Raises:
            Busy: No place came free in time, or the connector is draining. The call was not started.
        """
        if self._closed is not None:
            raise self._draining()
        self._waiting += 1
        held: list[Gate] = []
        try:
            until: float | None = None
            for cap in self._gates(tool, principal):
                if cap.has_room:
                    cap.enter()
                else:
                    until = await self._queue_at(cap, until)
                held.append(cap)
        except BaseException:  # refused or cancelled: what was got on the way goes to the next
            for cap in held:
                cap.hand_on()
            raise
        finally:
            self._waiting -= 1
            self._note_end()
        return Slot(self, tuple(held))

    def call(self, *, tool: str | None = None, principal: str | None = None) -> "_Entry":
        """`async with capacity.call(tool=..., principal=...)`: get a place, hold it, hand it on.

        Raises:
            Busy: On entering, as `wait_for_call` does.
        """
        return _Entry(self, tool, principal)

    def open_stream(self, *, principal: str | None = None) -> Slot:
        """A place for a stream that stays open (GET, `subscriptions/listen`). It takes no place of a call.

        Raises:
            Busy: There is none; nobody waits for a stream, since none ends soon. Or the connector is draining.
        """
        if self._closed is not None:
            raise self._draining()
        caps = (self._streams,) if principal is None else (self._of_listener(principal), self._streams)
        slot = self._enter(caps)
        if slot is None:
            raise self._busy(next(cap for cap in caps if not cap.has_room))
        return slot

    def close(self, reason: str = "") -> None:
        """Refuse whatever comes from now on. What runs goes on, and so does what already waits.

        `reason` completes "This connector ...", for the model and the person to read.
        """
        self._closed = reason

    @property
    def is_idle(self) -> bool:
        """Whether no call runs or waits. Streams do not count: they end only when somebody ends them."""
        return self._calls.taken == 0 and self._waiting == 0

    async def idle(self, within: float) -> bool:
        """Wait until all calls have ended, at most `within` seconds. Whether they have."""
        if self._ended is None or self._ended.is_set():
            self._ended = asyncio.Event()
        self._note_end()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._ended.wait()
        return self.is_idle

    def occupancy(self) -> Occupancy:
        """What is going on. May be called from any thread."""
        return Occupancy(
            calls=self._calls.taken,
            waiting=self._waiting,
            streams=self._streams.taken,
            principals=len(self._callers),
            shed=dict(self._shed),
        )

    def _gates(self, tool: str | None, principal: str | None) -> Iterator[Gate]:
        """The gates of a call, each looked up only when the one before was passed: a counter that nobody holds is
        gone, and whoever kept it would count apart from everybody else.
        """
        if principal is not None:
            yield self._of_principal(principal)
        if tool is not None and (of_tool := self._of_tool(tool)) is not None:
            yield of_tool
        yield self._calls

    def _of_principal(self, principal: str) -> Gate:
        known = self._callers.get(principal)
        return known or Gate(self._policy.per_principal, Scope.PRINCIPAL, self._callers, principal)

    def _of_tool(self, tool: str) -> Gate | None:
        most = self._policy.tools.get(tool, self._policy.per_tool)
        return None if most is None else self._tools.get(tool) or Gate(most, Scope.TOOL, self._tools, tool)

    def _of_listener(self, principal: str) -> Gate:
        known = self._listeners.get(principal)
        return known or Gate(self._policy.streams_per_principal, Scope.PRINCIPAL, self._listeners, principal)

    def _enter(self, caps: tuple[Gate, ...]) -> Slot | None:
        for cap in caps:
            if cap.taken >= cap.most:
                return None
        for cap in caps:
            cap.enter()
        return Slot(self, caps)

    async def _queue_at(self, cap: Gate, until: float | None) -> float:
        now = asyncio.get_running_loop().time()
        if until is None:
            pressed = cap.is_pressed(now, longer_than=self._policy.pressed_after)
            until = now + (min(self._policy.wait, self._policy.wait_when_pressed) if pressed else self._policy.wait)
        is_vain = cap.waiting >= self._policy.waiting or self._would_wait_in_vain(cap, until - now)
        if is_vain or not await cap.take(until=until):
            raise self._busy(cap)
        return until

    def _would_wait_in_vain(self, cap: Gate, left: float) -> bool:
        """Whether there is no time left, or by far too little for this queue. Who is refused sooner or later is refused
        now: it costs a fifth less under a load that is mostly refused, and those before it are served sooner.
        """
        return left <= 0 or (cap.mean_stay is not None and self._expected_wait(cap) > HOPELESS * left)

    def _note_end(self) -> None:
        if self._ended is not None and self.is_idle:
            self._ended.set()

    def _busy(self, cap: Gate) -> Busy:
        self._shed[cap.scope] += 1
        return Busy(retry_after=self._come_back(self._expected_wait(cap)), scope=cap.scope, most=cap.most)

    def _draining(self) -> Busy:
        self._shed[Scope.DRAINING] += 1
        return Busy(retry_after=self._come_back(self._policy.back_in), scope=Scope.DRAINING, reason=self._closed or "")

    def _expected_wait(self, cap: Gate) -> float:
        """Seconds until those who wait now are in: on average a place comes free every mean stay / most."""
        stay = cap.mean_stay or self._calls.mean_stay or UNKNOWN_STAY
        return stay * (cap.waiting + 1) / cap.most

    def _come_back(self, expected: float) -> float:
        """At least a second, and spread out: those who were refused together must not come back together."""
        least = min(max(1.0, expected), LONGEST_RETRY_AFTER)
        return least + self._jitter() * max(SPREAD, least / 2)


class _Entry:
    __slots__ = ("_capacity", "_principal", "_slot", "_tool")

    def __init__(self, capacity: Capacity, tool: str | None, principal: str | None) -> None:
        self._capacity = capacity
        self._tool = tool
        self._principal = principal

    async def __aenter__(self) -> Slot:
        slot = self._capacity.try_call(tool=self._tool, principal=self._principal)
        if slot is None:
            slot = await self._capacity.wait_for_call(tool=self._tool, principal=self._principal)
        self._slot = slot
        return slot

    async def __aexit__(self, *_: object) -> None:
        self._slot.release()
