"""The metrics of a connector. Uses OpenTelemetry's API only: without a provider nothing is kept and nothing is sent.

What somebody counts anyway (calls in flight, open streams, shed calls) is not counted a second time: it is read when
an exporter asks, so the way of a request pays nothing for it. Only durations are recorded as they happen. Labels must
be few: pass declared tool names, known methods and enumerations, never what a caller invented.
"""

import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, MeterProvider, Observation

BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds, as the conventions for MCP state them for `mcp.server.operation.duration`."""

OPERATION_DURATION: Final = "mcp.server.operation.duration"
LOOP_BLOCKED: Final = "ballast.loop.blocked"

Count = Callable[[], float | Mapping[str, float]]
"""Reads a number, or numbers by label. It is called in the exporter's thread, and must neither block nor raise."""


class Watched(Enum):
    """What is read when an exporter asks. The value is the metric's name."""

    CALLS_IN_FLIGHT = "ballast.calls.in_flight"
    CALLS_WAITING = "ballast.calls.waiting"
    CALLS_SHED = "ballast.calls.shed"
    STREAMS_OPEN = "ballast.streams.open"
    STREAMS_BROKEN = "ballast.streams.broken"
    BREAKER_STATE = "ballast.breaker.state"
    HEARTBEATS = "ballast.heartbeats"
    GUARDED = "ballast.guard.calls"
    NOTICED = "ballast.oauth.noticed"


class _Kind(Enum):
    TOTAL = "only grows"
    LEVEL = "goes up and down, and adds up over connectors"
    WORST = "goes up and down, and the highest counts"


@dataclass(frozen=True, slots=True)
class _Row:
    kind: _Kind
    unit: str
    label: str
    meaning: str


_ROWS: Final[Mapping[Watched, _Row]] = {
    Watched.CALLS_IN_FLIGHT: _Row(_Kind.LEVEL, "{call}", "", "Calls that hold a place"),
    Watched.CALLS_WAITING: _Row(_Kind.LEVEL, "{call}", "", "Calls that wait for a place"),
    Watched.CALLS_SHED: _Row(_Kind.TOTAL, "{call}", "ballast.scope", "Calls and streams refused, by what was full"),
    Watched.STREAMS_OPEN: _Row(_Kind.LEVEL, "{stream}", "", "Streams that stay open (GET, subscriptions/listen)"),
    Watched.STREAMS_BROKEN: _Row(_Kind.TOTAL, "{stream}", "ballast.surface", "Streamed answers cut before their end"),
    Watched.BREAKER_STATE: _Row(_Kind.WORST, "1", "ballast.surface", "0 streams, 1 tries again, 2 does not stream"),
    Watched.HEARTBEATS: _Row(_Kind.TOTAL, "{heartbeat}", "", "Heartbeats written to quiet replies"),
    Watched.GUARDED: _Row(
        _Kind.TOTAL, "{call}", "ballast.guard.outcome", "Calls that write, by how they were answered"
    ),
    Watched.NOTICED: _Row(_Kind.TOTAL, "{sighting}", "ballast.oauth.kind", "Unknown things in OAuth, by what they are"),
}


class Meters:
    """One connector's metrics. Several connectors in one process share the instruments, and their numbers add up.

    `provider`: where they go; None is the global provider, also one that is installed later.
    """

    def __init__(self, provider: MeterProvider | None = None) -> None:
        self._counts: dict[Watched, Count] = {}
        self._shared = _shared(provider)
        self._shared.join(self)

    def watch(self, what: Watched, count: Count) -> None:
        """Read `what` from `count` from now on, instead of what was read before."""
        self._counts[what] = count

    def operation(
        self,
        seconds: float,
        *,
        method: str,
        version: str,
        tool: str | None = None,
        prompt: str | None = None,
        error: str | None = None,
        transport: str = "tcp",
    ) -> None:
        """A request was served in `seconds`. `error` is what the span says in `error.type`, None for success."""
        attributes = _operation(
            method=method, version=version, tool=tool, prompt=prompt, error=error, transport=transport
        )
        self._shared.duration.record(seconds, attributes)

    def blocked(self, seconds: float, tool: str | None) -> None:
        """The event loop stood still for `seconds`. From any thread."""
        self._shared.blocked.record(seconds, {} if tool is None else {TOOL: tool})

    def read(self, what: Watched) -> Mapping[str, float]:
        """The numbers by label; a number without one stands under the empty label."""
        count = self._counts.get(what)
        if count is None:
            return {}
        numbers = count()
        return numbers if isinstance(numbers, Mapping) else {"": numbers}


