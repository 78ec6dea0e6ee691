"""CT-14 and CT-33: GET gets 405 or a stream that lives; who claims listChanged has a stream to say it on."""

from datetime import date
from http import HTTPStatus
from typing import Any, Final

from ..judging.operators import look_up
from ..judging.reply import EVENT_STREAM, Reply
from ..replay.values import text
from .contract import Contract
from .inquiry import Inquiry
from .speech import Speech, cut, offered, speaking

_NO_STREAM: Final[dict[str, Any]] = {
    "name": "405 with Allow",
    "status": [405],
    "headers": {"allow": {"matches": "(?i)post"}},
    "ending": ["complete"],
}
_STREAM: Final[dict[str, Any]] = {
    "name": "an event stream whose first byte comes at once",
    "status": [200],
    "media": ["text/event-stream"],
    "first_byte_within": 1.0,
    "ending": ["cut"],
}
_LOOK: Final = 1.5
_HOLD: Final = 180.0
_LONGEST_GAP: Final = 20.0
_CLAIMED_GAP: Final = 15.0


async def ask_get(inquiry: Inquiry) -> None:
    """Open the optional stream, with and without a good token; hold it with --slow."""
    speech = await speaking(inquiry)
    request = cut(speech.get(), _LOOK)
    reply = await inquiry.ask("GET", request, {"ending": ["complete", "cut"], "any_of": [_NO_STREAM, _STREAM]})
    if inquiry.catalogue.is_protected:
        await _expired(inquiry, speech)
    if not _is_stream(reply):
        return
    if not inquiry.means.is_slow:
        inquiry.skip("GET held for 180 s", "it must really be held for minutes: add --slow")
        return
    held = {**_STREAM, "longest_gap": _LONGEST_GAP}
    await inquiry.ask("GET held for 180 s", cut(speech.get(), _HOLD, limit=_HOLD + 10), held)


async def _expired(inquiry: Inquiry, speech: Speech) -> None:
    """A token that is no longer good gets the same challenge, whatever the method."""
    bad = {"Authorization": f"Bearer {text(inquiry.login.random, 43)}"}
    initialize = Speech(inquiry=inquiry).request("initialize", offered(), headers=bad)
    challenge = (await inquiry.look(initialize)).header("www-authenticate") or ""
    expect = {"status": [401], "headers": {"www-authenticate": {"equals": challenge}}}
    more = {"incidents": ("P-08", "CT-14"), "advice": _CHALLENGE}
    await inquiry.ask("GET with an expired token", cut(speech.get(bad), _LOOK), expect, **more)


_CHALLENGE = "Answer a bad token with 401 and the same WWW-Authenticate on GET as on POST; else hosts never refresh."


async def ask_list_changed(inquiry: Inquiry) -> None:
    """See what is claimed, and whether there is a stream for it."""
    opened = await inquiry.look(Speech(inquiry=inquiry).request("initialize", offered()))
    claims = claimed(opened)
    speech = await speaking(inquiry)
    request = cut(speech.get(), _LOOK)
    if not claims:
        await inquiry.ask(
            "GET, nothing claimed", request, {"ending": ["complete", "cut"], "any_of": [_NO_STREAM, _STREAM]}
        )
        return
    name = f"GET, listChanged claimed of {', '.join(claims)}"
    await inquiry.ask(name, request, _STREAM)
    if inquiry.steps[-1].findings:
        return
    if inquiry.means.is_slow:
        held = {**_STREAM, "longest_gap": _CLAIMED_GAP}
        await inquiry.ask("GET held for 40 s", cut(speech.get(), 40.0, limit=50.0), held)
    else:
        inquiry.skip("GET held for 40 s", "it must really be held: add --slow")
    inquiry.skip("a changed list is announced", "nothing says how to change the list of a running target")


def claimed(opened: Reply) -> list[str]:
    """The lists that initialize says are announced when they change. Pure."""
    capabilities = look_up(opened.message, ("result", "capabilities"))
    own = capabilities if isinstance(capabilities, dict) else {}
    return [name for name, value in own.items() if isinstance(value, dict) and value.get("listChanged") is True]


def _is_stream(reply: Reply) -> bool:
    return reply.status == HTTPStatus.OK and reply.media == EVENT_STREAM


CT_14: Final = Contract(
    id="CT-14",
    title="GET is refused with 405 and Allow, or is a stream that lives; a bad token is challenged",
    about="404 means an expired session to some hosts, a silent stream a hanging server, 405 for a bad token a loop.",
    incidents=("P-23", "P-08", "T-01", "CT-14"),
    severity="critical",
    advice="Answer GET with 405 and Allow: POST, or with an event stream whose first comment comes at once.",
    source="MCP 2025-11-25, Streamable HTTP, listening; incidents P-08, P-23 and T-01 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("access",),
    ask=ask_get,
)
CT_33: Final = Contract(
    id="CT-33",
    title="Who claims listChanged has a stream to announce changes on",
    about="A host that is promised announcements waits on the stream, and fails calls while it is silent.",
    incidents=("P-07", "CT-33"),
    severity="serious",
    advice="Claim no listChanged without a live stream on GET; else send a first byte at once and one every 15 s.",
    source="MCP 2025-11-25, tools, list changed; incident P-07 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("legacy",),
    ask=ask_list_changed,
)
