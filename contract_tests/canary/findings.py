"""What a canary brings home, as values: a `Report` of parts, each with what changed or why it was not checked."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_FINDING, _NOTHING_CHECKED = 1, 2


class Severity(StrEnum):
    """How soon somebody should look."""

    CRITICAL = "critical"
    """What works today will probably stop."""
    SERIOUS = "serious"
    """What works today may stop for some."""
    MINOR = "minor"
    """Good to know."""


class Standing(StrEnum):
    """What became of one part."""

    HOLDS = "holds"
    FINDING = "finding"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is not as it was: where, what, how bad, and what to do. `before` and `after` are excerpts."""

    place: str
    sentence: str
    severity: Severity
    before: str = ""
    after: str = ""
    advice: str = ""
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a part says as evidence: a question of the table of weights, an answer to it, and what was seen."""

    question: str
    answer: str
    fact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that was asked. `sentence` says how it stands, or why it was not checked."""

    name: str
    standing: Standing
    sentence: str
    changes: tuple[Change, ...] = ()
    facts: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was asked of the platform in one go. `remarks` are about the state that was compared with."""

    started: datetime
    duration: float
    version: str
    parts: tuple[Part, ...]
    remarks: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change of every part, in order."""
        return tuple(change for part in self.parts for change in part.changes)

    @property
    def exit_code(self) -> int:
        """0: all that was checked is as it was; 1: a finding; 2: nothing could be checked."""
        standings = {part.standing for part in self.parts}
        if Standing.FINDING in standings:
            return _FINDING
        return 0 if Standing.HOLDS in standings else _NOTHING_CHECKED


def not_checked(name: str, why: str) -> Part:
    """A part of which nothing can be said, and why."""
    return Part(name=name, standing=Standing.NOT_CHECKED, sentence=why)
