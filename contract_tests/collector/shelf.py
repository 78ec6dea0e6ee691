"""Where received spans are kept: by trace, bounded, safe from any thread.

Decides which spans give way when there are too many. Knows nothing of exports or of who is waiting.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..outcome import Span


class Shelf:
    """Spans by trace, at most `most` in all, and whoever wants to hear of new ones. Safe from any thread."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._count = 0
        self._traces: dict[str, list[Span]] = {}
        self._listeners: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def add(self, spans: tuple[Span, ...]) -> None:
        """Keep the spans, at the expense of the oldest trace, or of a single trace's oldest spans."""
        with self._lock:
            for span in spans:
                self._traces.setdefault(span.trace_id, []).append(span)
            self._count += len(spans)
            while self._count > self._most:
                self._drop(self._count - self._most)
            for tell in self._listeners:
                tell()

    def every(self) -> tuple[Span, ...]:
        """Every span kept, trace by trace."""
        with self._lock:
            return tuple(span for spans in self._traces.values() for span in spans)

    def of(self, trace_id: str) -> tuple[Span, ...]:
        """The spans kept of one trace."""
        with self._lock:
            return tuple(self._traces.get(trace_id, ()))

    @contextmanager
    def telling(self, listener: Callable[[], object]) -> Iterator[None]:
        """Call `listener`, from the thread that adds, whenever spans were added."""
        with self._lock:
            self._listeners.append(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(listener)

    def _drop(self, surplus: int) -> None:
        trace_id, spans = next(iter(self._traces.items()))
        gone = min(surplus, len(spans))
        self._count -= gone
        del spans[:gone]
        if not spans:
            del self._traces[trace_id]
