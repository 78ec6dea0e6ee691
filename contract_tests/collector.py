"""An OTLP/HTTP trace receiver on a loopback port, for the spans a target exports while it is tested."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from .outcome import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the collector answers an export."""

    status: int = 200
    retry_after: int | None = None
    rejected_spans: int = 0
    hang: float = 0.0


class Collector:
    """Receives traces on a loopback port. A context manager, sync and async alike."""

    def __init__(self, *, port: int = 0, answer: Answer | None = None) -> None:
        self.answer = answer or Answer()
        self._port = port

    @property
    def endpoint(self) -> str:
        """The base URL for OTEL_EXPORTER_OTLP_ENDPOINT, e.g. http://127.0.0.1:4318."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Begin to serve; returns when exports are accepted."""

    def stop(self) -> None:
        """End serving; open exports are cut."""

    def spans(self) -> tuple[Span, ...]:
        """Every span received, oldest first."""
        return ()

    def spans_of(self, trace_id: str) -> tuple[Span, ...]:
        """The spans of one trace (32 hexadecimal digits), oldest first."""
        return tuple(span for span in self.spans() if span.trace_id == trace_id)

    async def wait_for(self, trace_id: str, count: int = 1, *, within: float = 2.0) -> tuple[Span, ...]:
        """The spans of a trace once there are `count`, or what there is after `within` seconds."""
        return self.spans_of(trace_id)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
