"""A span named in one text that can be kept, and a link from another span to it, however much later and wherever.

The text is a W3C `traceparent`: ids and a flag, nothing of what was asked.
"""

from collections.abc import Mapping
from typing import Final

from opentelemetry.trace import Span, TraceFlags, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_FORMAT: Final = TraceContextTextMapPropagator()

ORIGINAL: Final[Mapping[str, str]] = {"ballast.link": "original"}
"""On a link from an answer to the call that was run for it."""


def context_of(span: Span) -> str | None:
    """The text that names `span`; None where nobody traces."""
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & TraceFlags.SAMPLED:02x}"


def point_to(span: Span, named: str | None) -> None:
    """Link `span` to the span that `named` names. A text that names none, or `span` itself, is passed over."""
    if named is None or not span.is_recording():
        return
    original = get_current_span(_FORMAT.extract({"traceparent": named})).get_span_context()
    if original.is_valid and original.span_id != span.get_span_context().span_id:
        span.add_link(original, dict(ORIGINAL))
