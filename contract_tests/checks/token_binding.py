"""CT-28, beside its session: whose token it is decides, not in which session it comes."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from ..judging.matchers import Complaint
from ..judging.operators import look_up, show
from ..login.signing_in import Grant
from ..offer.catalogue import CallableTool
from .contract import Contract
from .inquiry import Inquiry
from .named_tool import named_tool
from .speech import CALLED, Speech, offered

_GONE: Final[dict[str, Any]] = {"name": "404, so that the host begins anew", "status": [404]}
_EITHER: Final[dict[str, Any]] = {"any_of": [CALLED, _GONE]}
_SHOWN: Final = 16
"""Hexadecimal digits of a hash that tell one token from another."""


async def ask(inquiry: Inquiry) -> None:
    """Go on in one person's session with a token of another registration; compare what the tool sees of each."""
    first, second = await inquiry.grant(), await inquiry.grant()
    speaker = _Speaker(inquiry, first)
    opened = await speaker.open()
    tool = inquiry.tool()
    await inquiry.ask("the token it began with", speaker.call(opened, tool), CALLED)
    other = _Speaker(inquiry, second)
    name = "a token of another registration"
    await inquiry.ask(name, other.call(opened, tool), _EITHER)
    inquiry.skip(
        "a token of another person", "it takes two people: log in as another one, and see that the session is 404"
    )
    echo = named_tool(inquiry, "the token a tool sees", "token_hash", "a tool that gives its token's SHA-256 in hex")
    for words, one in (("the first", speaker), ("the second", other)) if echo else ():
        await _seen(inquiry, one, f"the token a tool sees, {words}", echo)


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Somebody with a token."""

    inquiry: Inquiry
    grant: Grant

    @property
    def _headers(self) -> dict[str, str | None]:
        return {"Authorization": f"Bearer {self.grant.access_token}"}

    async def open(self) -> Speech:
        """Shake hands; the speech without a session where there is none."""
        speech = Speech(inquiry=self.inquiry)
        opened = await self.inquiry.look(speech.request("initialize", offered(), headers=self._headers))
        return replace(speech, session=opened.header("mcp-session-id") or "")

    def call(self, speech: Speech, tool: CallableTool) -> Any:
        """A call with the token."""
        return speech.call(tool, headers=self._headers)


async def _seen(inquiry: Inquiry, speaker: _Speaker, name: str, tool: CallableTool | None) -> None:
    if tool is None:
        return
    reply = await inquiry.ask(name, speaker.call(await speaker.open(), tool), CALLED)
    said = show(look_up(reply.message, ("result",))).lower()
    if not inquiry.steps[-1].findings and not hash_in(said, speaker.grant.access_token):
        reason = Complaint(where="result", expected="the SHA-256 of the token of this request", actual="another text")
        inquiry.find(reason, step=name)


def hash_in(said: str, token: str) -> bool:
    """Whether a text holds enough of a token's SHA-256 to tell it from others. Pure."""
    return hashlib.sha256(token.encode()).hexdigest()[:_SHOWN] in said


CT_28: Final = Contract(
    id="CT-28",
    title="The token of a request decides who asks, whatever its session is",
    about="Tokens rotate within a session. A server that keeps the first one acts for somebody who is not asking.",
    incidents=("O-02", "O-03", "CT-28"),
    severity="critical",
    advice="Take the person from the token of each request; answer another person's session with 404.",
    source="MCP 2025-11-25, security best practices, session hijacking; incidents O-02 and O-03 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    needs=("tool",),
    residue="two registered clients",
    ask=ask,
)
