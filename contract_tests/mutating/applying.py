"""Making the session that a change describes. Pure: a session and changes in, a session out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..notation.session import MISSING, Expect, FormBody, JsonBody, Place, Send, Session, Step
from .change import Change, Edit, Part, Position


def changed(session: Session, changes: Sequence[Change]) -> Session:
    """The session with all the changes made; who comes beside it is not part of it."""
    return replace(session, steps=tuple(step for original in session.steps for step in _around(original, changes)))


def clients(changes: Sequence[Change]) -> int:
    """How many clients play the changed session at the same time."""
    return 1 + any(change.position is Position.BESIDE for change in changes)


def _around(step: Step, changes: Sequence[Change]) -> Iterator[Step]:
    own = [change for change in changes if change.step == step.name]
    yield from (_extra(step, change) for change in own if change.position is Position.BEFORE)
    yield _here(step, [change for change in own if change.position is Position.HERE])
    yield from (_extra(step, change) for change in own if change.position is Position.AFTER)


def _here(step: Step, changes: Sequence[Change]) -> Step:
    for change in changes:
        step = _edited(step, change.edits)
        step = replace(step, expect=change.expect) if change.expect is not None else step
    return step


def _extra(step: Step, change: Change) -> Step:
    """A step of the change's own, or a copy that keeps nothing, so that the dialogue goes on from the original."""
    if change.new is not None:
        return change.new
    copy = _edited(replace(step, name=f"{step.name}, {change.label}", captures=(), pause=0.0), change.edits)
    return replace(copy, expect=change.expect) if change.expect is not None else copy


def _edited(step: Step, edits: Sequence[Edit]) -> Step:
    for edit in edits:
        if edit.part is Part.CUT:
            step = replace(step, cut_after=edit.value)
        elif edit.part is Part.PACE:
            step = replace(step, send_over=edit.value)
        else:
            step = replace(step, send=_edited_send(step.send, edit))
    return step


def _edited_send(send: Send, edit: Edit) -> Send:
    match edit.part, send.body:
        case Part.BODY, JsonBody(value=value):
            return replace(send, body=JsonBody(value=with_value(value, edit.place, edit.value)))
        case Part.FORM, FormBody(fields=fields):
            return replace(send, body=FormBody(fields=with_value(dict(fields), edit.place, edit.value)))
        case Part.QUERY, _:
            return replace(send, query=with_value(dict(send.query), edit.place, edit.value))
        case Part.HEADER, _:
            return replace(send, headers=_with_header(send.headers, str(edit.place[0]), edit.value))
    raise AssertionError(f"unreachable because rules edit what a step has: {edit.part} of {type(send.body).__name__}")


def _with_header(headers: Mapping[str, str], name: str, value: Any) -> dict[str, str]:
    known = next((key for key in headers if key.lower() == name.lower()), name)
    if value is MISSING:
        return {key: own for key, own in headers.items() if key != known}
    return {**headers, known: value}


def with_value(root: Any, place: Place, value: Any) -> Any:
    """A copy of JSON with the value at a place set; `MISSING` takes it out."""
    if not place:
        return value
    first, *rest = place
    if isinstance(root, list):
        return [with_value(item, tuple(rest), value) if index == first else item for index, item in enumerate(root)]
    if not rest and value is MISSING:
        return {key: own for key, own in root.items() if key != first}
    return {**root, first: with_value(root.get(first), tuple(rest), value)}


def with_id(expect: Expect, old: Any, new: Any) -> Expect:
    """The expectation of a reply to the same request under another id."""
    json = tuple(
        replace(check, operand=new) if check.at == ("id",) and check.operand == old else check for check in expect.json
    )
    return replace(expect, json=json, any_of=tuple(with_id(option, old, new) for option in expect.any_of))
