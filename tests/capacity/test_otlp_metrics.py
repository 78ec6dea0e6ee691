"""The metrics as they arrive at a real OTLP/HTTP receiver."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from connector.telemetry.meters import Meters
from connector.telemetry.watched import Watched


@contextmanager
def _receiver() -> Iterator[tuple[str, list[ExportMetricsServiceRequest]]]:
    got: list[ExportMetricsServiceRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(ExportMetricsServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_metrics_arrive_by_otlp() -> None:
    """OpenTelemetry, OTLP over HTTP: what a collector is sent when the provider is flushed."""
    with _receiver() as (url, got):
        exporter = OTLPMetricExporter(endpoint=f"{url}/v1/metrics", compression=None)
        provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)])
        meters = Meters(provider)
        meters.watch(Watched.CALLS_IN_FLIGHT, lambda: 4)
        meters.watch(Watched.CALLS_SHED, lambda: {"global": 2})
        meters.operation(0.1, method="tools/call", version="2026-07-28", tool="echo")
        provider.force_flush()
        provider.shutdown()

    metrics = {
        metric.name: metric
        for resource in got[0].resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert set(metrics) == {"ballast.calls.in_flight", "ballast.calls.shed", "mcp.server.operation.duration"}
    in_flight, shed = metrics["ballast.calls.in_flight"].sum, metrics["ballast.calls.shed"].sum
    assert (in_flight.is_monotonic, in_flight.data_points[0].as_int) == (False, 4)
    assert (shed.is_monotonic, shed.data_points[0].as_int) == (True, 2)
    assert [(each.key, each.value.string_value) for each in shed.data_points[0].attributes] == [
        ("ballast.scope", "global")
    ]
    assert metrics["mcp.server.operation.duration"].unit == "s"
