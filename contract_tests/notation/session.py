"""A session as values: who speaks, when the wire was last seen so, and the steps with what each must answer.

These are the parsed form of a session file; whoever builds sessions in code builds the same objects. Nothing
here knows files, YAML or the network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeAlias


class Provenance(StrEnum):
    """How the wire of a session is known, best first."""

    DOCUMENTED = "documented"
    OBSERVED = "observed"
    INFERRED = "inferred"


class _Missing:
    """The value of a place that does not exist, which JSON null is not."""

    def __repr__(self) -> str:
        return "nothing"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()

Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One expectation about one place of a reply. `operator` is one of `matchers.OPERATORS`."""

    at: Place
    operator: str
    operand: Any
    default: Any = MISSING
    incidents: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What a reply must be. Everything set must hold, and one of `any_of` if there are any. Times are seconds."""

    name: str = ""
    status: tuple[int, ...] = ()
    media: tuple[str, ...] = ()
    media_not: tuple[str, ...] = ()
    headers: tuple[Check, ...] = ()
    json: tuple[Check, ...] = ()
    redirect: tuple[Check, ...] = ()
    body: str = "any"
    ending: tuple[str, ...] = ()
    first_byte_within: float | None = None
    longest_gap: float | None = None
    within: float | None = None
    events_carry_messages: bool = False
    any_of: tuple["Expect", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonBody:
    """A body sent as compact JSON, members in the order of the file."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBody:
    """A body sent as it stands, UTF-8."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormBody:
    """A body sent as `application/x-www-form-urlencoded`, fields in the order of the file."""

    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """The request of a step, with variables still unfilled. `path` is a path or a whole URL."""

    method: str
    path: str = "${target.path}"
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JsonBody | RawBody | FormBody | None = None
    anonymous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A value taken from a reply: from its JSON, a header, or a query parameter of `Location`."""

    name: str
    source: str
    at: Place
    pattern: str = ""
    join: str | None = None
    is_url: bool = False
    default: Any = MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """When a step is played. `otherwise` says why not; `ends` stops the session there as not checked."""

    known: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    cut: str = ""
    otherwise: str = ""
    ends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One exchange of a session. `pause` is waited before, `cut_after` is when the client goes away (seconds).

    `send_over` is how long (seconds) the body takes to be sent, in pieces; at once unless told.

    `idle` is time that must really pass (seconds, or a template). `parallel` makes several requests of it at once: so
    many equal ones, or one for every item of the list that stands for a name. `signs` are claims by variable name.
    """

    name: str
    send: Send
    expect: Expect = field(default_factory=Expect)
    when: Condition = field(default_factory=Condition)
    pause: float = 0.0
    idle: float | str = 0.0
    parallel: int | Mapping[str, str] = 1
    follow_until: str = ""
    signs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    send_over: float = 0.0
    cut_after: float | None = None
    limit: float = 30.0
    captures: tuple[Capture, ...] = ()
    incidents: tuple[str, ...] = ()
    advice: str = ""
    opening: str = ""
    """The id of the session this step was taken over from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A recorded dialogue of one client build, and how far to trust it."""

    id: str
    title: str
    host: str
    surface: str
    build: str
    seen: date
    provenance: Provenance
    source: str
    expires: date
    steps: tuple[Step, ...]
    incidents: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    about: str = ""
    begins_with: str = ""
    client_document: Mapping[str, Any] | None = None
    file: str = ""

    def is_expired(self, today: date) -> bool:
        """Whether the wire may have changed since it was last seen: `expires` is the last good day."""
        return today > self.expires
