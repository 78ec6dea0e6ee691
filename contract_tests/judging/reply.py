"""A reply as the matchers see it: whatever the framing, the same JSON-RPC message.

Pure: from what arrived (`Received`) to what it says. JSON after any leading white space, server-sent events with any
line ending, comments ignored; a body that is neither leaves `message` missing.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..notation.session import MISSING
from ..outcome import Ending, Received

EVENT_STREAM = "text/event-stream"
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One server-sent event: its type, and its data (empty if it had none)."""

    type: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a reply says. `message` is `MISSING` if the body held no JSON."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    media: str
    body: str
    message: Any
    events: tuple[Event, ...]
    ending: Ending
    first_byte: float | None
    longest_gap: float
    duration: float
    trouble: str = ""

    def redirect(self) -> dict[str, str]:
        """Return the query parameters of the Location header; none without one."""
        return dict(parse_qsl(urlsplit(self.header("location") or "").query, keep_blank_values=True))

    def header(self, name: str) -> str | None:
        """Return a header's value, several joined by comma; None without one."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None


def read_reply(received: Received, *, request_id: Any = MISSING) -> Reply:
    """Read what arrived; of several messages the answer to `request_id` counts."""
    media = next((value for name, value in received.headers if name.lower() == "content-type"), "")
    media = media.split(";")[0].strip().lower()
    events = tuple(parse_events(received.body)) if media == EVENT_STREAM else ()
    messages = [load(event.data) for event in events] if events else [load(received.body)]
    return Reply(
        status=received.status,
        headers=received.headers,
        media=media,
        body=received.body,
        message=_answer([message for message in messages if message is not MISSING], request_id),
        events=events,
        ending=received.ending,
        first_byte=received.first_byte,
        longest_gap=received.longest_gap,
        duration=received.duration,
        trouble=received.trouble,
    )


def parse_events(text: str) -> Iterator[Event]:
    """Yield the events of a stream; the unfinished one at the end is none, as the HTML standard says."""
    kind, data, is_open = "", [], False
    for line in _LINE_END.split(text.removeprefix("\ufeff")):
        if line.startswith(":"):
            continue
        if line:
            is_open = True
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            kind = value if name == "event" else kind
            if name == "data":
                data.append(value)
        elif is_open:
            yield Event(type=kind or "message", data="\n".join(data))
            kind, data, is_open = "", [], False


def load(text: str) -> Any:
    """Load JSON, or return `MISSING`."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return MISSING


def is_heartbeat(chunk: bytes, media: str) -> bool:
    """Whether a chunk carries nothing but a sign of life: comments and blank lines, or JSON white space."""
    if media == EVENT_STREAM:
        return all(not line or line.startswith(b":") for line in chunk.splitlines())
    return not chunk.strip()


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _answer(messages: list[Any], request_id: Any) -> Any:
    responses = [message for message in messages if _is_response(message)]
    for message in responses:
        if request_id is not MISSING and message.get("id") == request_id:
            return message
    return responses[-1] if responses else messages[-1] if messages else MISSING


def _is_response(message: Any) -> bool:
    return isinstance(message, dict) and ("result" in message or "error" in message)
