"""What is done when streams to one kind of client break far more often than usual: it is said once, in every way.

Acts on what `spikes` decides: a log line, an OpenTelemetry event, two metrics, and whoever asked to be told.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from time import monotonic, time_ns
from typing import Final

from opentelemetry._logs import LogRecord, SeverityNumber, get_logger

from .spikes import Spike, Spikes

logger = logging.getLogger("ballast.streams")

EVENT: Final = "ballast.streams.spike"

Listener = Callable[[Spike], object]


class Alarms:
    """Watches how streams end. Safe from any thread."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._spikes = Spikes()
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._listeners: list[Listener] = []

    def when_spiking(self, tell: Listener) -> None:
        """Have `tell` called with each alarm, in the thread in which the stream ended; it must not block. What it
        raises is logged.
        """
        self._listeners.append(tell)

    def stream_ended(self, label: str, *, delivered: bool) -> None:
        """A streamed answer to a client of this kind ended; `label` is one of few."""
        with self._lock:
            spike = self._spikes.note(label, broken=not delivered, delivered=delivered, now=self._clock())
            if spike is not None:
                self._counts[label] += 1
        if spike is not None:
            self._say(spike)

    def counts(self) -> dict[str, float]:
        """How many alarms there were, by label."""
        with self._lock:
            return dict(self._counts)

    def spiking(self) -> dict[str, float]:
        """1 for each label that spikes now, 0 for the others that were seen."""
        with self._lock:
            return {label: float(spikes) for label, spikes in self._spikes.spiking(self._clock()).items()}

    def _say(self, spike: Spike) -> None:
        said = (
            f"Streams to {spike.label} break {spike.times:.0f} times as often as usual: {spike.broken} of "
            f"{spike.ended} in the last {spike.seconds:.0f} s, where {spike.usual:.1%} is usual. If nothing was "
            "deployed here, look at what lies between, and at the platform's status"
        )
        logger.warning("%s", said, extra={"ballast_event": EVENT})
        _emit(spike, said)
        for tell in self._listeners:
            try:
                tell(spike)
            except Exception:
                logger.exception("Whoever is to be told of alarms failed")


def _emit(spike: Spike, said: str) -> None:
    get_logger("mcp-ballast").emit(
        LogRecord(
            timestamp=time_ns(),
            severity_number=SeverityNumber.WARN,
            severity_text="WARN",
            body=said,
            event_name=EVENT,
            attributes={
                "ballast.surface": spike.label,
                "ballast.streams.broken": spike.broken,
                "ballast.streams.ended": spike.ended,
                "ballast.streams.usual_share": spike.usual,
            },
        )
    )
