"""Export of traces, metrics and logs where OpenTelemetry's own variables say so; nothing else to configure.

A provider that the application installed is left alone. Exporting happens in threads of its own with bounded queues, so
a collector that is slow, full or gone costs a call nothing; what does not fit is dropped.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from threading import Thread
from time import monotonic
from typing import Any, Final

from opentelemetry import _logs, metrics, trace
from opentelemetry._logs._internal import ProxyLoggerProvider  # the API exports no name for it
from opentelemetry.metrics._internal import _ProxyMeterProvider  # the API exports no name for it
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from .logs import Exported

FLUSH_WITHIN: Final = 3.0
"""Seconds that shutdown waits for the last spans, metrics and logs. The SDK alone blocks 7.6 s at a closed port and
10 s at a black hole, for each of them.
"""

Flush = Callable[[int], Any]
"""Sends what is left, within so many milliseconds."""


def wants_export(environ: Mapping[str, str], signal: str = "TRACES") -> bool:
    """Whether the standard variables ask for OTLP of `signal` (OpenTelemetry, "General SDK Configuration")."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = {name.strip() for name in environ.get(f"OTEL_{signal}_EXPORTER", "").split(",") if name.strip()}
    if exporters:
        return "otlp" in exporters
    return any(environ.get(name) for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"))


def export_from_environment(*, service: str, version: str) -> list[Flush]:
    """Install providers that export by OTLP over HTTP, where the environment asks for it and none is installed yet.

    Gives what has to be flushed at the end. No provider flushes at exit by itself, where nothing bounds it.
    """
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: service}
    resource = Resource.create({**named, SERVICE_VERSION: version})
    return [*_traces(resource), *_metrics(resource), *_logging(resource)]


def _traces(resource: Resource) -> list[Flush]:
    if not wants_export(os.environ) or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return []
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # costs 60 ms

    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return [provider.force_flush]


def _metrics(resource: Resource) -> list[Flush]:
    if not wants_export(os.environ, "METRICS") or not isinstance(metrics.get_meter_provider(), _ProxyMeterProvider):
        return []
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415  # as above
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415

    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    return [provider.force_flush]


def _logging(resource: Resource) -> list[Flush]:
    """What this library logs, from INFO on, and its events. What others log is theirs to send."""
    if not wants_export(os.environ, "LOGS") or not isinstance(_logs.get_logger_provider(), ProxyLoggerProvider):
        return []
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415  # as above

    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    _logs.set_logger_provider(provider)
    logging.getLogger("ballast").addHandler(Exported(logging.INFO))
    return [provider.force_flush]


def flush(flushes: Sequence[Flush], within: float = FLUSH_WITHIN) -> None:
    """Send what is left, side by side, and leave after `within` seconds whatever the collector does."""
    ends = monotonic() + within
    senders = [Thread(target=each, args=(int(within * 1000),), daemon=True) for each in flushes]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(max(0.0, ends - monotonic()))
