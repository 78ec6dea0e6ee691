"""Providers that export by OTLP over HTTP. Imports OpenTelemetry's SDK, which costs a third of a second: only who
exports pays for it (`setup` decides who does).
"""

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry import _logs, metrics, trace
from opentelemetry._logs._internal import ProxyLoggerProvider  # the API exports no name for it
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics._internal import _ProxyMeterProvider  # the API exports no name for it
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from .logs import Exported

Flush = Callable[[int], Any]
"""Sends what is left, within so many milliseconds."""


def resource_of(*, service: str, version: str) -> Resource:
    """What is exported is said to come from here."""
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: service}
    return Resource.create({**named, SERVICE_VERSION: version})


def _traces(resource: Resource) -> list[Flush]:
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return []
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return [provider.force_flush]


def _metrics(resource: Resource) -> list[Flush]:
    if not isinstance(metrics.get_meter_provider(), _ProxyMeterProvider):
        return []
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    return [provider.force_flush]


def _logging(resource: Resource) -> list[Flush]:
    """What this library logs, from INFO on, and its events. What others log is theirs to send."""
    if not isinstance(_logs.get_logger_provider(), ProxyLoggerProvider):
        return []
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    _logs.set_logger_provider(provider)
    logging.getLogger("ballast").addHandler(Exported(logging.INFO))
    return [provider.force_flush]


INSTALL: Mapping[str, Callable[[Resource], list[Flush]]] = {"TRACES": _traces, "METRICS": _metrics, "LOGS": _logging}
"""Installs a signal's provider if there is none yet; gives what flushes it."""
