"""`Rule` and `Mutant`: a platform change that may come, and one session as it would be after it.

A rule is data and one pure function. What breaks under a mutant is decided by the session's own expectations.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..notation.session import Session
from .change import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """Changes that a platform could make at once; each of them could also come alone."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of platform change: what it stands for, why it is likely, and how a session looks after it.

    `is_alone`: it is about time or repetition, so that its mutants are tried one by one.
    """

    id: str
    title: str
    stands_for: str
    expected: str
    source: str
    incidents: tuple[str, ...]
    advice: str
    derive: Callable[[Session], Iterable[Mutant]]
    is_alone: bool = False

    def mutants(self, session: Session) -> tuple[Mutant, ...]:
        """Every mutant of a session; none if the rule finds nothing to change in it."""
        return tuple(mutant for mutant in self.derive(session) if mutant.changes)


def together_and_alone(changes: Iterable[Change]) -> Iterator[Mutant]:
    """One mutant of all the changes, and one for each place: what is gone altogether may not be missed."""
    found = tuple(changes)
    yield from together(found)
    places = dict.fromkeys(_place(change) for change in found)
    for place in places if len(places) > 1 else ():
        yield Mutant(changes=tuple(change for change in found if _place(change) == place))


def _place(change: Change) -> tuple[object, ...]:
    return tuple((edit.part, edit.place) for edit in change.edits)


def together(changes: Iterable[Change]) -> tuple[Mutant, ...]:
    """One mutant of all the changes; none without any."""
    found = tuple(changes)
    return (Mutant(changes=found),) if found else ()
