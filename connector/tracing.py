"""How much of a request is traced here, where something else traces it too. Refuses to know OpenTelemetry."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from .errors import DeclarationError

Spans = Literal["auto", "server", "internal", "propagate", "off"]

KNOWN: Final[tuple[str, ...]] = get_args(Spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """`spans` says which span a request gets. Metrics are kept in any case.

    | | |
    |---|---|
    | `auto` | SERVER; INTERNAL beneath a SERVER span that an ASGI instrumentation has made for the same request |
    | `server` | SERVER always, as the conventions for MCP have it beside a span for HTTP |
    | `internal` | INTERNAL always: beneath spans that are not OpenTelemetry's own, which cannot be seen from here |
    | `propagate` | none; what the tool does belongs to the caller's trace |
    | `off` | none |
    """

    spans: Spans = "auto"

    def __post_init__(self) -> None:
        if self.spans not in KNOWN:
            raise DeclarationError(f"spans={self.spans!r} is not known: set one of {', '.join(KNOWN)}")
