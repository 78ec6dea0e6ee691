"""Does a reply hold what a session expects of it? Pure: values in, complaints out.

One table of operators; every complaint says what was expected and what came, in words a developer can act on.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from ..errors import CannotFill
from ..notation.document import dotted
from ..notation.session import MISSING, Check, Expect, Place
from ..notation.template import fill
from ..outcome import Ending
from .conformity import why_not
from .reply import EVENT_STREAM, Reply, load

_SHOWN = 300  # characters of a value in a complaint: enough to recognise it, short enough for a terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One expectation that did not hold."""

    where: str
    expected: str
    actual: str
    incidents: tuple[str, ...] = ()
    advice: str = ""


def judge(expect: Expect, reply: Reply, values: Mapping[str, Any]) -> list[Complaint]:
    """Return every complaint about a reply; none if all that `expect` says holds."""
    complaints = [complaint for part in _PARTS for complaint in part(expect, reply, values)]
    if expect.any_of:
        complaints += _judge_alternatives(expect.any_of, reply, values)
    return complaints


def look_up(value: Any, place: Place) -> Any:
    """Return what stands at a place of JSON, or `MISSING`."""
    for key in place:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, dict) and str(key) in value:
            value = value[str(key)]
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return MISSING
    return value


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def show(value: Any) -> str:
    """Write a JSON value for people, shortened."""
    if value is MISSING:
        return "nothing there"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _judge_ending(expect: Expect, reply: Reply, _: Mapping[str, Any]) -> Iterator[Complaint]:
    allowed = expect.ending or ("complete",)
    if reply.ending is Ending.COMPLETE and "complete" in allowed:
        return
    if reply.ending is Ending.CUT_BY_CLIENT and "cut" in allowed:
        return
    wanted = {"complete": "a complete reply", "cut": "a stream that stays open until the client leaves"}
    yield Complaint(
        where="ending", expected=" or ".join(wanted[way] for way in allowed), actual=_ending_in_words(reply)
    )


def _ending_in_words(reply: Reply) -> str:
    size = len(reply.body.encode())
    after = f"after {reply.duration:.1f} s" + ("" if reply.status is None else f", {size} bytes into the body")
    words = f"{reply.ending.value} {after}"
    return f"{words}: {reply.trouble}" if reply.trouble else words


def _judge_status(expect: Expect, reply: Reply, _: Mapping[str, Any]) -> Iterator[Complaint]:
    if expect.status and reply.status not in expect.status:
        actual = "no reply" if reply.status is None else f"status {reply.status}{_said(reply)}"
        yield Complaint(where="status", expected=f"status {_either(expect.status)}", actual=actual)


def _said(reply: Reply) -> str:
    message = look_up(reply.message, ("error", "message"))
    code = look_up(reply.message, ("error", "code"))
    if message is not MISSING:
        return f" ({code}: {message})"
    location = reply.header("location")
    return f" to {location}" if location else ""


def _judge_media(expect: Expect, reply: Reply, _: Mapping[str, Any]) -> Iterator[Complaint]:
    if not _is_readable(reply):
        return
    if expect.media and reply.media not in expect.media:
        yield Complaint(
            where="media type", expected=_either(expect.media), actual=reply.media or "no Content-Type header"
        )
    if reply.media and reply.media in expect.media_not:
        yield Complaint(where="media type", expected=f"anything but {reply.media}", actual=reply.media)


def _judge_headers(expect: Expect, reply: Reply, values: Mapping[str, Any]) -> Iterator[Complaint]:
    if reply.status is None:
        return
    for check in expect.headers:
        name = str(check.at[0])
        value = reply.header(name)
        yield from _judge_check(check, MISSING if value is None else value, values, f"header {name}")


def _judge_body(expect: Expect, reply: Reply, _: Mapping[str, Any]) -> Iterator[Complaint]:
    if not _is_readable(reply):
        return
    is_empty = not reply.body.strip()
    if expect.body == "empty" and not is_empty:
        yield Complaint(where="body", expected="an empty body", actual=_text(reply.body))
    if expect.body == "not empty" and is_empty:
        yield Complaint(where="body", expected="a body", actual="an empty body")


def _judge_json(expect: Expect, reply: Reply, values: Mapping[str, Any]) -> Iterator[Complaint]:
    if not expect.json or not _is_readable(reply):
        return
    if reply.message is MISSING:
        expected = f"a JSON body with {dotted(expect.json[0].at) or 'content'}"
        yield Complaint(where="body", expected=expected, actual=_text(reply.body) or "an empty body")
        return
    for check in expect.json:
        yield from judge_at(check, reply.message, values)


def _judge_events(expect: Expect, reply: Reply, _: Mapping[str, Any]) -> Iterator[Complaint]:
    if not expect.events_carry_messages or reply.media != EVENT_STREAM:
        return
    for number, event in enumerate(reply.events, start=1):
        if look_up(load(event.data), ("jsonrpc",)) == MISSING:
            yield Complaint(
                where=f"event {number}", expected="data that is a JSON-RPC message", actual=_text(event.data) or "no data"
            )


def _judge_times(expect: Expect, reply: Reply, _: Mapping[str, Any]) -> Iterator[Complaint]:
    if reply.status is None:
        return
    if expect.first_byte_within is not None and not _is_within(reply.first_byte, expect.first_byte_within):
        actual = "none came" if reply.first_byte is None else f"{reply.first_byte:.2f} s"
        yield Complaint(where="first byte", expected=f"within {expect.first_byte_within:g} s", actual=actual)
    if expect.longest_gap is not None and reply.longest_gap > expect.longest_gap:
        expected = f"never silent for more than {expect.longest_gap:g} s"
        yield Complaint(where="longest gap", expected=expected, actual=f"silent for {reply.longest_gap:.1f} s")
    if expect.within is not None and reply.duration > expect.within:
        yield Complaint(where="duration", expected=f"at most {expect.within:g} s", actual=f"{reply.duration:.2f} s")


