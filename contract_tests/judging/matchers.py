"""Does a reply hold what a session expects of it? Pure: values in, complaints out.

What follows from another complaint is left out: a reply with the wrong status is not asked for its members, and of a
JSON-RPC error it is said once that it is no result.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ..errors import CannotFill
from ..notation.document import dotted
from ..notation.session import MISSING, Check, Expect, Place
from ..notation.template import fill
from ..outcome import Ending
from .operators import OPERATORS, SHOWN, look_up, show
from .reply import EVENT_STREAM, Reply, load

_SAID = 160  # characters of an error's message: the reply's whole body stands beside the complaint anyway


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
    return _first_complaints(expect, reply, values)[1]


def _first_complaints(expect: Expect, reply: Reply, values: Mapping[str, Any]) -> tuple[int, list[Complaint]]:
    """The complaints of the first stage that has any, and how far that was."""
    for reached, stage in enumerate(_STAGES):
        complaints = [complaint for part in stage for complaint in part(expect, reply, values)]
        if complaints:
            return reached, complaints
    return len(_STAGES), []


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
        said = " ".join(str(message).split())
        return f" ({code}: {said if len(said) <= _SAID else f'{said[: _SAID - 3]}...'})"
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


def _judge_redirect(expect: Expect, reply: Reply, values: Mapping[str, Any]) -> Iterator[Complaint]:
    parameters = {name: "(a code)" if name == "code" else value for name, value in reply.redirect().items()}
    for check in expect.redirect:
        yield from judge_at(check, parameters, values, "location")


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
    is_error = look_up(reply.message, ("error",)) is not MISSING and look_up(reply.message, ("result",)) is MISSING
    wants_result = [check for check in expect.json if check.at[:1] == ("result",)]
    if is_error and wants_result:
        yield _complaint(wants_result[0], "message", "a result", f"an error{_said(reply)}")
        return
    failed: list[Place] = []
    for check in expect.json:
        if not any(check.at[: len(place)] == place for place in failed):
            complaints = list(judge_at(check, reply.message, values))
            yield from complaints
            failed += [check.at] if complaints else []


def _judge_events(expect: Expect, reply: Reply, _: Mapping[str, Any]) -> Iterator[Complaint]:
    if not expect.events_carry_messages or reply.media != EVENT_STREAM:
        return
    for number, event in enumerate(reply.events, start=1):
        if look_up(load(event.data), ("jsonrpc",)) is MISSING:
            actual = _text(event.data) or "no data"
            yield Complaint(where=f"event {number}", expected="data that is a JSON-RPC message", actual=actual)


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


def _is_readable(reply: Reply) -> bool:
    """A reply that was cut or never came has no body to judge: its ending says so already."""
    return reply.status is not None and reply.ending is Ending.COMPLETE


def _judge_alternatives(expect: Expect, reply: Reply, values: Mapping[str, Any]) -> Iterator[Complaint]:
    options = [replace(option, ending=option.ending or expect.ending) for option in expect.any_of]
    outcomes = [_first_complaints(option, reply, values) for option in options]
    if not options or not all(complaints for _, complaints in outcomes):
        return
    _, nearest = max(outcomes, key=lambda outcome: outcome[0])  # the one that held longest; of equals the first
    names = "; or ".join(option.name or f"alternative {number}" for number, option in enumerate(options, start=1))
    came = "no reply" if reply.status is None else f"status {reply.status}{_said(reply)}"
    misses = [
        f"{complaint.where}: expected {complaint.expected}, got {complaint.actual}"
        for complaint in nearest
        if complaint.where != "status"
    ]
    yield Complaint(
        where="reply",
        expected=names,
        actual="; ".join([came, *misses]),
        incidents=tuple(dict.fromkeys(key for complaint in nearest for key in complaint.incidents)),
        advice=next((complaint.advice for complaint in nearest if complaint.advice), ""),
    )


_Part = Callable[[Expect, Reply, Mapping[str, Any]], Iterator[Complaint]]
_STAGES: Final[tuple[tuple[_Part, ...], ...]] = (
    (_judge_ending, _judge_status),
    (_judge_media, _judge_headers, _judge_redirect, _judge_body, _judge_json, _judge_events, _judge_times),
    (_judge_alternatives,),
)


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
    return Complaint(where=where, expected=expected, actual=actual, incidents=check.incidents, advice=check.advice)


def _either(options: Sequence[Any]) -> str:
    words = [str(option) for option in options]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _text(body: str) -> str:
    clean = body.strip()
    return clean if len(clean) <= SHOWN else f"{clean[: SHOWN - 3]}..."
