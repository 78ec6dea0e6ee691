"""CT-12: a legal JSON-RPC id comes back as it was, type and value; an illegal one is refused."""

from datetime import date
from typing import Any, Final

from .contract import Contract
from .inquiry import Inquiry
from .speech import speaking

_LEGAL: Final[tuple[Any, ...]] = (
    0, 1, -1, 2**31, 2**53 - 1, "1", "0", "", "a", "call_ü 日本", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "x" * 300,
)  # fmt: skip
_ILLEGAL: Final[tuple[Any, ...]] = (None, True, [], {}, [1])
_REFUSED: Final[dict[str, Any]] = {"status": [400], "json": [{"at": "error.code", "equals": -32600}]}


async def ask(inquiry: Inquiry) -> None:
    """List the tools under many ids."""
    speech = await speaking(inquiry)
    for value in _LEGAL:
        expect = {"status": [200], "json": [{"at": "id", "equals": value}, {"at": "result", "type": "object"}]}
        await inquiry.ask(f"id {value!r:.40}", speech.request("tools/list", {}, id=value), expect)
    for value in _ILLEGAL:
        more = {"advice": "Refuse an id that is neither a text nor a whole number: -32600, status 400."}
        await inquiry.ask(f"illegal id {value!r}", speech.request("tools/list", {}, id=value), _REFUSED, **more)


CT_12: Final = Contract(
    id="CT-12",
    title="Ids come back with their exact type and value; illegal ones are refused",
    about='Hosts match answers by id. 1 for "1", or a zero taken for none, leaves a call without an answer for ever.',
    incidents=("CT-12",),
    severity="serious",
    advice="Send back the id as it came: zero, the empty text and large numbers too.",
    source="JSON-RPC 2.0, 4; MCP 2025-11-25, RequestId",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("access",),
    ask=ask,
)
