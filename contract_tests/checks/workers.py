"""CT-30: no session lives in one process: requests that alternate between two are answered as by one."""

from dataclasses import replace
from datetime import date
from typing import Final

from ..replay.values import is_loopback
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry
from .speech import CALLED, RESULT, Speech, offered

_SESSIONS: Final = 200
_FEWER: Final = 60
"""Sessions without --slow; the fault shows in the first ones or never."""


async def ask(inquiry: Inquiry) -> None:
    """Play whole sessions, each request to the next process."""
    urls = inquiry.means.workers
    if len(urls) < 2:  # noqa: PLR2004 - a pair is what it takes
        raise CannotBeChecked('it takes two processes of the server: [target] workers = ["http://...", "http://..."]')
    count = _SESSIONS if inquiry.means.is_slow or all(map(is_loopback, urls)) else _FEWER
    for number in range(count):
        await _session(inquiry, number, urls)
        if inquiry.has_enough:
            return


async def _session(inquiry: Inquiry, number: int, urls: tuple[str, ...]) -> None:
    def at(step: int) -> str:
        return urls[(number + step) % len(urls)]

    speech = Speech(inquiry=inquiry, url=at(0))
    steps = f"session {number + 1}"
    reply = await inquiry.ask(f"{steps}, initialize", speech.request("initialize", offered()), RESULT, quiet=number > 0)
    opened = replace(speech, session=reply.header("mcp-session-id") or "")
    taken = replace(opened, url=at(1)).notify("notifications/initialized")
    await inquiry.ask(f"{steps}, initialized", taken, {"status": [202]}, quiet=number > 0)
    listed = replace(opened, url=at(2)).request("tools/list", {})
    await inquiry.ask(f"{steps}, tools/list", listed, RESULT, quiet=number > 0)
    called = replace(opened, url=at(3)).call(inquiry.tool())
    await inquiry.ask(f"{steps}, tools/call", called, CALLED, quiet=number > 0)


CT_30: Final = Contract(
    id="CT-30",
    title="Requests of one session may reach any process",
    about="Balancers do not know sessions. What one process keeps in memory, the next one answers with 404.",
    incidents=("T-07", "CT-30"),
    severity="critical",
    advice="Keep no session in the memory of one process: be stateless, or share a store.",
    source="incident T-07 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("legacy", "tool"),
    ask=ask,
)
