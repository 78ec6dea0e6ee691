"""Log lines that lead to their trace: ids on the records of `ballast.*`, and a way to send those by OTLP.

Nothing here touches the root logger, nor a handler that it was not given. Tracebacks and exception texts are not sent:
they may hold what callers sent (`failures` logs them at DEBUG).
"""

import logging
from functools import lru_cache
from typing import Final

from opentelemetry._logs import Logger, LogRecord, SeverityNumber, get_logger
from opentelemetry.trace import get_current_span

LINE: Final = "%(asctime)s %(levelname)s %(name)s trace_id=%(trace_id)s span_id=%(span_id)s: %(message)s"
"""A format for handlers that carry `TraceIds`."""


class TraceIds(logging.Filter):
    """Gives each record `trace_id` and `span_id` in hexadecimal, both empty outside a span. Lets everything pass.

    Add it to a *handler*: a filter on a logger does not see what comes from the loggers below it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Write the ids of the current span onto the record."""
        context = get_current_span().get_span_context()
        record.trace_id = f"{context.trace_id:032x}" if context.is_valid else ""
        record.span_id = f"{context.span_id:016x}" if context.is_valid else ""
        return True


class Exported(logging.Handler):
    """Sends records as OpenTelemetry logs, with their trace. For the logger `ballast`, not for the root."""

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, unless it was sent as an event of its own."""
        if hasattr(record, "ballast_event"):
            return
        attributes = {} if record.exc_info is None or record.exc_info[0] is None else _kind(record.exc_info[0])
        _logger(record.name).emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                severity_number=_severity(record.levelno),
                severity_text=record.levelname,
                body=record.getMessage(),
                attributes=attributes,
            )
        )


def _kind(raised: type[BaseException]) -> dict[str, str]:
    return {"exception.type": raised.__qualname__}


_SEVERITIES: Final = (
    (logging.CRITICAL, SeverityNumber.FATAL),
    (logging.ERROR, SeverityNumber.ERROR),
    (logging.WARNING, SeverityNumber.WARN),
    (logging.INFO, SeverityNumber.INFO),
)
"""OpenTelemetry, logs data model, "Mapping of SeverityNumber"."""


def _severity(level: int) -> SeverityNumber:
    return next((number for least, number in _SEVERITIES if level >= least), SeverityNumber.DEBUG)


@lru_cache(maxsize=64)
def _logger(name: str) -> Logger:
    return get_logger(name)
