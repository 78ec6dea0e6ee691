"""`Finding`: one thing that drifted, where, since when, and what the connector made of it. Values only.

What has been seen too little to be said is a finding too: it waits, and raises nothing.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from connector.recorder.sighting import Sighting

from .kinds import Kind, Severity, Turn
from .lock import Place


class Fate(StrEnum):
    """What became of a new shape when it was tried."""

    SURVIVED = "survived"
    BREAKS = "breaks"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One difference of one request from what is approved. `was` and `now` are words: types, values, measures."""

    kind: Kind
    turn: Turn
    name: str
    was: str = ""
    now: str = ""

    def __str__(self) -> str:
        words = f": {self.was} -> {self.now}" if self.was and self.now else f": {self.now or self.was}"
        return f"{self.kind} {self.turn}: {self.name}" + (words if self.was or self.now else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of trying a finding. `smallest` are the fewest differences that break; `why` says what broke, or why
    nothing was tried.
    """

    fate: Fate
    why: str = ""
    smallest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A deviation and all that shows it. Times are seconds since 1970; `count` requests by `subjects` people."""

    deviation: Deviation
    severity: Severity
    places: tuple[Place, ...]
    count: int
    subjects: int
    first_seen: float
    last_seen: float
    remark: str = ""
    sightings: tuple[Sighting, ...] = field(default=(), repr=False)
    trial: Trial | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a night came to: findings, gravest first; what still waits for a second sighting; remarks."""

    findings: tuple[Finding, ...] = ()
    waiting: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0: nothing new; 1: drift."""
        return 1 if self.findings else 0
