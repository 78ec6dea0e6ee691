"""CT-35: ordinary results are small enough for every host; large requests are taken or refused in words."""

from datetime import date
from typing import Any, Final

from ..judging.matchers import Complaint
from ..judging.operators import look_up
from ..judging.reply import Reply
from .contract import Contract
from .files import ask_download, ask_upload
from .inquiry import Inquiry
from .speech import CALLED, RESULT, speaking

_MOST_TEXT: Final = 8 * 1024
"""Bytes. Hosts cut at 10 KB and more; the rest is for what they put around it (incident F-03)."""

_BODIES: Final = {"256 KB": 256 * 1024, "8 MB": 8 * 1024 * 1024}
_TAKEN: Final[dict[str, Any]] = {
    "any_of": [
        RESULT,
        {"name": "a JSON-RPC error, or 413", "status": [400, 413], "media": ["application/json"]},
    ]
}


async def ask(inquiry: Inquiry) -> None:
    """Call with the default arguments, and list with a body that is far too large."""
    speech = await speaking(inquiry)
    reply = await inquiry.ask("a result with default arguments", speech.call(inquiry.tool()), CALLED)
    if not inquiry.steps[-1].findings and (reason := too_large(reply)):
        own: dict[str, Any] = {"advice": CT_35.advice, "incidents": ("F-03", "F-04", "CT-35")}
        inquiry.complain(where=reason.where, expected=reason.expected, actual=reason.actual, **own)
    for name, size in _BODIES.items():
        request = speech.request("tools/list", {"_meta": {"com.example/filler": "x" * size}})
        more = {"incidents": ("CT-35",), "advice": _REFUSING, "quiet": True}
        await inquiry.ask(f"a request of {name}", request, _TAKEN, **more)
    await ask_upload(inquiry, speech)
    await ask_download(inquiry, speech)


_REFUSING: Final = "Refuse a body that is too large with 413 and JSON, before any of it has had an effect."


def too_large(reply: Reply) -> Complaint | None:
    """Whether a result has more text than hosts let through; one that says how to go on is fine. Pure."""
    content = look_up(reply.message, ("result", "content"))
    texts = [
        str(item.get("text", "")) for item in content or () if isinstance(item, dict) and item.get("type") == "text"
    ]
    size = sum(len(text.encode()) for text in texts)
    structured = look_up(reply.message, ("result", "structuredContent"))
    if size <= _MOST_TEXT or _goes_on(structured):
        return None
    return Complaint(where="result.content", expected=f"at most {_MOST_TEXT} bytes of text", actual=f"{size} bytes")


def _goes_on(structured: Any) -> bool:
    """Whether a result is one page of several: it has a member that says where the next begins."""
    names = {"nextcursor", "next_cursor", "next", "cursor", "next_page", "nextpage", "next_offset", "has_more"}
    return isinstance(structured, dict) and any(name.lower() in names and value for name, value in structured.items())


CT_35: Final = Contract(
    id="CT-35",
    title="Ordinary results fit into every host; large requests are taken or refused in words",
    about="Hosts cut results at about 10 KB without a word, and fail whole answers that are larger still.",
    incidents=("F-03", "F-04", "CT-35"),
    severity="serious",
    advice="Give pages of at most 8 KB, with a member that says how to go on, and a resource_link for files.",
    source="incidents of class F of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("tool",),
    ask=ask,
)
