"""CT-10 and CT-11: notifications are taken in silence; every method gets an answer, be it that there is none."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from .contract import Contract
from .inquiry import Inquiry
from .speech import RESULT, speaking

_NOTIFICATIONS: Final[Mapping[str, dict[str, Any]]] = {
    "notifications/initialized": {},
    "notifications/cancelled": {"requestId": 987654, "reason": "the user went away"},
    "notifications/progress": {"progressToken": "unknown", "progress": 1},
    "notifications/roots/list_changed": {},
    "notifications/zzz": {"new": True},
}
_TAKEN: Final[dict[str, Any]] = {"status": [202], "body": "empty", "media_not": ["application/json"]}
_OPTIONAL: Final[Mapping[str, dict[str, Any]]] = {
    "ping": {},
    "logging/setLevel": {"level": "warning"},
    "resources/list": {},
    "resources/templates/list": {},
    "prompts/list": {},
}
_UNKNOWN: Final[dict[str, Any]] = {
    "status": [200, 400, 404],
    "json": [{"at": "id", "equals": 77}, {"at": "error.code", "equals": -32601}],
}


async def ask_notifications(inquiry: Inquiry) -> None:
    """Notify of five things, one of them unheard of."""
    speech = await speaking(inquiry)
    for method, params in _NOTIFICATIONS.items():
        await inquiry.ask(method, speech.notify(method, params), _TAKEN)


async def ask_methods(inquiry: Inquiry) -> None:
    """Ask for what is not there, and for what hosts ask of everybody."""
    speech = await speaking(inquiry)
    await inquiry.ask("zzz/zzz", speech.request("zzz/zzz", {}, id=77), _UNKNOWN)
    for method, params in _OPTIONAL.items():
        if not (speech.is_modern and method in {"ping", "logging/setLevel"}):
            await inquiry.ask(method, speech.request(method, params), RESULT)


CT_10: Final = Contract(
    id="CT-10",
    title="Notifications get 202 and nothing else",
    about="A body or a JSON content type in the answer to a notification makes strict hosts give up the connection.",
    incidents=("P-36", "CT-10"),
    severity="critical",
    advice="Answer every notification, also unknown ones, with status 202, no body and no Content-Type.",
    source="MCP 2025-11-25, Streamable HTTP, sending messages; incident P-36 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("access",),
    ask=ask_notifications,
)
CT_11: Final = Contract(
    id="CT-11",
    title="Unknown methods get -32601, and the usual ones an answer even if it is empty",
    about="Hosts ask for prompts, resources and log levels whatever was declared, and some stop at an error.",
    incidents=("CT-11",),
    severity="minor",
    advice="Answer lists with empty ones, logging/setLevel with an empty result, and unknown methods with -32601.",
    source="JSON-RPC 2.0, 5.1; MCP 2025-11-25",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("access",),
    ask=ask_methods,
)
