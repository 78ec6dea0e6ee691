"""Whether answers to one client surface may still go out as streams. Pure: what happened and `now` in, a permit out.

    closed ──`broken` of the last `of_last` streams were cut within `window`──► open
    open ──`pause` is over──► half-open: one probe at a time, everything else goes unstreamed
    half-open ──the probe was delivered──► closed
    half-open ──the probe was cut──► open, for twice as long, at most `longest_pause`

It decides nothing about a client that reads only one kind of reply, and knows no clock and no loop. A stream that the
client ends at its own time limit is no broken stream (`surface.CALL_LIMITS`), nor is one that the server itself ended:
do not report those of a shutdown.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from ...settings import AdaptiveSettings
from ..request.surface import Surface, is_own_limit


class Reply(Enum):
    """How an answer may go out."""

    STREAM = "stream"
    PLAIN = "plain"
    PROBE = "probe"


class State(Enum):
    """What a breaker is in. `level` is what metrics show: the higher, the less is streamed."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"

    @property
    def level(self) -> int:
        """0 for closed, 1 for half-open, 2 for open."""
        return _LEVELS[self]


_LEVELS: Final[Mapping[State, int]] = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


@dataclass(frozen=True, slots=True)
class Permit:
    """How one answer may go out. It is handed back when that answer has ended, so that a probe is known by its
    number.
    """

    surface: Surface
    reply: Reply
    probe: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one surface's breaker is in and has seen since the start. `pause` is in seconds, 0 while closed.

    `cut_at_limit`: streams that the client ended at its own limit. The two `plain_*` tell whether unstreamed answers
    arrive where streams do not.
    """

    state: State
    pause: float
    delivered: int
    broken: int
    cut_at_limit: int
    plain_delivered: int
    plain_broken: int


@dataclass(slots=True)
class _Circuit:
    """One surface. `resumes_at` is None while closed; `probe_since` is None while no probe is out."""

    recent: deque[tuple[float, bool]]
    resumes_at: float | None = None
    closed_at: float = -math.inf
    pause: float = 0.0
    probe: int = 0
    probe_since: float | None = None
    streams: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    plain: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    cut_at_limit: int = 0

    def state(self, now: float) -> State:
        if self.resumes_at is None:
            return State.CLOSED
        return State.OPEN if now < self.resumes_at else State.HALF_OPEN


class Breaker:
    """The breakers of all surfaces; none knows of another. `now` is monotonic seconds and never goes back.

    Everything is O(`of_last`) in time and, as surfaces are an enumeration, constant in memory.
    """

    def __init__(self, settings: AdaptiveSettings | None = None) -> None:
        self._settings = settings or AdaptiveSettings()
        self._circuits = {surface: _Circuit(deque(maxlen=self._settings.of_last)) for surface in Surface}

    def may_stream(self, surface: Surface, now: float) -> Permit:
        """How the next answer to `surface` may go out, if it comes to that. Give the permit back at the answer's end.

        A probe that is never given back is taken for lost after `probe_patience`; then another one may go.
        """
        circuit = self._circuits[surface]
        if circuit.resumes_at is None:
            return _STREAM[surface]
        if now < circuit.resumes_at or self._has_probe_out(circuit, now):
            return _PLAIN[surface]
        circuit.probe += 1
        circuit.probe_since = now
        return Permit(surface, Reply.PROBE, circuit.probe)

    def stream_ended(self, permit: Permit, *, delivered: bool, lasted: float, now: float) -> State | None:
        """An answer went out as a stream and ended after `lasted` seconds, counted from the request.

        `delivered`: its last byte was handed over before the client, or something on the way, closed the connection.
        Gives the state that the surface has turned to, None if it stayed as it was.
        """
        circuit = self._circuits[permit.surface]
        is_probe = self._take_back(circuit, permit)
        if not delivered and is_own_limit(permit.surface, lasted, tolerance=self._settings.limit_tolerance):
            circuit.cut_at_limit += 1
            return None
        circuit.streams[delivered] += 1
        if is_probe:
            return self._judge_probe(circuit, now, delivered=delivered)
        if circuit.resumes_at is None:
            return self._note(circuit, now, delivered=delivered)
        return None  # began before the breaker opened: nothing new

    def answer_ended(self, permit: Permit, *, delivered: bool) -> None:
        """An answer went out unstreamed: at once, or as JSON kept warm. A probe that was not needed is free again."""
        circuit = self._circuits[permit.surface]
        self._take_back(circuit, permit)
        circuit.plain[delivered] += 1

    def withholds(self, surface: Surface) -> bool:
        """Whether streams to `surface` are withheld, and a probe since then was cut too."""
        circuit = self._circuits[surface]
        return circuit.resumes_at is not None and circuit.pause > self._settings.pause

    def snapshot(self, now: float) -> Mapping[Surface, Snapshot]:
        """All surfaces as they are. May be called from any thread."""
        return {surface: _picture(circuit, now) for surface, circuit in self._circuits.items()}

    def _has_probe_out(self, circuit: _Circuit, now: float) -> bool:
        return circuit.probe_since is not None and now - circuit.probe_since < self._settings.probe_patience

    def _take_back(self, circuit: _Circuit, permit: Permit) -> bool:
        """Whether this is the probe that is out. One that was given up for lost has no say any longer, or two could
        decide at once.
        """
        if permit.reply is not Reply.PROBE or permit.probe != circuit.probe or circuit.probe_since is None:
            return False
        circuit.probe_since = None
        return True

    def _judge_probe(self, circuit: _Circuit, now: float, *, delivered: bool) -> State:
        if not delivered:
            return self._open(circuit, now, min(circuit.pause * 2, self._settings.longest_pause))
        circuit.resumes_at, circuit.closed_at = None, now
        circuit.recent.clear()
        return State.CLOSED

    def _note(self, circuit: _Circuit, now: float, *, delivered: bool) -> State | None:
        policy = self._settings
        circuit.recent.append((now, delivered))
        broken = sum(not held for when, held in circuit.recent if now - when <= policy.window)
        if broken < policy.broken:
            return None
        relapsed = now - circuit.closed_at <= policy.window  # a probe held, and the streams after it did not
        again = min(circuit.pause * 2, policy.longest_pause)
        return self._open(circuit, now, again if relapsed else policy.pause)

    def _open(self, circuit: _Circuit, now: float, pause: float) -> State:
        circuit.resumes_at, circuit.pause = now + pause, pause
        return State.OPEN


_STREAM: Final[Mapping[Surface, Permit]] = {surface: Permit(surface, Reply.STREAM) for surface in Surface}
_PLAIN: Final[Mapping[Surface, Permit]] = {surface: Permit(surface, Reply.PLAIN) for surface in Surface}


def _picture(circuit: _Circuit, now: float) -> Snapshot:
    state = circuit.state(now)
    return Snapshot(
        state=state,
        pause=0.0 if state is State.CLOSED else circuit.pause,
        delivered=circuit.streams[True],
        broken=circuit.streams[False],
        cut_at_limit=circuit.cut_at_limit,
        plain_delivered=circuit.plain[True],
        plain_broken=circuit.plain[False],
    )
