"""CT-04 and CT-05: a call that arrives twice is done once, and both get the answer. They write: on request only."""

import contextlib
from dataclasses import replace
from datetime import date
from typing import Any, Final

import anyio

from ..judging.matchers import Complaint
from ..judging.operators import look_up, same, show
from ..judging.reply import Reply
from ..replay.values import text
from ..replay.wire import Request
from .contract import Contract
from .counter import count, write_tool
from .inquiry import Inquiry
from .outlasting import ask_outlasting
from .raw import as_bytes, connected
from .speech import CALLED, Speech, speaking

_APART: Final = 0.05
_PATIENCE: Final = 10.0


async def ask_twice(inquiry: Inquiry) -> None:
    """Call from two sessions of one person, 50 ms apart, and once more when both have ended."""
    tool = write_tool(inquiry)
    first = await speaking(inquiry, version="2025-11-25")
    second = await speaking(inquiry, version="2025-06-18")
    before = await count(inquiry, first)
    meta = _person(inquiry)
    replies: dict[str, Reply] = {}

    async def call(name: str, speech: Speech, after: float) -> None:
        await anyio.sleep(after)
        replies[name] = await inquiry.ask(name, speech.call(tool, meta=meta), CALLED)

    async with anyio.create_task_group() as group:
        group.start_soon(call, "the first session", first, 0.0)
        group.start_soon(call, "the second session", second, _APART)
    await call("the first session again", first, _APART)
    done = await count(inquiry, first) - before
    for reason in once(done, list(replies.values())):
        inquiry.find(reason, step="what the counter says")


async def ask_again(inquiry: Inquiry) -> None:
    """Go away once the body is sent, without reading, and send the same bytes again."""
    tool = write_tool(inquiry)
    speech = await speaking(inquiry)
    before = await count(inquiry, speech)
    request = speech.call(tool, meta=_person(inquiry))
    await _lose(request)
    reply = await inquiry.ask("the same bytes again", replace(request), CALLED)
    done = await count(inquiry, speech) - before
    for reason in once(done, [reply]):
        inquiry.find(reason, step="what the counter says")
    await ask_outlasting(inquiry, speech, _person(inquiry))


def once(done: int, replies: list[Reply]) -> list[Complaint]:
    """Whether it was done once, and everybody got the same answer. Pure."""
    complaints = []
    if done != 1:
        complaints.append(Complaint(where="effects", expected="1", actual=str(done)))
    answers = [look_up(reply.message, ("result", "content")) for reply in replies]
    first = _without_remarks(answers[0])
    others = [answer for answer in answers[1:] if not same(first, _without_remarks(answer))]
    return complaints + [Complaint(where="result", expected=show(first), actual=show(answer)) for answer in others]


def _without_remarks(content: Any) -> Any:
    """The first part of a result: a server may add that it is a repetition."""
    return content[:1] if isinstance(content, list) else content


async def _lose(request: Request) -> None:
    head, body = as_bytes(request)
    with anyio.move_on_after(_PATIENCE), contextlib.suppress(OSError, anyio.BrokenResourceError):
        async with await connected(request.url) as stream:
            await stream.send(head + body)
            await anyio.sleep(_APART)


def _person(inquiry: Inquiry) -> dict[str, str]:
    random = inquiry.login.random
    return {"openai/subject": f"v1/{text(random, 32)}", "openai/session": f"v1/{text(random, 32)}"}


CT_04: Final = Contract(
    id="CT-04",
    title="A call that a host sends twice is done once",
    about="ChatGPT and others dispatch calls twice, from two sessions, with the same bytes.",
    incidents=("P-04", "D-01", "CT-04"),
    severity="critical",
    advice="Keep the call of a person, tool and arguments while it runs and shortly after, and join equal ones.",
    source="incidents P-04 and D-01 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("legacy",),
    is_destructive=True,
    is_alone=True,
    residue="one effect of the tool that writes",
    ask=ask_twice,
)
CT_05: Final = Contract(
    id="CT-05",
    title="A call whose answer was lost is answered when it comes again, and done once",
    about="Connections break between the effect and the answer; hosts and people then send the call again.",
    incidents=("D-03", "T-18", "CT-05"),
    severity="critical",
    advice="Keep the result of a call whose answer was not delivered, and give it to who asks again.",
    source="incidents D-03 and T-18 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("access",),
    is_destructive=True,
    is_alone=True,
    residue="one effect of the tool that writes",
    ask=ask_again,
)
