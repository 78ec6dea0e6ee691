"""CT-41: the same message, whether it comes as JSON or as an event, and the whole of it."""

from datetime import date
from http import HTTPStatus
from typing import Any, Final

from ..judging.operators import look_up, same, show
from .contract import Contract
from .inquiry import Inquiry
from .speech import MODERN, Speech, speaking

_BOTH: Final = "application/json, text/event-stream"
_ALONE: Final = ("application/json", "text/event-stream")


async def ask(inquiry: Inquiry) -> None:
    """Discover and list in every framing that is to be had, and compare."""
    speech = await speaking(inquiry)
    await _compare(inquiry, speech, "tools/list", ("result", "tools"))
    if inquiry.catalogue.is_modern:
        modern = Speech(inquiry=inquiry, version=MODERN)
        await _compare(inquiry, modern, "server/discover", ("result", "supportedVersions"))


async def _compare(inquiry: Inquiry, speech: Speech, method: str, place: tuple[str, ...]) -> None:
    expect: dict[str, Any] = {
        "status": [200],
        "media": list(_ALONE),
        "events_carry_messages": True,
        "json": [{"at": list(place), "type": "array"}],
    }
    first = await inquiry.ask(method, speech.request(method, {}, headers={"Accept": _BOTH}), expect)
    for media in _ALONE:
        request = speech.request(method, {}, headers={"Accept": media})
        tried = await inquiry.look(request)
        if (tried.status, tried.media) != (HTTPStatus.OK, media):
            inquiry.skip(f"{method} as {media}", "it is not answered in this framing: see CT-13")
            continue
        reply = await inquiry.ask(f"{method} as {media}", request, expect)
        one, other = look_up(first.message, place), look_up(reply.message, place)
        if not inquiry.steps[-1].findings and not same(one, other):
            own: dict[str, Any] = {"advice": CT_41.advice, "incidents": CT_41.incidents}
            inquiry.complain(where=".".join(place), expected=show(one), actual=show(other), **own)


CT_41: Final = Contract(
    id="CT-41",
    title="JSON and event streams carry the same message, to its end",
    about="Some surfaces read JSON only, others events only; a stream that is not ended counts as an error there.",
    incidents=("P-05", "P-41", "CT-41"),
    severity="serious",
    advice="Choose the framing by Accept, send the same message in both, and end every stream.",
    source="MCP 2025-11-25, Streamable HTTP; incidents P-05 and P-41 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("access",),
    ask=ask,
)