METHOD: Final = "mcp.method.name"
VERSION: Final = "mcp.protocol.version"
TOOL: Final = "gen_ai.tool.name"
PROMPT: Final = "gen_ai.prompt.name"
OPERATION: Final = "gen_ai.operation.name"
ERROR_TYPE: Final = "error.type"
TRANSPORT: Final = "network.transport"


@lru_cache(maxsize=1024)
def _operation(
    *, method: str, version: str, tool: str | None, prompt: str | None, error: str | None, transport: str
) -> Mapping[str, str]:
    """The attributes of one kind of outcome, made once. No request and no session: they would make every call its own
    series.
    """
    said = {METHOD: method, VERSION: version, TOOL: tool, PROMPT: prompt, ERROR_TYPE: error, TRANSPORT: transport}
    if method == "tools/call":
        said[OPERATION] = "execute_tool"
    return {name: value for name, value in said.items() if value is not None}


class _Shared:
    """The instruments of one provider. The SDK keeps only the callbacks of the first instrument of a name, so a second
    connector that made its own would never be read.
    """

    def __init__(self, meter: Meter) -> None:
        self._lock = threading.Lock()
        self._members: weakref.WeakSet[Meters] = weakref.WeakSet()
        self.duration: Histogram = meter.create_histogram(
            OPERATION_DURATION, "s", "How long a request was served", explicit_bucket_boundaries_advisory=BUCKETS
        )
        self.blocked: Histogram = meter.create_histogram(
            LOOP_BLOCKED, "s", "How long the event loop stood still", explicit_bucket_boundaries_advisory=BUCKETS
        )
        for what, row in _ROWS.items():
            _CREATE[row.kind](meter, what, row, self._reader(what))

    def join(self, member: Meters) -> None:
        with self._lock:
            self._members.add(member)

    def _reader(self, what: Watched) -> Callable[[CallbackOptions], Iterable[Observation]]:
        row = _ROWS[what]

        def read(_: CallbackOptions) -> list[Observation]:
            with self._lock:
                members = list(self._members)
            numbers = _together([member.read(what) for member in members], row.kind)
            return [Observation(number, {row.label: label} if row.label else {}) for label, number in numbers.items()]

        return read


_CREATE: Final[Mapping[_Kind, Callable[[Meter, Watched, _Row, Callable[..., Iterable[Observation]]], object]]] = {
    _Kind.TOTAL: lambda meter, what, row, read: meter.create_observable_counter(
        what.value, [read], row.unit, row.meaning
    ),
    _Kind.LEVEL: lambda meter, what, row, read: meter.create_observable_up_down_counter(
        what.value, [read], row.unit, row.meaning
    ),
    _Kind.WORST: lambda meter, what, row, read: meter.create_observable_gauge(
        what.value, [read], row.unit, row.meaning
    ),
}


def _together(readings: list[Mapping[str, float]], kind: _Kind) -> Mapping[str, float]:
    labels = {label for reading in readings for label in reading}
    combine = max if kind is _Kind.WORST else sum
    return {label: combine([reading[label] for reading in readings if label in reading]) for label in labels}


@lru_cache(maxsize=8)
def _shared(provider: MeterProvider | None) -> _Shared:
    return _Shared(metrics.get_meter("mcp-ballast", meter_provider=provider))
