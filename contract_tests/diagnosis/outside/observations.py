"""`Observations`: which questions were asked where, and what came back. Values only; concludes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ...judging.reply import EVENT_STREAM
from ...offer.catalogue import CallableTool
from ...outcome import Received
from .connecting import Connection
from .documents import Documents


class Place(StrEnum):
    """Where a question was asked."""

    TARGET = "target"
    DIRECT = "direct"
    """The connector's own address, past everything that stands before it."""


class Question(StrEnum):
    """What was asked."""

    SMALL = "a small call"
    AS_CHATGPT = "a small call of ChatGPT's newer client"
    AS_CLAUDE = "a small call of Claude's client"
    AS_PYTHON = "a small call of a plain HTTP library"
    AS_BROWSER = "a small call of a browser"
    TOOL = "a quick tool"
    EVENTS = "a small call that accepts event streams only"
    STREAM = "a stream"
    COMPRESSED = "a stream that may be compressed"
    SLOW = "a slow call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What was seen. `patience` is how many seconds a stream was listened to; `why` explains what was not asked.

    `tool` was called quickly; `is_example` says that its arguments were the user's and not made up,
    `has_token` that an Authorization header was given.
    """

    url: str
    direct: str = ""
    patience: float
    answers: Mapping[tuple[Place, Question], Received] = field(default_factory=dict)
    why: Mapping[Question, str] = field(default_factory=dict)
    trouble: str = ""
    connection: Connection = field(default_factory=Connection)
    documents: Documents = field(default_factory=Documents)
    tool: CallableTool | None = None
    is_example: bool = False
    has_token: bool = False

    def of(self, question: Question, place: Place = Place.TARGET) -> Received | None:
        """What came back; None if it was not asked there."""
        return self.answers.get((place, question))


def header(received: Received, name: str) -> str:
    """A header's value; empty without one."""
    return next((value for key, value in received.headers if key.lower() == name.lower()), "")


def media_type(received: Received) -> str:
    """The media type without parameters, in lower case."""
    return header(received, "content-type").partition(";")[0].strip().lower()


def is_event_stream(received: Received) -> bool:
    """Whether it was announced as an event stream."""
    return media_type(received) == EVENT_STREAM


def carriers(received: Received | None) -> str:
    """What the headers say of who carried a reply, e.g. `Server: nginx/1.22.1, Via: 1.1 edge`; empty if nothing."""
    if received is None:
        return ""
    said = [(name, header(received, name)) for name in ("Server", "Via")]
    return ", ".join(f"{name}: {value}" for name, value in said if value)
