"""What is drawn, as positions in percent of an axis: exchanges on a timeline, spans on a waterfall.

Pure geometry: knows neither markup nor colours. Numbers of marks are bounded, so that a stream of a hundred
thousand chunks draws as fast as one of ten.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from ..outcome import Chunk, Ending, Received, SessionRun, Span, StepRun
from .words import seconds

MOST_SPANS = 200
"""Spans drawn of one step: beyond that a waterfall is not read any more."""

FINEST = 0.2
"""Percent: two pixels of a bar a thousand pixels long. Closer marks are one mark."""

_COARSER = (FINEST, 0.5, 1.0, 2.0, 5.0)
_MOST_MARKS = 4_000  # of a page, at some 70 bytes each
_LEAST_GAP = 0.1  # of the exchange: a shorter silence cannot be told from the marks around it
_LEAST_LENGTH = 1e-4  # seconds: a shorter axis would need ticks that no clock of a replay can tell apart
_CUTS = (Ending.CUT_BY_CLIENT, Ending.BROKEN)
_KEY_ATTRIBUTES = ("error.", "mcp.method.", "gen_ai.", "rpc.", "http.", "ballast.", "exception.", "db.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened at one moment, at `x` percent."""

    x: float
    is_heartbeat: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Something that lasted, from `x` percent for `width` percent."""

    x: float
    width: float
    label: str = ""
    is_longest: bool = False

    @property
    def middle(self) -> float:
        """Where its label belongs, in percent."""
        return round(self.x + self.width / 2, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One exchange: waiting for the first byte, then receiving, with its arrivals and its silences."""

    start: float
    waiting: Stretch
    receiving: Stretch
    marks: tuple[Mark, ...]
    gaps: tuple[Stretch, ...]
    end: float
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A stretch of time from `start`, `length` seconds long, with ticks at round numbers of seconds after it."""

    start: float
    length: float

    def x(self, moment: float) -> float:
        """Where a moment is, in percent, kept within the axis."""
        return round(min(max((moment - self.start) / self.length * 100, 0.0), 100.0), 2)

    def stretch(self, start: float, end: float) -> Stretch:
        """What lasted from `start` to `end`."""
        x = self.x(start)
        return Stretch(x=x, width=round(max(self.x(end) - x, 0.0), 2))

    @property
    def ticks(self) -> tuple[Mark, ...]:
        """Two to five round moments, each with its label."""
        step = _round_step(self.length / 4)
        count = math.floor(self.length / step + 1e-9)
        return tuple(
            Mark(x=self.x(self.start + number * step), label=_whole(seconds(number * step)))
            for number in range(count + 1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One span of a waterfall, `depth` levels below its root."""

    span: Span
    depth: int
    bar: Stretch
    duration: str
    events: tuple[Mark, ...]
    key_attributes: tuple[tuple[str, str], ...]
    other_attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """The spans of one step, parents before children; `omitted` says how many are not drawn."""

    axis: Axis
    rows: tuple[Row, ...]
    omitted: int


def session_axis(session: SessionRun) -> Axis:
    """The one axis of all of the session's exchanges."""
    played = [(step.started, step.started + step.received.duration) for step in session.steps if step.received]
    start = min((begin for begin, _ in played), default=0.0)
    return _axis(start, max((end for _, end in played), default=start))


def step_axis(step: StepRun) -> Axis:
    """An axis of the exchange's own, for what is too short to be seen on the session's."""
    return _axis(step.started, step.started + (step.received.duration if step.received else 0.0))


def bar(step: StepRun, axis: Axis, resolution: float = FINEST) -> Bar | None:
    """The step's exchange on the axis; None if nothing was sent. Marks closer than `resolution` percent are one."""
    received = step.received
    if received is None:
        return None
    end = step.started + received.duration
    turn = end if received.first_byte is None else step.started + received.first_byte
    return Bar(
        start=axis.x(step.started),
        waiting=axis.stretch(step.started, turn),
        receiving=axis.stretch(turn, end),
        marks=tuple(_marks(step.started, received.chunks, axis, resolution)),
        gaps=tuple(_gaps(step.started, received, axis)),
        end=axis.x(end),
        is_cut=received.ending is not Ending.COMPLETE,
    )


def waterfall(spans: tuple[Span, ...]) -> Waterfall | None:
    """The spans as a tree over time; None if there are none."""
    if not spans:
        return None
    begin = min(span.started_ns for span in spans)
    axis = _axis(0.0, (max(span.ended_ns for span in spans) - begin) / 1e9)
    tree = list(_tree(spans))
    rows = tuple(_row(span, depth, axis, begin) for span, depth in tree[:MOST_SPANS])
    return Waterfall(axis=axis, rows=rows, omitted=len(tree) - len(rows))


