"""CT-06: a question before the handshake is answered on the spot, and the connection it came on goes on.

Whether a server keeps a connection open is seen from how many had to be opened, not from what a header says.
"""

from datetime import date
from typing import Any, Final

from ..judging.matchers import Complaint
from ..replay.wire import Wire
from .contract import Contract
from .inquiry import Inquiry
from .speech import ERROR, MODERN, RESULT, Speech, offered

KEPT: Final = "connection"
"""Where a finding stands that says that the connection was closed."""

_TWO_SECONDS: Final = 2.0
_DISCOVERED: Final[dict[str, Any]] = {
    "name": "what is supported",
    "status": [200],
    "json": [{"at": "result.supportedVersions", "min_items": 1}],
}
_REFUSED: Final[dict[str, Any]] = {
    **ERROR,
    "name": "a refusal in JSON-RPC, status 200 or 4xx",
    "status": [200, 400, 401, 403, 404, 405, 406, 415, 422],
}
_BARE: Final[dict[str, Any]] = {"name": "400 or 404, whatever the body", "status": [400, 404]}
_NEEDS_TOKEN: Final[dict[str, Any]] = {"name": "401", "status": [401]}


async def ask(inquiry: Inquiry) -> None:
    """Discover, then shake hands, then say what is left: all on one connection, if the target keeps it."""
    modern = Speech(inquiry=inquiry, version=MODERN)
    legacy = Speech(inquiry=inquiry)
    probe = modern.request("server/discover", {}, id="openai-mcp-discover")
    expect: dict[str, Any] = {"within": _TWO_SECONDS, "any_of": [_DISCOVERED, _REFUSED, _BARE, _NEEDS_TOKEN]}
    follow = {"tools/list": modern.request("tools/list", {})}
    if inquiry.catalogue.is_legacy:
        follow = {"initialize": legacy.request("initialize", offered()), "initialize again": _again(legacy)}
    async with Wire() as wire:
        await inquiry.ask("server/discover", probe, expect, wire=wire)
        for name, request in follow.items():
            await inquiry.ask(f"{name}, after it", request, {"any_of": [RESULT, _NEEDS_TOKEN]}, wire=wire)
            if reason := reopened(wire.opened):
                inquiry.find(reason, step=f"one connection, up to {name}")
                return


def _again(speech: Speech) -> Any:
    return speech.request("initialize", offered(), id=2)


def reopened(opened: int) -> Complaint | None:
    """Whether more connections were opened than one. Pure."""
    if opened <= 1:
        return None
    return Complaint(where=KEPT, expected="to be kept open after an answer", actual=f"{opened} had to be opened")


CT_06: Final = Contract(
    id="CT-06",
    title="A question before the handshake is answered at once, and its connection goes on",
    about="Hosts ask server/discover first and fall back on the same connection. Who closes it, or waits, looks dead.",
    incidents=("P-16", "CT-06"),
    severity="serious",
    advice="Answer what you do not know within two seconds, read the whole body, and keep the connection open.",
    source="MCP 2026-07-28, server/discover; RFC 9112, 9.3; incident P-16 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    ask=ask,
)
