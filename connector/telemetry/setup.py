"""Export of traces where OpenTelemetry's own variables say so; nothing else to configure.

A provider that the application installed is left alone. Exporting happens in a thread of its own with a bounded
queue, so a collector that is slow, full or gone costs a call nothing; what does not fit is dropped.
"""

import os
from collections.abc import Mapping
from threading import Thread
from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

FLUSH_WITHIN: Final = 3.0
"""Seconds that shutdown waits for the last spans. The SDK alone blocks 7.6 s at a closed port and 10 s at a black
hole.
"""


def wants_export(environ: Mapping[str, str]) -> bool:
    """Whether the standard variables ask for OTLP traces (OpenTelemetry, "OTLP Exporter" and "General SDK
    Configuration").
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = {name.strip() for name in environ.get("OTEL_TRACES_EXPORTER", "").split(",") if name.strip()}
    if exporters:
        return "otlp" in exporters
    return any(environ.get(name) for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))


def export_from_environment(*, service: str, version: str) -> TracerProvider | None:
    """Install a tracer provider that exports by OTLP over HTTP, if the environment asks for it and none is installed
    yet.
    """
    if not wants_export(os.environ) or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # costs 60 ms

    defaults = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: service}
    resource = Resource.create({**defaults, SERVICE_VERSION: version})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def flush(provider: TracerProvider, within: float = FLUSH_WITHIN) -> None:
    """Send what is left, and leave after `within` seconds whatever the collector does."""
    sender = Thread(target=provider.force_flush, kwargs={"timeout_millis": int(within * 1000)}, daemon=True)
    sender.start()
    sender.join(within)
