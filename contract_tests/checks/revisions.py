"""CT-07: initialize negotiates; whatever version the body and the header name, it is answered with one that exists."""

from datetime import date
from typing import Any, Final

from .contract import Contract
from .inquiry import Inquiry
from .speech import Speech, offered

PUBLISHED: Final = ("2024-10-07", "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
"""2024-10-07 is no final revision, but the SDKs list it."""

_ASKED: Final = (*PUBLISHED[1:], "2099-01-01")
_OTHER: Final = {"2025-03-26": "2025-06-18"}
_EXPECTED: Final[dict[str, Any]] = {
    "status": [200],
    "media": ["application/json", "text/event-stream"],
    "json": [{"at": "result.protocolVersion", "one_of": list(PUBLISHED)}],
}


async def ask(inquiry: Inquiry) -> None:
    """Shake hands in every version, with the header absent, the same, and another one."""
    speech = Speech(inquiry=inquiry)
    for version in _ASKED:
        for kind, header in _headers(version).items():
            request = speech.request("initialize", offered(version), headers=header)
            await inquiry.ask(f"initialize {version}, header {kind}", request, _EXPECTED)


def _headers(version: str) -> dict[str, dict[str, str]]:
    other = _OTHER.get(version, "2025-03-26")
    cases = {"absent": {}, "the same": {"MCP-Protocol-Version": version}}
    return {**cases, f"{other}": {"MCP-Protocol-Version": other}}


CT_07: Final = Contract(
    id="CT-07",
    title="Every version is negotiated, whatever the header says",
    about="Hosts raise their version without notice. Who refuses one it does not know is cut off that day.",
    incidents=("P-37", "CT-07"),
    severity="critical",
    advice="Answer initialize with the asked version if you speak it, else with your newest; ignore the header there.",
    source="MCP 2025-11-25, lifecycle, version negotiation; incident P-37 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("legacy",),
    ask=ask,
)
