"""The answers of an operation: what there is while it runs, the rest when it has ended, and the words for it. Pure.

Words come first and content after them, because hosts cut at the end. Output schemas hold: a tool that may answer
before it has ended advertises both shapes (`widened`), and any other gets no structured content with such an answer,
which then counts as an error, as the protocol wants it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from .operations import Operation
from .pages import RESULT, Cursor, Page, page_of, size_of

META: Final = "ballast/operation"
CONTINUE: Final = "continue_operation"

RUNNING_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Running",
    "description": f"It has not ended yet. Call {CONTINUE} with these to get the rest.",
    "properties": {
        "status": {"const": "running", "type": "string"},
        "operation_id": {"type": "string"},
        "after": {"type": "string"},
    },
    "required": ["status", "operation_id", "after"],
}

CONTINUED_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": ["running", "done"]},
        "operation_id": {"type": "string"},
        "after": {"type": "string", "description": "Set where there is more to get: pass it on."},
        "result": {"description": "The structured result of the tool, where it has one that is not too large."},
    },
    "required": ["status", "operation_id"],
}

_WORDS: Final = 700
"""Bytes of an answer's budget that are set aside for the words around the content."""

_STILL: Final = "{tool} is still running; it has not failed, and it goes on. {shown} {how}"
_HOW: Final = (
    f'To get the rest, call {CONTINUE} with operation_id "{{id}}" and after "{{after}}". Do not call {{tool}} again.'
)
_HOW_AT_ONCE: Final = (
    f'There is more already: call {CONTINUE} with operation_id "{{id}}" and after "{{after}}". '
    "Do not call {tool} again."
)
_HOW_UNLISTED: Final = "To get its answer, make exactly the same call again: nothing is begun a second time."
_SO_FAR: Final = "What it has given so far follows."
_NEW: Final = "What is new since the last answer follows."
_NOTHING: Final = "There is nothing to show yet."
_NOTHING_NEW: Final = "Nothing is new since the last answer."
_ANEW: Final = "The connector was restarted and began it again from the start."
_LEFT_OUT: Final = "{count} further parts found no room here; the final result has them."
_MORE: Final = (
    f'{{tool}} has ended, and this is not all: call {CONTINUE} with operation_id "{{id}}" and after "{{after}}" '
    "for what follows."
)
_MORE_LISTED: Final = (
    f'The first {{shown}} of {{size}} bytes follow. For the rest, call {CONTINUE} with operation_id "{{id}}" and after '
    '"{after}", or read the resource {uri}.'
)
_MORE_UNLISTED: Final = (
    "The first {shown} of {size} bytes follow. The whole is the resource {uri}; or ask {tool} for less at once."
)
_CUT: Final = "The first {shown} of {size} bytes follow; the rest is not kept. Ask {tool} for less at once."
_ENDED: Final = "{tool} has ended; there is nothing more than what was answered before."

GONE: Final = (
    "There is no such operation here: the id is wrong, it belongs to another user or conversation, or it is no longer "
    "kept. Call the tool again if its answer is still needed."
)
LOST_TRACK: Final = (
    "{tool} was cut off by a restart of the connector before it had ended, and it is not begun again by itself. "
    "Whether it had its effect is not known; look first. {shown}"
)
NOT_KEPT: Final = (
    "{tool} has ended or was cut off, and its result is no longer kept. Whether it had its effect is not known; look "
    "first. {shown}"
)
TOO_MANY: Final = (
    "This took longer than can be waited for, and too many calls go on already, so it was stopped. Ask for less at "
    "once, or try again in {seconds} seconds."
)
TOO_LONG: Final = (
    "This took longer than can be waited for, so it was stopped; nothing was changed. Ask for less at once, or try "
    "again in {seconds} seconds."
)
GOES_ON: Final = (
    "This has not ended yet, and it goes on; it has not failed. Nobody said who asks, so its answer cannot be fetched "
    "later. Look whether it took place before you repeat it."
)


