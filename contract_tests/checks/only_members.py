"""CT-34: a result holds only what the negotiated revision knows."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any, Final

from ..judging.matchers import Complaint
from ..judging.operators import look_up
from ..notation.session import MISSING
from .contract import Contract
from .inquiry import Inquiry
from .members import strange_in_initialize, strange_in_list
from .speech import MODERN, RESULT, Speech, offered

_LEGACY: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")


async def ask(inquiry: Inquiry) -> None:
    """Shake hands and list in every revision."""
    if inquiry.catalogue.is_legacy:
        for version in _LEGACY:
            await _legacy(inquiry, version)
    if inquiry.catalogue.is_modern:
        modern = Speech(inquiry=inquiry, version=MODERN)
        reply = await inquiry.ask(f"tools/list {MODERN}", modern.request("tools/list", {}), RESULT)
        _complain(inquiry, strange_in_list(look_up(reply.message, ("result",)), MODERN))


async def _legacy(inquiry: Inquiry, version: str) -> None:
    speech = Speech(inquiry=inquiry, version=version)
    opened = await inquiry.ask(f"initialize {version}", speech.request("initialize", offered(version)), RESULT)
    result = look_up(opened.message, ("result",))
    if result is MISSING:
        return
    chosen = look_up(result, ("protocolVersion",))
    chosen = chosen if isinstance(chosen, str) else version
    _complain(inquiry, strange_in_initialize(result, chosen))
    speech = replace(speech, version=chosen, session=opened.header("mcp-session-id") or "")
    await inquiry.look(speech.notify("notifications/initialized"))
    listed = await inquiry.ask(f"tools/list {chosen}", speech.request("tools/list", {}), RESULT)
    _complain(inquiry, strange_in_list(look_up(listed.message, ("result",)), chosen))


def _complain(inquiry: Inquiry, complaints: Iterable[Complaint]) -> None:
    for complaint in complaints:
        own: dict[str, Any] = {"advice": CT_34.advice, "incidents": CT_34.incidents}
        inquiry.complain(where=complaint.where, expected=complaint.expected, actual=complaint.actual, **own)


CT_34: Final = Contract(
    id="CT-34",
    title="Results hold only members of the negotiated revision",
    about="Strict clients of an older revision reject members of a newer one, and with them every tool.",
    incidents=("CT-34",),
    severity="minor",
    advice="Leave out what the negotiated revision does not know; what is yours goes under _meta.",
    source="the schemas of MCP 2024-11-05 to 2026-07-28",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("access",),
    ask=ask,
)
