"""How often the write tool has had its effect, as the user's counter says it: an address, or a tool that reads."""

import json
import re
from collections.abc import Iterable
from typing import Any

from ..judging.operators import look_up
from ..judging.reply import Reply
from ..notation.session import MISSING
from ..offer.catalogue import CallableTool, Example
from ..replay.wire import Request
from .inquiry import CannotBeChecked, Inquiry
from .speech import LIMIT, Speech

WHAT_TO_SET = (
    'under [checks] write = "NAME" and [tools.NAME] arguments = {...}, and counter = "http://.../count" (or the '
    "name of a tool that gives the number) under [target]"
)


def write_tool(inquiry: Inquiry) -> CallableTool:
    """The tool whose effect is counted, with the user's arguments.

    Raises:
        CannotBeChecked: none is named, or it has no arguments, or nothing counts.
    """
    name = inquiry.means.write
    example = inquiry.catalogue.examples.get(name, Example())
    if not name or example.arguments is None or not inquiry.means.counter:
        raise CannotBeChecked(f"it needs a tool that writes and something that counts: {WHAT_TO_SET}")
    return CallableTool(name=name, arguments=example.arguments)


async def count(inquiry: Inquiry, speech: Speech) -> int:
    """Ask the counter.

    Raises:
        CannotBeChecked: it gives no number.
    """
    counter = inquiry.means.counter
    if "://" in counter:
        request = Request(method="GET", url=counter, headers=(("Accept", "application/json, text/plain"),), limit=LIMIT)
        found = number_in([(await inquiry.look(request)).body])
    else:
        example = inquiry.catalogue.examples.get(counter, Example())
        tool = CallableTool(name=counter, arguments=example.arguments or {})
        found = number_in(_said(await inquiry.look(speech.call(tool))))
    if found is None:
        raise CannotBeChecked(f"the counter {counter} gives no number: let it answer with one, such as 7")
    return found


def number_in(texts: Iterable[Any]) -> int | None:
    """The first whole number: a bare one, the only one among the members of an object, or one in a text. Pure."""
    for text in texts:
        value = text
        if isinstance(text, str):
            try:
                value = json.loads(text)
            except ValueError:
                value = text
        values = list(value.values()) if isinstance(value, dict) else [value]
        numbers = [each for each in values if isinstance(each, int) and not isinstance(each, bool)]
        if len(numbers) == 1:
            return numbers[0]
        if isinstance(value, str) and (match := re.search(r"\d+", value)):
            return int(match[0])
    return None


def _said(reply: Reply) -> list[Any]:
    structured = look_up(reply.message, ("result", "structuredContent"))
    text = look_up(reply.message, ("result", "content", 0, "text"))
    return [value for value in (structured, text) if value is not MISSING]
