"""CT-42: a client that answers no ping, or answers that it knows none, is served all the same."""

from datetime import date
from typing import Final

from ..replay.wire import Request
from .contract import Contract
from .inquiry import Inquiry
from .speech import CALLED, cut, speaking

_WAIT: Final = 32.0
_NO_PING: Final = {"code": -32601, "message": "Method not found"}
_TAKEN: Final = {
    "any_of": [
        {"name": "202", "status": [202]},
        {"name": "a refusal in JSON", "status": [200, 400, 404], "media": ["application/json"]},
    ]
}


async def ask(inquiry: Inquiry) -> None:
    """Say that there is no ping, and call; with --slow stay silent for half a minute first."""
    speech, tool = await speaking(inquiry), inquiry.tool()
    for number in (0, 1):
        answer = speech.post({"jsonrpc": "2.0", "id": number, "error": _NO_PING}, _headers(speech.request("ping")))
        await inquiry.ask(f"ping {number} is answered with -32601", answer, _TAKEN)
    await inquiry.ask("a call afterwards", speech.call(tool), CALLED)
    if not inquiry.means.is_slow:
        inquiry.skip("a call after 30 s of silence", "it must really be waited for: add --slow")
        return
    await inquiry.look(cut(speech.get(), _WAIT, limit=_WAIT + 5))
    await inquiry.ask("a call after 30 s of silence", speech.call(tool), CALLED)


def _headers(request: Request) -> dict[str, str | None]:
    return {name: value for name, value in request.headers if name.lower().startswith("mcp-")}


CT_42: Final = Contract(
    id="CT-42",
    title="A client that answers no pings is served all the same",
    about="Hosts leave pings of the server unanswered or refuse them. Who takes that for death closes living sessions.",
    incidents=("T-05", "CT-42"),
    severity="serious",
    advice="Never close a session over an unanswered ping: what a client sends next shows that it lives.",
    source="incident T-05 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("legacy", "tool"),
    ask=ask,
)
