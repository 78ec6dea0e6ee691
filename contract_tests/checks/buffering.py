"""CT-16: event streams say that nobody may hold them back, and are not compressed; events come one by one."""

from collections.abc import Iterator
from datetime import date
from http import HTTPStatus
from typing import Any, Final

from ..judging.matchers import Complaint
from ..judging.reply import EVENT_STREAM, Reply
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry
from .speech import Speech, cut, speaking

_PACKED: Final = {"Accept-Encoding": "gzip, br"}
_ANY: Final[dict[str, Any]] = {"ending": ["complete", "cut"]}
_LOOK: Final = 2.0


async def ask(inquiry: Inquiry) -> None:
    """Look for streams where they may be: on GET, and in answers to who reads nothing else."""
    speech = await speaking(inquiry)
    only = {**_PACKED, "Accept": EVENT_STREAM}
    requests = {
        "GET": cut(speech.get(_PACKED), _LOOK),
        "tools/list, events only": speech.request("tools/list", {}, headers=only),
        "tools/call, events only": speech.call(inquiry.tool(), headers=only),
    }
    streams = 0
    for name, request in requests.items():
        reply = await inquiry.ask(name, request, _ANY)
        if not _is_stream(reply):
            continue
        streams += 1
        for reason in held_back(reply):
            own: dict[str, Any] = {"advice": CT_16.advice, "incidents": CT_16.incidents}
            inquiry.complain(where=reason.where, expected=reason.expected, actual=reason.actual, **own)
    if not streams:
        raise CannotBeChecked("it answers no event streams here, neither to GET nor to who reads nothing else")
    await _one_by_one(inquiry, speech)


def held_back(reply: Reply) -> Iterator[Complaint]:
    """What lets a proxy collect or repack a stream. Pure."""
    if (reply.header("x-accel-buffering") or "").strip().lower() != "no":
        yield Complaint(
            where="header x-accel-buffering", expected="no", actual=reply.header("x-accel-buffering") or "none"
        )
    directives = {part.strip().lower() for part in (reply.header("cache-control") or "").split(",")}
    if "no-transform" not in directives:
        actual = reply.header("cache-control") or "none"
        yield Complaint(where="header cache-control", expected="to hold no-transform", actual=actual)
    if packed := reply.header("content-encoding"):
        yield Complaint(where="header content-encoding", expected="to be absent", actual=packed)


async def _one_by_one(inquiry: Inquiry, speech: Speech) -> None:
    """Signs of life of a slow tool have to come while it works."""
    tool = inquiry.catalogue.slow_tool()
    slow = {name for name, example in inquiry.catalogue.examples.items() if example.is_slow}
    if isinstance(tool, str) or tool.name not in slow or not inquiry.means.is_slow:
        reason = 'it needs a tool that reports progress, slow_tool = "NAME" under [checks], and --slow'
        inquiry.skip("events come one by one", reason)
        return
    expect = {"status": [200], "longest_gap": 20.0, "first_byte_within": 20.0}
    request = cut(speech.call(tool, meta={"progressToken": 1}), 30.0, limit=40.0)
    await inquiry.ask("events come one by one", request, {**expect, "ending": ["complete", "cut"]})


def _is_stream(reply: Reply) -> bool:
    return reply.status == HTTPStatus.OK and reply.media == EVENT_STREAM


CT_16: Final = Contract(
    id="CT-16",
    title="Event streams forbid buffering and transforming, and are not compressed",
    about="A proxy that collects or compresses a stream hides its first byte, and hosts take that for a dead server.",
    incidents=("T-04", "CT-16"),
    severity="serious",
    advice="Send X-Accel-Buffering: no and Cache-Control: no-transform with event streams, and never compress them.",
    source="nginx, X-Accel-Buffering; RFC 9111, 5.2.2.6; incident T-04 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("tool",),
    ask=ask,
)
