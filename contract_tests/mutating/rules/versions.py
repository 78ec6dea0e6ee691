"""Protocol versions that nobody has published.

What must be negotiated is put into the dialogue; what may be refused is sent beside it, as by clients that fall back.
"""

from collections.abc import Iterator
from typing import Any, Final

from ...notation.session import MISSING, Session
from ..change import Change, Edit, Part, Position
from ..expectations import LEGACY_VERSION, MISMATCH, OLD_VERSION, or_as_before
from ..places import META, PREFIX, VERSION_HEADER, Message, at_endpoint, requests
from ..rule import Mutant, Rule, together

NEWER: Final = "2027-07-28"
"""A version of the right form that does not exist: revisions came once or twice a year, the last on 2026-07-28."""

_ENVELOPE: Final = (*META, f"{PREFIX}protocolVersion")


def _header(message: Message) -> Edit:
    before = message.header(VERSION_HEADER)
    return Edit(part=Part.HEADER, place=(VERSION_HEADER,), value=NEWER, before=MISSING if before is None else before)


def _body(message: Message, place: tuple[str | int, ...]) -> Edit:
    return Edit(part=Part.BODY, place=place, value=NEWER, before=message.at(place))


def _attempt(message: Message, *edits: Edit, label: str, **more: Any) -> Change:
    return Change(step=message.step.name, edits=edits, position=Position.BEFORE, label=label, **more)


def _bumped(session: Session) -> tuple[Mutant, ...]:
    return together(change for message in requests(session) for change in _of_message(message))


def _of_message(message: Message) -> Iterator[Change]:
    expect = message.step.expect
    if message.is_modern:
        tolerated = or_as_before(expect, OLD_VERSION)
        edits = (_header(message), _body(message, _ENVELOPE))
        yield _attempt(message, *edits, label=f"version {NEWER}", expect=tolerated)
    elif message.method == "initialize":
        yield Change(step=message.step.name, edits=(_body(message, ("params", "protocolVersion")),))
    elif message.header(VERSION_HEADER):
        tolerated = or_as_before(expect, LEGACY_VERSION)
        yield _attempt(message, _header(message), label=f"version {NEWER}", expect=tolerated)


def _apart(session: Session) -> tuple[Mutant, ...]:
    return together(
        _attempt(message, edit, label=f"{where} says {NEWER}", expect=MISMATCH)
        for message in at_endpoint(session)
        if message.is_request and message.is_modern and message.header(VERSION_HEADER)
        for where, edit in (("only the header", _header(message)), ("only the envelope", _body(message, _ENVELOPE)))
    )


RULES: Final = (
    Rule(
        id="version-unpublished",
        title="A protocol version that is not published yet",
        stands_for="The day on which the platform speaks the next revision, and falls back if it must.",
        expected="initialize negotiates; other requests get their answer, or the error of their era with HTTP 400",
        source="P-37: two waves of new versions broke servers in four languages that refused instead of negotiating",
        incidents=("P-37", "P-16", "CT-07"),
        advice="Answer initialize with a version you speak, and other requests at once with -32022 and your versions.",
        derive=_bumped,
    ),
    Rule(
        id="version-apart",
        title="Header and envelope name different versions",
        stands_for="A proxy or a client that changes one of the two.",
        expected="HTTP 400 with -32020 or -32022, which the revision demands; then the dialogue as before",
        source="2026-07-28 says that the header must equal the envelope and that a mismatch must be refused",
        incidents=("P-37", "CT-07"),
        advice="Compare MCP-Protocol-Version with the envelope and refuse with 400 and -32020 if they differ.",
        derive=_apart,
    ),
)