def widened(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The output schema of a tool that may answer before it has ended: what it was, or a running operation."""
    shared = {name: value for name, value in schema.items() if name in {"$schema", "$defs", "definitions"}}
    own = {name: value for name, value in schema.items() if name not in shared}
    return {**shared, "type": "object", "anyOf": [own, dict(RUNNING_SCHEMA)]}


def unfinished(
    operation: Operation, cursor: Cursor | None, *, budget: int, is_listed: bool = True, structured: bool = True
) -> dict[str, Any]:
    """The answer of an operation that runs: what is new since `cursor`, None for a first answer.

    `is_listed`: whether the model can call `continue_operation`. `structured`: whether the answer may say in its
    structure that it runs; where not, it counts as an error.
    """
    at = cursor if cursor is not None and cursor.run == operation.run else Cursor(run=operation.run)
    page = page_of(operation.blocks, at, budget - _WORDS)
    after = _next(page, at.run, cursor)
    began_anew = cursor is not None and cursor.run not in {operation.run, RESULT}
    shown = _shown(page, is_first=cursor is None, began_anew=began_anew, left_out=operation.left_out)
    how = (_HOW_AT_ONCE if page.has_more else _HOW) if is_listed else _HOW_UNLISTED
    words = _STILL.format(
        tool=operation.tool, shown=shown, how=how.format(tool=operation.tool, id=operation.id, after=after)
    )
    state = {"status": "running", "operation_id": operation.id, "after": after}
    answer: dict[str, Any] = {"content": [_text(words), *page.blocks], "_meta": {META: state}}
    return answer | ({"structuredContent": state} if structured else {"isError": True})


def finished(operation: Operation, result: Mapping[str, Any], cursor: Cursor, *, budget: int) -> dict[str, Any]:
    """The answer of `continue_operation` when the operation has ended: what of its result was not shown before."""
    content = list(result.get("content") or ())
    at = _within_result(operation.blocks, content, cursor)
    page = page_of(content, at, budget - _WORDS)
    blocks = list(page.blocks)
    state: dict[str, Any] = {"status": "done", "operation_id": operation.id}
    if page.has_more:
        state["after"] = _next(page, RESULT, cursor)
        blocks.insert(0, _text(_MORE.format(tool=operation.tool, id=operation.id, after=state["after"])))
    elif not blocks:
        blocks.append(_text(_ENDED.format(tool=operation.tool)))
    answer = {"content": blocks, "_meta": {**(result.get("_meta") or {}), META: state}}
    if result.get("isError"):
        return answer | {"isError": True}
    whole = result.get("structuredContent")
    if whole is not None and len(str(whole)) <= budget and not page.has_more:
        state = {**state, "result": whole}
    return answer | {"structuredContent": state}


def shortened(
    operation: Operation, result: Mapping[str, Any], *, budget: int, uri: str, is_listed: bool, is_kept: bool
) -> dict[str, Any]:
    """A tool's own answer whose text is longer than `budget`: its beginning, and how to get the rest: by
    `continue_operation` where it `is_listed`, and as the resource `uri`; or that it is not kept.

    Structured content stays whole: what is cut in the middle fits no schema (incident F-06).
    """
    content = list(result.get("content") or ())
    page = page_of(content, Cursor(run=RESULT), budget - _WORDS)
    size = size_of(content)
    shown = {"tool": operation.tool, "shown": size_of(page.blocks), "size": size}
    if not is_kept:
        return {**result, "content": [_text(_CUT.format(**shown)), *page.blocks]}
    state = {"status": "done", "operation_id": operation.id, "after": _next(page, RESULT, None)}
    how = _MORE_LISTED if is_listed else _MORE_UNLISTED
    words = how.format(**shown, id=operation.id, after=state["after"], uri=uri)
    link = {"type": "resource_link", "uri": uri, "name": operation.tool, "mimeType": "text/plain", "size": size}
    meta = {**(result.get("_meta") or {}), META: state}
    return {**result, "content": [_text(words), *page.blocks, link], "_meta": meta}


def told_of(text: str, operation: Operation) -> dict[str, Any]:
    """A tool error about an operation, with what it had given."""
    shown = "What it had given until then follows." if operation.blocks else ""
    words = text.format(tool=operation.tool, shown=shown).rstrip()
    return {"content": [_text(words), *operation.blocks], "isError": True}


def _shown(page: Page, *, is_first: bool, began_anew: bool, left_out: int) -> str:
    some, none = (_SO_FAR, _NOTHING) if is_first or began_anew else (_NEW, _NOTHING_NEW)
    said = some if page.blocks else none
    missing = _LEFT_OUT.format(count=left_out) if left_out and not page.has_more else ""
    return " ".join(filter(None, (_ANEW if began_anew else "", said, missing)))


def _next(page: Page, run: int, cursor: Cursor | None) -> str:
    block, byte = page.then
    return str(Cursor(run=run, block=block, byte=byte, turn=1 if cursor is None else cursor.turn + 1))


def _within_result(pieces: Sequence[Mapping[str, Any]], content: Sequence[Mapping[str, Any]], cursor: Cursor) -> Cursor:
    """Where in the result to go on: behind what was shown in pieces, if the result begins with them."""
    if cursor.run == RESULT:
        return cursor
    seen = cursor.block + (1 if cursor.byte else 0)
    is_same = seen <= len(pieces) and list(pieces[:seen]) == list(content[:seen])
    return replace(cursor, run=RESULT) if is_same else Cursor(run=RESULT, turn=cursor.turn)


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}
