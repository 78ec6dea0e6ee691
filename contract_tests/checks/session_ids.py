"""CT-01 and CT-02: a session id that is missing or unknown stops no call; many handshakes do no harm."""

from dataclasses import replace
from datetime import date
from typing import Final

import anyio

from ..judging.matchers import Complaint
from ..judging.reply import Reply
from ..replay.values import text
from .contract import Contract
from .inquiry import Inquiry
from .speech import CALLED, RESULT, Speech, offered, speaking

_TIMES: Final = 5
_GONE: Final = {
    "name": "404 with a JSON-RPC error",
    "status": [404],
    "media": ["application/json"],
    "json": [{"at": "error.code", "type": "integer"}],
}


async def ask_without(inquiry: Inquiry) -> None:
    """Call without the id that initialize gave; then shake hands often, one after the other and at once."""
    opened = await speaking(inquiry)
    without = replace(opened, session="")
    await inquiry.ask("a call without a session id", without.call(inquiry.tool()), CALLED)
    replies: list[Reply] = []

    async def open_one(name: str) -> None:
        request = Speech(inquiry=inquiry).request("initialize", offered())
        more = {"incidents": ("T-12", "CT-01"), "advice": _HANDSHAKES}
        replies.append(await inquiry.ask(f"initialize, {name}", request, RESULT, quiet=True, **more))

    for number in range(_TIMES):
        await open_one(f"number {number + 1} in a row")
    async with anyio.create_task_group() as group:
        for number in range(_TIMES):
            group.start_soon(open_one, f"number {number + 1} at once")
    given = [reply.header("mcp-session-id") for reply in replies]
    if reason := shared_ids(given):
        inquiry.find(reason, step="session ids of ten handshakes", incidents=("T-12", "CT-01"), advice=_HANDSHAKES)


def shared_ids(given: list[str | None]) -> Complaint | None:
    """What is wrong with the session ids of several handshakes. Pure."""
    ids = [one for one in given if one]
    if len(set(ids)) == len(ids):
        return None
    return Complaint(
        where="header mcp-session-id",
        expected="another one for every handshake, or none",
        actual=f"{len(set(ids))} ids for {len(ids)} handshakes",
    )


_HANDSHAKES = "Give every initialize a session of its own, or none at all: hosts open several clients side by side."


async def ask_unknown(inquiry: Inquiry) -> None:
    """Call with a session id nobody gave out."""
    await speaking(inquiry)
    made_up = Speech(inquiry=inquiry, session=text(inquiry.login.random, 32, "0123456789abcdef"))
    await inquiry.ask("a call with an unknown session id", made_up.call(inquiry.tool()), {"any_of": [CALLED, _GONE]})


CT_01: Final = Contract(
    id="CT-01",
    title="A call without a session id is answered, and handshakes do not disturb each other",
    about="ChatGPT stopped sending Mcp-Session-Id with tools/call, unannounced; it opens several clients at once.",
    incidents=("P-01", "T-12", "CT-01"),
    severity="critical",
    advice="Answer calls without Mcp-Session-Id: keep nothing in a session that a call needs.",
    source="incidents P-01 and T-12 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("legacy", "tool"),
    ask=ask_without,
)
CT_02: Final = Contract(
    id="CT-02",
    title="An unknown session id gets the answer, or exactly 404",
    about="After a restart hosts come with ids of before. 404 makes them begin anew; 400 or 500 leaves them broken.",
    incidents=("P-22", "CT-02"),
    severity="critical",
    advice="Answer all the same, or with status 404 and a JSON-RPC error; the specification gives no other status.",
    source="MCP 2025-11-25, Streamable HTTP, session management; incident P-22 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("legacy", "tool"),
    ask=ask_unknown,
)
