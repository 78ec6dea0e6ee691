"""Sends a night's news: to webhooks, again and again for a while, and as events to an OpenTelemetry backend.

An address of a webhook is a secret, so nothing here says more of it than its name.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx2
import stamina

from ..night import News, Night
from ..settings import Settings, Webhook
from .payload import as_json, as_slack, headline

TOLD: Final = "told"

TRIES: Final = 5
PATIENCE: Final = 60.0
"""Seconds for all tries at one receiver: a restart of it is waited out, and a night does not hang on it."""

_FORMS: Final[Mapping[str, Callable[[Night, News], dict[str, Any]]]] = {"json": as_json, "slack": as_slack}
_TOO_MANY = 429
_SERVERS_FAULT = 500


class _Unready(Exception):
    """A receiver that asks to be asked later."""


def tell(
    night: Night, news: News, settings: Settings, *, before: Mapping[str, str], wait: float = 1.0
) -> dict[str, str]:
    """Tell everybody who has not been told: the name of each, with `told` or why it could not be.

    Args:
        night: what to tell of.
        news: what is new in it; of a quiet night nobody hears.
        settings: who hears of it.
        before: what an earlier try of this night came to; who was told is left alone.
        wait: seconds before the second try; it doubles, with jitter.
    """
    if news.is_quiet:
        return dict(before)
    told = dict(before)
    for webhook in settings.webhooks:
        if told.get(webhook.name) != TOLD:
            told[webhook.name] = _send(webhook, night, news, wait)
    if settings.open_telemetry and _exports() and told.get("opentelemetry") != TOLD:
        told["opentelemetry"] = _emit(night, news)
    return told


def _send(webhook: Webhook, night: Night, news: News, wait: float) -> str:
    body = json.dumps(_FORMS[webhook.form](night, news)).encode()
    # A receiver that took it, and whose answer was lost, can know the second one by this.
    key = hashlib.sha256(f"{night.target} {night.date}".encode() + body).hexdigest()[:32]
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    try:
        for attempt in stamina.retry_context(
            on=(httpx2.TransportError, _Unready), attempts=TRIES, timeout=PATIENCE, wait_initial=wait, wait_max=20.0
        ):
            with attempt:
                reply = _ready(httpx2.post(webhook.url, content=body, headers=headers, timeout=10.0))
    except _Unready as unready:
        return f"it answered {unready} {TRIES} times"
    except httpx2.HTTPError as problem:
        return f"it could not be reached ({type(problem).__name__})"
    return TOLD if reply.is_success else f"it answered {reply.status_code}"


def _ready(reply: httpx2.Response) -> httpx2.Response:
    if reply.status_code == _TOO_MANY or reply.status_code >= _SERVERS_FAULT:
        raise _Unready(reply.status_code)
    return reply


def _exports() -> bool:
    named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT")
    return any(os.environ.get(name) for name in named)


def _emit(night: Night, news: News) -> str:
    """One event for the night, and one for each thing that is new or over (OpenTelemetry, "Events")."""
    from opentelemetry._logs import LogRecord, SeverityNumber  # noqa: PLC0415 - only where something is exported
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415
    from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    provider = LoggerProvider(resource=Resource.create({"service.name": "mcp-ballast"}), shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(timeout=10)))
    events = provider.get_logger("ballast.nightly")
    about = {"ballast.night.date": night.date, "ballast.night.target": night.target}

    def emit(name: str, said: str, severity: SeverityNumber, **more: str) -> None:
        record = LogRecord(event_name=name, body=said, severity_number=severity, attributes={**about, **more})
        events.emit(record)

    emit("ballast.night.news", headline(night, news), SeverityNumber.WARN)
    for item in news.new:
        emit("ballast.night.finding", item.title, SeverityNumber.ERROR, **_of(item.key, item.severity))
    for item in news.over:
        emit("ballast.night.over", item.title, SeverityNumber.INFO, **_of(item.key, item.severity))
    is_out = provider.force_flush(15_000)
    provider.shutdown()
    return TOLD if is_out else "it took too long"


def _of(key: str, severity: str) -> dict[str, str]:
    return {"ballast.finding.key": key, "ballast.finding.severity": severity}
