"""From the parsed file to the values of `session`. The schema has been checked before: nothing here can fail.

Members that the format leaves out get the meaning docs/sessions.md gives them.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from .session import (
    MISSING,
    Capture,
    Check,
    Condition,
    Expect,
    FormBody,
    JsonBody,
    Place,
    Provenance,
    RawBody,
    Send,
    Session,
    Step,
)

_NOT_OPERATORS = ("at", "default", "incidents", "advice")
_SOURCES = ("json", "header", "location")


def to_session(data: Mapping[str, Any], *, file: str = "") -> Session:
    """Build a session from the data of a file whose shape and meaning have been checked."""
    headers = data.get("headers", {})
    return Session(
        id=data["id"],
        title=data["title"],
        host=data["host"],
        surface=data["surface"],
        build=data["build"],
        seen=date.fromisoformat(data["seen"]),
        provenance=Provenance(data["provenance"]),
        source=data["source"],
        expires=date.fromisoformat(data["expires"]),
        steps=tuple(to_step(step, headers) for step in data["steps"]),
        incidents=tuple(data.get("incidents", ())),
        needs=tuple(data.get("needs", ())),
        about=data.get("about", ""),
        begins_with=data.get("begins_with", ""),
        client_document=data.get("client_document"),
        file=file,
    )


def to_step(data: Mapping[str, Any], headers: Mapping[str, str | None]) -> Step:
    """Build a step; `headers` are those of the session."""
    return Step(
        name=data["name"],
        send=_to_send(data["send"], headers),
        expect=to_expect(data.get("expect", {})),
        when=_to_condition(data.get("when", {})),
        pause=data.get("pause", 0.0),
        idle=data.get("idle", 0.0),
        parallel=data.get("parallel", 1),
        follow_until=data.get("follow_until", ""),
        signs=data.get("sign", {}),
        send_over=data.get("send_over", 0.0),
        cut_after=data.get("cut_after"),
        limit=data.get("limit", 30.0),
        captures=tuple(_to_capture(name, how) for name, how in data.get("capture", {}).items()),
        incidents=tuple(data.get("incidents", ())),
        advice=data.get("advice", ""),
    )


def to_place(written: str | list[str | int]) -> Place:
    """Read a place: `result.tools.0.name`, or a list of members and indexes."""
    if isinstance(written, list):
        return tuple(written)
    return tuple(int(key) if key.isdecimal() else key for key in written.split(".") if key)


def to_expect(data: Mapping[str, Any]) -> Expect:
    """Build an expectation and its alternatives."""
    return Expect(
        name=data.get("name", ""),
        status=tuple(data.get("status", ())),
        media=tuple(data.get("media", ())),
        media_not=tuple(data.get("media_not", ())),
        headers=tuple(_to_check({**check, "at": [name]}) for name, check in data.get("headers", {}).items()),
        json=tuple(_to_check(check) for check in data.get("json", ())),
        redirect=tuple(_to_check(check) for check in data.get("redirect", ())),
        body=data.get("body", "any"),
        ending=tuple(data.get("ending", ())),
        first_byte_within=data.get("first_byte_within"),
        longest_gap=data.get("longest_gap"),
        within=data.get("within"),
        events_carry_messages=data.get("events_carry_messages", False),
        any_of=tuple(to_expect(option) for option in data.get("any_of", ())),
    )


def _to_check(data: Mapping[str, Any]) -> Check:
    operator = next(name for name in data if name not in _NOT_OPERATORS)
    operand = data[operator]
    return Check(
        at=to_place(data["at"]),
        operator=operator,
        operand=_to_check(operand) if operator == "every" else operand,
        default=data.get("default", MISSING),
        incidents=tuple(data.get("incidents", ())),
        advice=data.get("advice", ""),
    )


def _to_send(data: Mapping[str, Any], headers: Mapping[str, str | None]) -> Send:
    return Send(
        method=data["method"],
        path=data.get("path", "${target.path}"),
        query=data.get("query", {}),
        headers=_merged(headers, data.get("headers", {})),
        body=_to_body(data),
        anonymous=data.get("anonymous", False),
    )


def _merged(common: Mapping[str, str | None], own: Mapping[str, str | None]) -> Mapping[str, str]:
    """Header names compare without case; the session's come first, in its order."""
    replaced = {name.lower() for name in own}
    kept = {name: value for name, value in common.items() if name.lower() not in replaced}
    return {name: value for name, value in {**kept, **own}.items() if value is not None}


def _to_body(data: Mapping[str, Any]) -> JsonBody | RawBody | FormBody | None:
    if "json" in data:
        return JsonBody(value=data["json"])
    if "raw" in data:
        return RawBody(text=data["raw"])
    return FormBody(fields=data["form"]) if "form" in data else None


def _to_condition(data: Mapping[str, Any]) -> Condition:
    return Condition(
        known=tuple(data.get("known", ())),
        unknown=tuple(data.get("unknown", ())),
        cut=data.get("cut", ""),
        otherwise=data.get("otherwise", ""),
        ends=data.get("ends", False),
    )


def _to_capture(name: str, data: Mapping[str, Any]) -> Capture:
    source = next(word for word in _SOURCES if word in data)
    return Capture(
        name=name,
        source=source,
        at=to_place(data["json"]) if source == "json" else (data[source],),
        pattern=data.get("matches", ""),
        join=data.get("join"),
        is_url=data.get("url", False),
        default=data.get("default", MISSING),
    )
