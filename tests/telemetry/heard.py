"""A receiver of OTLP over HTTP that keeps all three signals as they arrived."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeVar

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_KINDS: Mapping[str, Any] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}

_Found = TypeVar("_Found")


class Heard:
    """`with Heard() as heard`: what arrives at `heard.endpoint`."""

    def __init__(self) -> None:
        self._got: list[Any] = []
        got = self._got

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                plain = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
                got.append(_KINDS[self.path].FromString(plain))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        """The base URL for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def metrics(self) -> Iterator[Metric]:
        """Every metric of every export."""
        for export in tuple(self._got):
            for resource in getattr(export, "resource_metrics", ()):
                for scope in resource.scope_metrics:
                    yield from scope.metrics

    def points(self, name: str) -> list[Any]:
        """All points of a metric."""
        return [point for metric in self.metrics() if metric.name == name for point in points_of(metric)]

    def numbers(self, name: str) -> dict[str, float]:
        """The newest number of each series, under the values of its labels."""
        return {
            ",".join(labels_of(point).values()): point.as_double or float(point.as_int) for point in self.points(name)
        }

    def spans(self) -> list[Span]:
        """Every span."""
        return [
            span
            for export in tuple(self._got)
            for resource in getattr(export, "resource_spans", ())
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def logs(self) -> list[LogRecord]:
        """Every log record."""
        return [
            record
            for export in tuple(self._got)
            for resource in getattr(export, "resource_logs", ())
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def points_of(metric: Metric) -> list[Any]:
    """The points of a metric, whatever its kind."""
    return list(getattr(metric, metric.WhichOneof("data") or "gauge").data_points)


def labels_of(point: Any) -> dict[str, str]:
    """A point's labels."""
    return _texts(point.attributes)


def attributes_of(thing: Any) -> dict[str, str]:
    """The attributes of a span, an event, a link or a log record."""
    return _texts(thing.attributes)


def _texts(pairs: list[KeyValue]) -> dict[str, str]:
    return {pair.key: str(getattr(pair.value, pair.value.WhichOneof("value") or "string_value")) for pair in pairs}


def until(look: Callable[[], _Found], *, within: float = 20.0) -> _Found:
    """What `look` finds, as soon as that is something; the last it found when `within` seconds are over."""
    ends = time.monotonic() + within
    while not (found := look()) and time.monotonic() < ends:
        time.sleep(0.02)
    return found
