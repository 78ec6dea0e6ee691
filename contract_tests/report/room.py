"""How much of each body a page shows, so that a page of a thousand exchanges can still be opened. Pure.

What broke gets room before what holds. Bodies that are left out or shortened say so; the JSON report holds all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ..outcome import Run, StepRun
from . import matrix

MOST_MUTANTS: Final = 60
"""Mutants that are shown with their exchange."""

MOST_KINDS: Final = 10
"""Ways in which one kind of platform change breaks that are shown."""

_BUDGET: Final = 600_000  # characters of bodies, once for what broke and once for what holds
_LAYOUT: Final = 1.4  # how much longer JSON is when it is laid out


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Most characters of a body: laid out to be read, and exactly as it was on the wire (0: only the other).

    `is_drawn_alone` says whether an exchange is drawn once more, on a clock of its own, with a list of its arrivals.
    """

    readable: int
    exact: int
    is_drawn_alone: bool = True

    def cost(self, body: str) -> float:
        """About how many characters a body takes."""
        return min(len(body) * _LAYOUT, self.readable) + min(len(body), self.exact)


_ROOMS: Final = (
    Room(readable=12_000, exact=20_000),
    Room(readable=12_000, exact=0),
    Room(readable=4_000, exact=0),
    Room(readable=1_500, exact=0, is_drawn_alone=False),
    Room(readable=600, exact=0, is_drawn_alone=False),
)
"""From plenty to little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The room of a run's bodies."""

    broken: Room
    holding: Room

    def of(self, step: StepRun) -> Room:
        """The room of one exchange's bodies."""
        return self.broken if step.findings else self.holding


def rooms(run: Run) -> Rooms:
    """As much room for each body as all of them together allow."""
    steps = [step for session in run.sessions for step in session.steps]
    broken = [*(step for step in steps if step.findings), *_of_mutants(run)]
    return Rooms(broken=_room(_bodies(broken)), holding=_room(_bodies(step for step in steps if not step.findings)))


def _room(bodies: Iterable[str]) -> Room:
    known = tuple(bodies)
    return next((room for room in _ROOMS if sum(map(room.cost, known)) <= _BUDGET), _ROOMS[-1])


def _bodies(steps: Iterable[StepRun]) -> Iterator[str]:
    for step in steps:
        yield from (message.body for message in (step.sent, step.received) if message)


def _of_mutants(run: Run) -> Iterator[StepRun]:
    groups = (
        (group for _, mutants in matrix.broken(run.mutations) for group in matrix.alike(mutants))
        if run.mutations
        else ()
    )
    for number, (mutant, _) in enumerate(groups):
        yield from mutant.steps[:1] if number < MOST_MUTANTS else ()
