"""CT-05, its second half: a call that takes longer than the host waits, asked again, is one operation."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ..judging.matchers import Complaint
from ..judging.operators import look_up
from ..judging.reply import Reply
from .counter import count
from .inquiry import Inquiry
from .named_tool import named_tool
from .speech import CALLED, Speech

_LONG: Final = "a call that outlasts its deadline"
_LONGEST: Final = 300.0
_HANDLE: Final = (
    "Answer before the deadline with a handle to the running operation, and give the same one to a repetition."
)
_HANDLE_NAMES: Final = re.compile(r"(operation|task|job|run)([_-]?(id|handle))?$|^handle$", re.IGNORECASE)


async def ask_outlasting(inquiry: Inquiry, speech: Speech, person: Mapping[str, str]) -> None:
    """A call that takes longer than the host waits: asked again, it is the same operation."""
    tool = named_tool(inquiry, _LONG, "long_write", "a tool that writes and takes longer than its deadline")
    if tool is None:
        return
    if not inquiry.means.is_slow:
        inquiry.skip(_LONG, "it really takes that long: add --slow")
        return
    before = await count(inquiry, speech)
    request = replace(speech.call(tool, meta=person), limit=_LONGEST)
    more: dict[str, Any] = {"incidents": ("D-02", "CT-05"), "advice": _HANDLE}
    replies = [await inquiry.ask(f"{_LONG}, {words}", request, CALLED, **more) for words in ("first", "again")]
    for reason in same_operation(replies, await count(inquiry, speech) - before):
        inquiry.find(reason, step=_LONG, **more)


def same_operation(replies: Sequence[Reply], done: int) -> list[Complaint]:
    """Whether two calls of what takes long were one operation: one handle, or one answer, and one effect. Pure."""
    complaints = []
    if done > 1:
        complaints.append(Complaint(where="effects", expected="at most 1 by now", actual=str(done)))
    handles = [next(iter(sorted(_handles(look_up(reply.message, ("result",))))), "") for reply in replies]
    if len(set(handles)) > 1:
        complaints.append(Complaint(where="the operation", expected=handles[0] or "none", actual=handles[1] or "none"))
    return complaints


def _handles(value: Any) -> Iterator[str]:
    """Texts that stand where an operation is named: in members called operation_id, taskId, job and the like."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if isinstance(item, str) and _HANDLE_NAMES.search(str(name)):
                yield item
            yield from _handles(item)
    elif isinstance(value, list):
        for item in value:
            yield from _handles(item)