def _axis(start: float, end: float) -> Axis:
    return Axis(start=start, length=max(end - start, _LEAST_LENGTH))


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, ... times a power of ten that is not below `least`."""
    magnitude = 10.0 ** math.floor(math.log10(least))
    return next(step * magnitude for step in (1, 2, 5, 10) if step * magnitude >= least * (1 - 1e-9))


def _whole(duration: str) -> str:
    """A tick is a round number: 5 s rather than 5.00 s."""
    return re.sub(r"\.0+ ", " ", duration)


def resolution(steps: Iterable[StepRun]) -> float:
    """The finest resolution, in percent, at which all these steps together have few enough marks for a page."""
    spans = [(step.received.chunks, step.received.duration) for step in steps if step.received]
    for width in _COARSER:
        if sum(len(_places(chunks, duration, width)) for chunks, duration in spans) <= _MOST_MARKS:
            return width
    return _COARSER[-1]


def _places(chunks: Iterable[Chunk], duration: float, width: float) -> set[tuple[int, bool]]:
    return {(round(chunk.at / max(duration, _LEAST_LENGTH) * 100 / width), chunk.is_heartbeat) for chunk in chunks}


def _marks(started: float, chunks: Iterable[Chunk], axis: Axis, width: float) -> Iterator[Mark]:
    drawn: set[tuple[int, bool]] = set()
    for chunk in chunks:
        x = axis.x(started + chunk.at)
        place = (round(x / width), chunk.is_heartbeat)
        if place not in drawn:
            drawn.add(place)
            yield Mark(x=x, is_heartbeat=chunk.is_heartbeat)


def _gaps(started: float, received: Received, axis: Axis) -> Iterator[Stretch]:
    """The silences worth drawing: at most ten, because each is over a tenth of the exchange.

    Of a whole reply that came in one piece there is nothing to tell but the wait for it, which is drawn as such.
    """
    if len(received.chunks) <= 1 and received.ending is Ending.COMPLETE:
        return
    longest = max(after - before for before, after in pairwise(_moments(received)))
    for before, after in pairwise(_moments(received)):
        is_longest = after - before == longest
        if (before or is_longest) and after - before > received.duration * _LEAST_GAP:
            stretch = axis.stretch(started + before, started + after)
            label = _silence(after - before, before, after, received)
            yield replace(stretch, label=label, is_longest=is_longest)


def _moments(received: Received) -> Iterator[float]:
    """When something happened: sent, every arrival, the end."""
    yield 0.0
    if received.first_byte is not None and not received.chunks:
        yield received.first_byte
    yield from (chunk.at for chunk in received.chunks)
    yield received.duration


def _silence(length: float, before: float, after: float, received: Received) -> str:
    if received.first_byte is None:
        return f"{seconds(length)} without a byte"
    if not before:
        return f"{seconds(length)} to the first byte"
    until = f" until it was {received.ending}" if after == received.duration and received.ending in _CUTS else ""
    return f"{seconds(length)} of silence{until}"


def _tree(spans: tuple[Span, ...]) -> Iterator[tuple[Span, int]]:
    """Parents before children, by start. What has no parent here, or is its own ancestor, is a root."""
    children: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda span: (span.started_ns, -span.ended_ns)):
        children.setdefault(span.parent_id, []).append(span)
    known = {span.span_id for span in spans}
    seen: set[int] = set()
    roots = [span for span in spans if span.parent_id not in known]
    for root in [*sorted(roots, key=lambda span: span.started_ns), *spans]:
        pending = [(root, 0)]
        while pending:
            span, depth = pending.pop()
            if id(span) not in seen:
                seen.add(id(span))
                yield span, depth
                pending += [(child, depth + 1) for child in reversed(children.get(span.span_id, ()))]


def _row(span: Span, depth: int, axis: Axis, begin: int) -> Row:
    start, end = (span.started_ns - begin) / 1e9, (span.ended_ns - begin) / 1e9
    return Row(
        span=span,
        depth=depth,
        bar=axis.stretch(start, end),
        duration=seconds(max(end - start, 0.0)),
        events=tuple(Mark(x=axis.x((at - begin) / 1e9), label=name) for name, at in span.events),
        key_attributes=tuple(pair for pair in span.attributes if pair[0].startswith(_KEY_ATTRIBUTES)),
        other_attributes=tuple(pair for pair in span.attributes if not pair[0].startswith(_KEY_ATTRIBUTES)),
    )
