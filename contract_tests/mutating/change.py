"""`Change`: the smallest thing a rule does to one step, and how it is said in a report. Values only.

A change is either made to the step itself, which must then be answered as it always was, or to a copy of it that is
sent before or after, so that a refusal which the revision allows does not end the dialogue.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..notation.session import MISSING, Expect, Place, Step
from ..outcome import Difference


class Part(StrEnum):
    """Which part of a step is edited."""

    BODY = "body"
    HEADER = "header"
    QUERY = "query"
    FORM = "form"
    CUT = "cut"
    PACE = "pace"


class Position(StrEnum):
    """Where a change is made: in the step itself, in a copy before or after it, or by a second client."""

    HERE = "here"
    BEFORE = "before"
    AFTER = "after"
    BESIDE = "beside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One place and its new value; `MISSING` removes it. `before` is what stood there."""

    part: Part
    place: Place
    value: Any
    before: Any = MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One atomic change of a session.

    `expect` is what the changed step or the copy must answer, where that is not what the step answered. `new` is sent
    instead of a copy.
    """

    step: str
    edits: tuple[Edit, ...] = ()
    position: Position = Position.HERE
    label: str = ""
    expect: Expect | None = None
    new: Step | None = None

    def differences(self) -> tuple[Difference, ...]:
        """The change as reports show it; one entry for each place it touches."""
        if not self.edits:
            place = {"step": self.step, "part": "dialogue", "pointer": "", "position": self.position.value}
            return (Difference(kind="added", value=self.label, **place),)
        return tuple(_difference(self, edit) for edit in self.edits)


def _difference(change: Change, edit: Edit) -> Difference:
    kind = "removed" if edit.value is MISSING else "added" if edit.before is MISSING else "replaced"
    return Difference(
        step=change.step,
        part=edit.part.value,
        pointer=pointer(edit.place) if edit.part is Part.BODY else ".".join(map(str, edit.place)),
        kind=kind,
        value=kind_of(edit.before if kind == "removed" else edit.value),
        instead_of=kind_of(edit.before) if kind == "replaced" else "",
        position=change.position.value,
    )


def pointer(place: Place) -> str:
    """A place as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in place)


def kind_of(value: Any) -> str:
    """A value's JSON type, with the value itself where it is short: `string "x"`, `object`, `null`."""
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean {str(value).lower()}"
        case int() | float():
            return f"number {value}"
        case str():
            return f'string "{value}"'
        case list() | tuple():
            return "array"
        case _:
            return "object"