def _is_within(moment: float | None, limit: float) -> bool:
    return moment is not None and moment <= limit


_PARTS: Final = (
    _judge_ending,
    _judge_status,
    _judge_media,
    _judge_headers,
    _judge_body,
    _judge_json,
    _judge_events,
    _judge_times,
)


def _is_readable(reply: Reply) -> bool:
    """A reply that was cut or never came has no body to judge: its ending says so already."""
    return reply.status is not None and reply.ending is Ending.COMPLETE


def _judge_alternatives(options: Sequence[Expect], reply: Reply, values: Mapping[str, Any]) -> list[Complaint]:
    outcomes = [judge(option, reply, values) for option in options]
    if not all(outcomes):
        return []
    nearest = min(outcomes, key=len)
    names = "; or ".join(option.name or f"alternative {number}" for number, option in enumerate(options, start=1))
    actual = f"{'no reply' if reply.status is None else f'status {reply.status}{_said(reply)}'}; nearest misses: " + (
        "; ".join(f"{complaint.where}: expected {complaint.expected}, got {complaint.actual}" for complaint in nearest)
    )
    incidents = tuple(dict.fromkeys(key for complaint in nearest for key in complaint.incidents))
    advice = next((complaint.advice for complaint in nearest if complaint.advice), "")
    return [Complaint(where="reply", expected=names, actual=actual, incidents=incidents, advice=advice)]


def judge_at(check: Check, root: Any, values: Mapping[str, Any], where: str = "") -> Iterator[Complaint]:
    """Judge one check against the JSON it looks into."""
    place = ".".join(part for part in (where, dotted(check.at)) if part) or "message"
    yield from _judge_check(check, look_up(root, check.at), values, place)


def _judge_check(check: Check, value: Any, values: Mapping[str, Any], where: str) -> Iterator[Complaint]:
    if value is MISSING:
        value = check.default
    if check.operator == "every":
        yield from _judge_every(check, value, values, where)
        return
    try:
        operand = fill(check.operand, values)
    except CannotFill as missing:
        yield _complaint(check, where, f"a value to compare with, ${{{missing.name}}}", "an earlier step gave none")
        return
    operator = OPERATORS[check.operator]
    actual = operator.judge(value, operand)
    if actual is not None:
        yield _complaint(check, where, operator.expected(operand), actual)


def _judge_every(check: Check, value: Any, values: Mapping[str, Any], where: str) -> Iterator[Complaint]:
    if not isinstance(value, list):
        yield _complaint(check, where, "an array", show(value))
        return
    inner: Check = check.operand
    inner = replace(inner, incidents=inner.incidents or check.incidents, advice=inner.advice or check.advice)
    for index, item in enumerate(value):
        yield from judge_at(inner, item, values, f"{where}[{index}]")


def _complaint(check: Check, where: str, expected: str, actual: str) -> Complaint:
    return Complaint(
        where=where, expected=expected, actual=actual, incidents=check.incidents, advice=check.advice
    )


@dataclass(frozen=True, slots=True)
class Operator:
    """How one operator judges (None: it holds, else what came instead) and what it asks for, in words."""

    judge: Callable[[Any, Any], str | None]
    expected: Callable[[Any], str]


def _unless(holds: bool, value: Any) -> str | None:
    return None if holds else show(value)


def _contains(value: Any, operand: Any) -> bool:
    if isinstance(value, str):
        return isinstance(operand, str) and operand in value
    return isinstance(value, list | dict) and any(same(item, operand) for item in value)


def _matches(value: Any, pattern: Any) -> bool:
    return isinstance(value, str) and re.search(str(pattern), value) is not None


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = MappingProxyType(
    {
        "object": lambda value: isinstance(value, dict),
        "array": lambda value: isinstance(value, list),
        "string": lambda value: isinstance(value, str),
        "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": lambda value: isinstance(value, bool),
        "null": lambda value: value is None,
    }
)

OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        "present": Operator(
            lambda value, wanted: _unless((value is not MISSING) == wanted, value),
            lambda wanted: "to be there" if wanted else "to be absent",
        ),
        "equals": Operator(lambda value, other: _unless(same(value, other), value), show),
        "one_of": Operator(
            lambda value, others: _unless(any(same(value, other) for other in others), value),
            lambda others: f"one of {show(others)}",
        ),
        "not_one_of": Operator(
            lambda value, others: _unless(not any(same(value, other) for other in others), value),
            lambda others: f"none of {show(others)}",
        ),
        "contains": Operator(
            lambda value, item: _unless(_contains(value, item), value), lambda item: f"to contain {show(item)}"
        ),
        "lacks": Operator(
            lambda value, item: _unless(not _contains(value, item), value), lambda item: f"to be without {show(item)}"
        ),
        "matches": Operator(
            lambda value, pattern: _unless(_matches(value, pattern), value),
            lambda pattern: f"to match {pattern}",
        ),
        "type": Operator(
            lambda value, name: _unless(value is not MISSING and _TYPES[name](value), value), lambda name: f"type {name}"
        ),
        "min_items": Operator(
            lambda value, least: _unless(isinstance(value, list) and len(value) >= least, value),
            lambda least: f"at least {least} items",
        ),
        "conforms": Operator(why_not, lambda _: "what the schema declares"),
    }
)


def _either(options: Sequence[Any]) -> str:
    words = [str(option) for option in options]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _text(body: str) -> str:
    clean = body.strip()
    return clean if len(clean) <= _SHOWN else f"{clean[: _SHOWN - 3]}..."
