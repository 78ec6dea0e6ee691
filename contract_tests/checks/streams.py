"""CT-14 and CT-33: GET gets 405 or a stream that lives; who claims listChanged has a stream to say it on."""

from datetime import date
from http import HTTPStatus
from typing import Any, Final

import anyio

from ..judging.matchers import Complaint
from ..judging.operators import look_up
from ..judging.reply import EVENT_STREAM, Reply
from ..outcome import Ending
from ..replay.values import text
from ..side_by_side import side_by_side
from .abandoned import leaking
from .contract import Contract
from .inquiry import Inquiry
from .named_tool import named_tool
from .processes import open_files
from .speech import CALLED, Speech, cut, offered, speaking

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
_LEAST: Final = 60.0
_NO_PROCESS: Final = "the target's own process is not known: start it with [target] command = [...]"
_STREAMS: Final = 40
"""More than a pool of connections keeps open: so that a leak is told from what is only kept."""

_GLANCE: Final = 0.5
_CHANGED: Final = "a changed list is announced"
_STAY: Final = "Let a stream live until the client closes it: one that ends makes hosts reconnect again and again."
_FREE: Final = "End what belongs to a stream when its client goes: its task, its queue and its socket."
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
    await _closed(inquiry, speech)
    if not inquiry.means.is_slow:
        inquiry.skip("GET held for 180 s", "it must really be held for minutes: add --slow")
        return
    held = {**_STREAM, "longest_gap": _LONGEST_GAP, "ending": ["complete", "cut"]}
    stayed = await inquiry.ask("GET held for 180 s", cut(speech.get(), _HOLD, limit=_HOLD + 10), held)
    if not inquiry.steps[-1].findings and (reason := too_short(stayed)):
        own: dict[str, Any] = {"advice": _STAY, "incidents": ("T-16", "CT-14")}
        inquiry.complain(where=reason.where, expected=reason.expected, actual=reason.actual, **own)


def too_short(reply: Reply) -> Complaint | None:
    """Whether the target ended a stream before a minute was over, which makes hosts reconnect for ever. Pure."""
    if reply.ending is Ending.CUT_BY_CLIENT or reply.duration >= _LEAST:
        return None
    expected = f"to stay open for {_LEAST:g} s, unless the client closes it"
    return Complaint(where="ending", expected=expected, actual=f"{reply.ending.value} after {reply.duration:.0f} s")


async def _closed(inquiry: Inquiry, speech: Speech) -> None:
    """Streams that clients leave must free what they held."""
    pid = inquiry.means.pid() if inquiry.means.pid else None
    before = open_files(pid)
    if before is None:
        inquiry.skip("streams that clients leave", _NO_PROCESS)
        return

    async def look(_: int) -> Reply:
        return await inquiry.look(cut(speech.get(), _GLANCE))

    await side_by_side(range(_STREAMS), look, at_once=_STREAMS)
    await anyio.sleep(_GLANCE)
    inquiry.tally()
    if reason := leaking(before, open_files(pid)):
        own: dict[str, Any] = {"advice": _FREE, "incidents": ("L-04", "CT-14")}
        inquiry.find(reason, step=f"{_STREAMS} streams that clients left", **own)


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
    await _announced(inquiry, speech)


async def _announced(inquiry: Inquiry, speech: Speech) -> None:
    """Listen, have the list changed, and see whether it is said."""
    tool = named_tool(inquiry, _CHANGED, "change_tool", "a tool that changes the list of tools while it runs")
    if tool is None:
        return

    async def change() -> None:
        await anyio.sleep(_LOOK)
        await inquiry.ask("the call that changes the list", speech.call(tool), CALLED)

    heard: list[Reply] = []
    async with anyio.create_task_group() as group:
        group.start_soon(change)
        heard.append(await inquiry.look(cut(speech.get(), _LOOK * 4)))
    if "notifications/tools/list_changed" not in heard[0].body:
        expected, actual = "notifications/tools/list_changed", heard[0].body[:200] or "nothing"
        inquiry.find(Complaint(where="the stream on GET", expected=expected, actual=actual), step=_CHANGED)


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
