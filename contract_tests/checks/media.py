"""CT-13: Accept and Content-Type are media ranges and media types, not strings to compare."""

from datetime import date
from typing import Any, Final

from .contract import Contract
from .inquiry import Inquiry
from .speech import LEGACY, Speech, cut, offered, speaking

_EITHER: Final = ("application/json", "text/event-stream")
_ACCEPTS: Final[tuple[tuple[str | None, tuple[str, ...]], ...]] = (
    (None, _EITHER),
    ("application/json", ("application/json",)),
    ("text/event-stream", ("text/event-stream",)),
    ("application/json, text/event-stream", _EITHER),
    ("text/event-stream,application/json", _EITHER),
    ("*/*", _EITHER),
    ("application/*", ("application/json",)),
    ("application/json;q=0.9, text/event-stream;q=0.1", _EITHER),
    ("text/html, */*;q=0.1", _EITHER),
)
_CONTENT_TYPES: Final = (
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "Application/JSON",
    'application/json; profile="x"',
)
_STREAM_OR_NONE: Final[dict[str, Any]] = {
    "ending": ["complete", "cut"],
    "any_of": [
        {"name": "405", "status": [405]},
        {"name": "an event stream", "status": [200], "media": ["text/event-stream"]},
        {"name": "401", "status": [401]},
    ],
}


async def ask(inquiry: Inquiry) -> None:
    """Initialize, or list where there is no handshake, with every Accept and Content-Type."""
    modern = not inquiry.catalogue.is_legacy
    speech = Speech(inquiry=inquiry, version="2026-07-28" if modern else LEGACY)
    method, params = ("tools/list", {}) if modern else ("initialize", offered())
    for accept, media in _ACCEPTS:
        expect = {"status": [200], "media": list(media), "json": [{"at": "result", "type": "object"}]}
        request = speech.request(method, params, headers={"Accept": accept})
        await inquiry.ask(f"Accept {accept or 'absent'}", request, expect)
    for kind in _CONTENT_TYPES:
        expect = {"status": [200], "json": [{"at": "result", "type": "object"}]}
        await inquiry.ask(
            f"Content-Type {kind}", speech.request(method, params, headers={"Content-Type": kind}), expect
        )
    any_kind = (await speaking(inquiry)).get({"Accept": "*/*"})
    await inquiry.ask("GET, Accept */*", cut(any_kind, 1.0), _STREAM_OR_NONE)


CT_13: Final = Contract(
    id="CT-13",
    title="Every usual Accept and Content-Type is answered, never with 406 or 415",
    about="Clients, scanners and proxies rewrite Accept; a server that compares strings is unreachable for them.",
    incidents=("P-41", "CT-13"),
    severity="critical",
    advice="Parse Accept as media ranges, take none for anything, and ignore the parameters of Content-Type.",
    source="RFC 9110, 12.5.1 and 8.3.1; incident P-41 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("access",),
    ask=ask,
)
