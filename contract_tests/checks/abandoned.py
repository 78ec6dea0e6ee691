"""CT-03: hosts open sessions and never close them, flood, and close at once; afterwards the server is what it was."""

from dataclasses import replace
from datetime import date
from http import HTTPStatus
from itertools import pairwise
from typing import Any, Final

from ..judging.matchers import Complaint
from ..judging.operators import look_up
from ..judging.reply import Reply
from ..login.signing_in import Grant, NoGrant, credentials_of
from ..notation.session import MISSING
from ..replay.needs import why_no_oauth
from ..side_by_side import side_by_side
from .contract import Contract
from .inquiry import Inquiry
from .processes import open_files, resident
from .speech import CALLED, Speech, offered, speaking

_SESSIONS: Final = 300
_MANY: Final = 10_000
_ROUNDS: Final = 5
"""What is kept for good grows in each of them; what only warms up does not."""

_MOST_GROWTH: Final = 5 * 1024
"""Bytes per abandoned session that may stay (design value of CT-03)."""

_FLOOD: Final = 200
_FLOOD_AT_ONCE: Final = 20
_PAIRS: Final = 50
_CLIENTS: Final = 20
_MANY_REFRESHES: Final = 5_000
_REFRESHES: Final = 200
_MOST_FILES: Final = 25
"""Open files that may have come: as many connections as this tool keeps open itself, and a log."""

_UNKNOWN: Final = "the process is not known: serve an object, or start it with [target] command = [...]"
_CLOSED: Final[dict[str, Any]] = {"status": [200, 202, 204, 400, 404, 405]}


async def ask(inquiry: Inquiry) -> None:
    """Abandon sessions, flood, open and close, refresh; one opened before has to go on."""
    old = await speaking(inquiry)
    pid = inquiry.means.pid() if inquiry.means.pid else None
    files = open_files(pid)
    await _leave_many(inquiry, pid)
    await _flood(inquiry)
    await _open_and_close(inquiry)
    await _refresh_often(inquiry)
    await inquiry.ask("the session from before", old.call(inquiry.tool()), CALLED)
    again = await speaking(inquiry)
    await inquiry.ask("a new session", again.call(inquiry.tool()), CALLED)
    if reason := leaking(files, open_files(pid)):
        inquiry.find(reason, step="open files")
    elif files is None:
        inquiry.skip("open files", "they are those of a process of its own: start it with [target] command = [...]")
    inquiry.skip("introspections, log rate and CPU afterwards", "they are seen in the target's own metrics, not here")


async def _leave_many(inquiry: Inquiry, pid: int | None) -> None:
    sizes = [resident(pid)]
    per_round = (_MANY if inquiry.means.is_slow else _SESSIONS) // _ROUNDS
    for number in range(_ROUNDS):
        for _ in range(per_round):
            if reason := why_bad(await _abandon(inquiry)):
                inquiry.find(reason, step=f"session in round {number + 1}")
                break
        sizes.append(resident(pid))
    if reason := growing(sizes, per_round):
        inquiry.find(reason, step="memory")
    elif None in sizes:
        inquiry.skip("memory", _UNKNOWN)


async def _abandon(inquiry: Inquiry) -> Reply:
    speech = Speech(inquiry=inquiry)
    opened = await inquiry.look(speech.request("initialize", offered()))
    inquiry.tally()
    if look_up(opened.message, ("result",)) is MISSING:
        return opened
    speech = replace(speech, session=opened.header("mcp-session-id") or "")
    await inquiry.look(speech.notify("notifications/initialized"))
    return await inquiry.look(speech.call(inquiry.tool()))


async def _flood(inquiry: Inquiry) -> None:
    """Handshakes from one address, many at once: each is answered, or refused in words a host knows."""

    async def knock(_: int) -> Reply:
        return await inquiry.look(Speech(inquiry=inquiry).request("initialize", offered()))

    replies = await side_by_side(range(_FLOOD), knock, at_once=_FLOOD_AT_ONCE)
    bad = [reason for reply in replies if (reason := why_bad(reply))]
    if bad:
        inquiry.find(bad[0], step=f"{_FLOOD} handshakes at once, {len(bad)} of them")


async def _open_and_close(inquiry: Inquiry) -> None:
    """Sessions that are closed as soon as they are open; an id that was closed must be unknown, or never have been."""
    speech = Speech(inquiry=inquiry)
    for number in range(_PAIRS):
        opened = await inquiry.look(speech.request("initialize", offered()))
        session = opened.header("mcp-session-id")
        if not session:
            inquiry.skip("sessions that are closed", "initialize gives no session id: there is nothing to close")
            return
        own = replace(speech, session=session)
        closed = await inquiry.ask(f"DELETE, number {number + 1}", _delete(own), _CLOSED, quiet=True)
        if closed.status not in {HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT}:
            inquiry.skip("sessions that are closed", f"DELETE is answered {closed.status}: sessions end by themselves")
            return
    await inquiry.ask("a call in a closed session", own.call(inquiry.tool()), {"status": [404]})


def _delete(speech: Speech) -> Any:
    headers = {"Mcp-Session-Id": speech.session, "MCP-Protocol-Version": speech.version, "Content-Type": None}
    return speech.raw("DELETE", headers)


async def _refresh_often(inquiry: Inquiry) -> None:
    """Refreshes of distinct clients, each with the token that the last one gave."""
    if reason := why_no_oauth(inquiry.catalogue):
        inquiry.skip("refreshes of many clients", reason)
        return
    try:
        grants = [await inquiry.login.sign_in() for _ in range(_CLIENTS)]
        per_client = (_MANY_REFRESHES if inquiry.means.is_slow else _REFRESHES) // _CLIENTS
        for grant in grants:
            await _refresh(inquiry, grant, per_client)
    except NoGrant as problem:
        inquiry.skip("refreshes of many clients", str(problem))


async def _refresh(inquiry: Inquiry, grant: Grant, times: int) -> None:
    inquiry.keep_secret(grant.access_token, grant.refresh_token)
    for _ in range(times if grant.refresh_token else 0):
        fields = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token, **credentials_of(grant.client)}
        expect = {"status": [200, 429], "media": ["application/json"]}
        reply = await inquiry.ask("refresh", inquiry.agent.form(grant.endpoints.token, fields), expect, quiet=True)
        if reply.status != HTTPStatus.OK:
            return
        found = reply.message if isinstance(reply.message, dict) else {}
        grant = replace(grant, refresh_token=str(found.get("refresh_token") or grant.refresh_token))


def why_bad(reply: Reply) -> Complaint | None:
    """Whether one session of many was refused otherwise than in words a host knows. Pure."""
    if reply.status in {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}:
        return None
    if reply.status == HTTPStatus.SERVICE_UNAVAILABLE and reply.header("retry-after"):
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


def leaking(before: int | None, after: int | None) -> Complaint | None:
    """Whether more files stay open than connections explain. Pure."""
    if before is None or after is None or after - before <= _MOST_FILES:
        return None
    return Complaint(where="open files", expected=f"at most {_MOST_FILES} more", actual=f"{after - before} more")


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
