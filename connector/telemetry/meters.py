"""The metrics of a connector. Uses OpenTelemetry's API only: without a provider nothing is kept and nothing is sent.

What somebody counts anyway (calls in flight, open streams, shed calls) is not counted a second time: it is read when
an exporter asks, so the way of a request pays nothing for it. Only durations are recorded as they happen. Labels must
be few: pass declared tool names, known methods and enumerations, never what a caller invented.
"""

import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, MeterProvider, Observation

from .alarms import Alarms
from .watched import ROWS, Kind, Row, Watched

BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds, as the conventions for MCP state them for `mcp.server.operation.duration`."""

OPERATION_DURATION: Final = "mcp.server.operation.duration"
SESSION_DURATION: Final = "mcp.server.session.duration"
LOOP_BLOCKED: Final = "ballast.loop.blocked"
QUEUED: Final = "ballast.calls.queued"
STORE_DURATION: Final = "ballast.store.duration"

QUICK: Final = (0.001, 0.002, 0.005, *BUCKETS[:9])
"""Seconds, for what should take milliseconds: a store's answer."""

DURATIONS: Final = {
    OPERATION_DURATION: ("How long a request was served", BUCKETS),
    SESSION_DURATION: ("How long a session lasted, from its handshake to its end", BUCKETS),
    LOOP_BLOCKED: ("How long the event loop stood still", BUCKETS),
    QUEUED: ("How long a call waited for a place, or was refused after it", BUCKETS),
    STORE_DURATION: ("How long the store took to answer", QUICK),
}
"""What is recorded as it happens, each as a histogram in seconds."""

Count = Callable[[], float | Mapping[str, float]]
"""Reads a number, or numbers by label. It is called in the exporter's thread, and must neither block nor raise."""


class Meters:
    """One connector's metrics. Several connectors in one process share the instruments, and their numbers add up.

    `provider`: where they go; None is the global provider, also one that is installed later.
    """

    def __init__(self, provider: MeterProvider | None = None) -> None:
        self._counts: dict[Watched, Count] = {}
        self.alarms = Alarms()
        self.watch(Watched.SPIKES, self.alarms.counts)
        self.watch(Watched.SPIKING, self.alarms.spiking)
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
        within: Context | None = None,
    ) -> None:
        """A request was served in `seconds`. `error` is what the span says in `error.type`, None for success. `within`
        holds the request's span, so that the figure leads to its trace (an exemplar).
        """
        attributes = _operation(
            method=method, version=version, tool=tool, prompt=prompt, error=error, transport=transport
        )
        self._shared.durations[OPERATION_DURATION].record(seconds, attributes, within)

    def session(self, seconds: float, *, version: str | None) -> None:
        """A session ended after `seconds`. `version` is a known revision, None if nobody said one."""
        said = {VERSION: version, TRANSPORT: "tcp"}
        attributes = {name: value for name, value in said.items() if value is not None}
        self._shared.durations[SESSION_DURATION].record(seconds, attributes)

    def blocked(self, seconds: float, tool: str | None) -> None:
        """The event loop stood still for `seconds`. From any thread."""
        self._shared.durations[LOOP_BLOCKED].record(seconds, {} if tool is None else {TOOL: tool})

    def queued(self, seconds: float) -> None:
        """A call waited `seconds` for a place."""
        self._shared.durations[QUEUED].record(seconds)

    def stored(self, seconds: float, operation: str) -> None:
        """The store took `seconds` for `operation`, which is one of the port's methods."""
        self._shared.durations[STORE_DURATION].record(seconds, {"ballast.store.operation": operation})

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
        self.durations: Mapping[str, Histogram] = {
            name: meter.create_histogram(name, "s", meaning, explicit_bucket_boundaries_advisory=buckets)
            for name, (meaning, buckets) in DURATIONS.items()
        }
        for what, row in ROWS.items():
            _CREATE[row.kind](meter, what, row, self._reader(what))

    def join(self, member: Meters) -> None:
        with self._lock:
            self._members.add(member)

    def _reader(self, what: Watched) -> Callable[[CallbackOptions], Iterable[Observation]]:
        row = ROWS[what]

        def read(_: CallbackOptions) -> list[Observation]:
            with self._lock:
                members = list(self._members)
            numbers = _together([member.read(what) for member in members], row.kind)
            return [Observation(number, {row.label: label} if row.label else {}) for label, number in numbers.items()]

        return read


def _counter(meter: Meter, what: Watched, row: Row, read: Callable[..., Iterable[Observation]]) -> object:
    return meter.create_observable_counter(what.value, [read], row.unit, row.meaning)


def _level(meter: Meter, what: Watched, row: Row, read: Callable[..., Iterable[Observation]]) -> object:
    return meter.create_observable_up_down_counter(what.value, [read], row.unit, row.meaning)


def _gauge(meter: Meter, what: Watched, row: Row, read: Callable[..., Iterable[Observation]]) -> object:
    return meter.create_observable_gauge(what.value, [read], row.unit, row.meaning)


_CREATE: Final[Mapping[Kind, Callable[[Meter, Watched, Row, Callable[..., Iterable[Observation]]], object]]] = {
    Kind.TOTAL: _counter,
    Kind.TOTAL_OF_PROCESS: _counter,
    Kind.LEVEL: _level,
    Kind.WORST: _gauge,
}


def _together(readings: list[Mapping[str, float]], kind: Kind) -> Mapping[str, float]:
    labels = {label for reading in readings for label in reading}
    combine = sum if kind in {Kind.TOTAL, Kind.LEVEL} else max
    return {label: combine([reading[label] for reading in readings if label in reading]) for label in labels}


@lru_cache(maxsize=8)
def _shared(provider: MeterProvider | None) -> _Shared:
    return _Shared(metrics.get_meter("mcp-ballast", meter_provider=provider))
