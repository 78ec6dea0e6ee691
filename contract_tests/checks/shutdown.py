"""CT-31, what needs a tool that takes its time: health while it runs, and what becomes of calls when it must leave."""

from collections.abc import Sequence
from math import ceil
from time import monotonic
from typing import Any, Final

import anyio
import anyio.to_thread

from ..judging.matchers import Complaint
from ..judging.reply import Reply
from ..outcome import Ending
from ..replay.values import origin_of
from ..replay.wire import Request
from .inquiry import Inquiry
from .named_tool import named_tool
from .speech import CALLED, Speech, speaking

_CALLS: Final = 20
_EVERY: Final = 0.1
_MOST: Final = 0.2
_SHARE: Final = 0.99
_BLOCKING: Final = "a tool that takes about three seconds and, being synchronous, would block a careless server"
_HEALTH: Final = "health while tools block"
_LEAVING: Final = "calls in flight at a shutdown"
_NO_HEALTH: Final = 'nothing answers 200 at {}: write health = "/path" under [checks]'
_WHOLE: Final = "Stop taking calls, finish those you have, deliver them, and leave: within what the platform grants."
_FREE: Final = "Run synchronous tools in threads, so that health checks and other calls go on."


async def ask_health(inquiry: Inquiry) -> None:
    """Call the tool twenty times at once and ask for health every 100 ms meanwhile."""
    tool = named_tool(inquiry, _HEALTH, "blocking_tool", _BLOCKING)
    if tool is None:
        return
    speech = await speaking(inquiry)
    request = _health(inquiry, speech)
    if (await inquiry.look(request)).status != 200:  # noqa: PLR2004 - healthy
        inquiry.skip(_HEALTH, _NO_HEALTH.format(inquiry.means.health))
        return
    took: list[float] = []
    async with anyio.create_task_group() as group:
        group.start_soon(_watch, inquiry, request, took)
        await _call_often(inquiry, speech.call(tool))
        group.cancel_scope.cancel()
    more: dict[str, Any] = {"incidents": ("L-03", "CT-31"), "advice": _FREE}
    if reason := too_slow(took):
        inquiry.find(reason, step=_HEALTH, **more)


def _health(inquiry: Inquiry, speech: Speech) -> Request:
    place = Speech(inquiry=inquiry, url=origin_of(inquiry.url) + inquiry.means.health, version=speech.version)
    return place.raw("GET", {"Content-Type": None, "Accept": "*/*"})


async def _watch(inquiry: Inquiry, request: Request, took: list[float]) -> None:
    while True:
        since = monotonic()
        await inquiry.look(request)
        took.append(monotonic() - since)
        await anyio.sleep(max(0.0, _EVERY - took[-1]))


async def _call_often(inquiry: Inquiry, request: Request) -> None:
    async with anyio.create_task_group() as group:
        for number in range(_CALLS):
            group.start_soon(_one, inquiry, request, number)


async def _one(inquiry: Inquiry, request: Request, number: int) -> None:
    more: dict[str, Any] = {"quiet": True, "incidents": ("L-03", "CT-31"), "advice": _FREE}
    expect = {"any_of": [CALLED, {"name": "429 or 503, at a cap", "status": [429, 503]}]}
    await inquiry.ask(f"call {number + 1} of {_CALLS} at once", request, expect, **more)


def too_slow(took: Sequence[float]) -> Complaint | None:
    """Whether the slowest but one in a hundred took longer than 200 ms. Pure."""
    if not took:
        return None
    slowest = sorted(took)[ceil(len(took) * _SHARE) - 1]
    if slowest < _MOST:
        return None
    actual = f"{slowest * 1000:.0f} ms, of {len(took)}"
    return Complaint(where="99 of 100 answers", expected=f"within {_MOST * 1000:.0f} ms", actual=actual)


async def ask_shutdown(inquiry: Inquiry) -> None:
    """Have the process told to leave while calls are in flight; each must be answered wholly, or not taken at all."""
    if inquiry.means.leave is None:
        inquiry.skip(_LEAVING, "the process has to be told to leave: start it with [target] command = [...]")
        return
    tool = named_tool(inquiry, _LEAVING, "blocking_tool", _BLOCKING)
    if tool is None:
        return
    speech = await speaking(inquiry)
    replies: list[Reply] = []

    async def call() -> None:
        replies.append(await inquiry.look(speech.call(tool)))

    async with anyio.create_task_group() as group:
        for _ in range(_CALLS // 4):
            group.start_soon(call)
        await anyio.sleep(_EVERY * 5)
        await anyio.to_thread.run_sync(inquiry.means.leave)
    inquiry.tally()
    for reason in filter(None, map(why_lost, replies)):
        inquiry.find(reason, step=_LEAVING, incidents=("T-11", "CT-31"), advice=_WHOLE)
        return


def why_lost(reply: Reply) -> Complaint | None:
    """Whether a call that was taken was not answered to its end. Pure."""
    if reply.status is None and reply.ending is Ending.UNREACHABLE:
        return None
    if reply.ending is Ending.COMPLETE and (reply.status == 503 or is_answered(reply)):  # noqa: PLR2004 - not taken
        return None
    came = f"status {reply.status}, {reply.ending.value}" if reply.status else reply.ending.value
    return Complaint(where="the answer of a call in flight", expected="a whole result, or 503", actual=came)


def is_answered(reply: Reply) -> bool:
    """Whether a reply holds a result or an error of JSON-RPC. Pure."""
    return isinstance(reply.message, dict) and bool({"result", "error"} & set(reply.message))
