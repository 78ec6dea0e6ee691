"""CT-41: the same message, whether it comes as JSON or as an event, and the whole of it."""

from datetime import date
from typing import Any, Final

from ..judging.operators import look_up, same, show
from ..judging.reply import Reply
from .contract import Contract
from .inquiry import Inquiry
from .speech import MODERN, Speech, speaking

_FRAMINGS: Final = {"JSON": "application/json", "events": "text/event-stream"}


async def ask(inquiry: Inquiry) -> None:
    """Discover and list in both framings, and compare."""
    speech = await speaking(inquiry)
    await _both(inquiry, speech, "tools/list", ("result", "tools"))
    if inquiry.catalogue.is_modern:
        await _both(
            inquiry, Speech(inquiry=inquiry, version=MODERN), "server/discover", ("result", "supportedVersions")
        )


async def _both(inquiry: Inquiry, speech: Speech, method: str, place: tuple[str, ...]) -> None:
    replies: list[Reply] = []
    for name, media in _FRAMINGS.items():
        expect: dict[str, Any] = {
            "status": [200],
            "media": [media],
            "events_carry_messages": True,
            "json": [{"at": list(place), "type": "array"}],
        }
        request = speech.request(method, {}, headers={"Accept": media})
        replies.append(await inquiry.ask(f"{method} as {name}", request, expect))
    one, other = (look_up(reply.message, place) for reply in replies)
    if not inquiry.steps[-1].findings and not inquiry.steps[-2].findings and not same(one, other):
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
