"""CT-03: hosts open sessions and never close them; three hundred later the server is what it was."""

from dataclasses import replace
from datetime import date
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from typing import Final

from ..judging.matchers import Complaint
from ..judging.operators import look_up
from ..judging.reply import Reply
from ..notation.session import MISSING
from .contract import Contract
from .inquiry import Inquiry
from .speech import CALLED, Speech, offered, speaking

_SESSIONS: Final = 300
_MANY: Final = 10_000
_ROUNDS: Final = 3
_MOST_GROWTH: Final = 5 * 1024
"""Bytes per abandoned session that may stay (design value of CT-03)."""


async def ask(inquiry: Inquiry) -> None:
    """Open sessions, call once in each, and leave them; one opened before has to go on."""
    old = await speaking(inquiry)
    pid = inquiry.means.pid() if inquiry.means.pid else None
    sizes = [resident(pid)]
    per_round = (_MANY if inquiry.means.is_slow else _SESSIONS) // _ROUNDS
    for number in range(_ROUNDS):
        for _ in range(per_round):
            if reason := why_bad(await _abandon(inquiry)):
                inquiry.find(reason, step=f"session in round {number + 1}")
                break
        sizes.append(resident(pid))
    await inquiry.ask("the session from before", old.call(inquiry.tool()), CALLED)
    again = await speaking(inquiry)
    await inquiry.ask("a new session", again.call(inquiry.tool()), CALLED)
    if reason := growing(sizes, per_round):
        inquiry.find(reason, step="memory")
    elif None in sizes:
        inquiry.skip("memory", "the process is not known: serve an object, or start it with [target] command = [...]")


async def _abandon(inquiry: Inquiry) -> Reply:
    speech = Speech(inquiry=inquiry)
    opened = await inquiry.look(speech.request("initialize", offered()))
    inquiry.tally()
    if look_up(opened.message, ("result",)) is MISSING:
        return opened
    speech = replace(speech, session=opened.header("mcp-session-id") or "")
    await inquiry.look(speech.notify("notifications/initialized"))
    return await inquiry.look(speech.call(inquiry.tool()))


def why_bad(reply: Reply) -> Complaint | None:
    """Whether one session of many was refused otherwise than in words a host knows. Pure."""
    if reply.status in {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}:
        return None
    return Complaint(where="status", expected="200, or 429 at a cap", actual=str(reply.status or reply.ending.value))


def growing(sizes: list[int | None], per_round: int) -> Complaint | None:
    """Whether memory grew by more per session than may stay; the first round warms up. Pure."""
    known = [size for size in sizes if size is not None]
    if len(known) != len(sizes) or len(known) < 3:  # noqa: PLR2004 - a round beside the first
        return None
    least = min((later - earlier) / per_round for earlier, later in pairwise(known[1:]))
    if least <= _MOST_GROWTH:
        return None
    return Complaint(where="memory", expected=f"at most {_MOST_GROWTH} bytes a session", actual=f"{least:.0f} bytes")


def resident(pid: int | None) -> int | None:
    """Bytes of memory a process has; None if that cannot be known."""
    if pid is None:
        return None
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("VmRSS:")), None)
    return None if found is None else int(found) * 1024


CT_03: Final = Contract(
    id="CT-03",
    title="Sessions that nobody closes cost nothing for ever",
    about="ChatGPT opens a session per batch and deletes none. Who keeps them all runs out of memory in a week.",
    incidents=("P-03", "L-01", "CT-03"),
    severity="serious",
    advice="Keep no sessions, or let them end by age and number; refuse more than a cap with 429.",
    source="incidents P-03 and L-01 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("legacy", "tool"),
    is_destructive=True,
    is_alone=True,
    residue="hundreds of abandoned sessions",
    ask=ask,
)
