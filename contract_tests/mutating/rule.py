"""`Rule` and `Mutant`: a platform change that may come, and one session as it would be after it.

A rule is data and one pure function. What breaks under a mutant is decided by the session's own expectations.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..notation.session import Session
from .change import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """Changes that a platform could make at once; each of them could also come alone."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of platform change: what it stands for, why it is likely, and how a session looks after it."""

    id: str
    title: str
    stands_for: str
    expected: str
    source: str
    incidents: tuple[str, ...]
    advice: str
    derive: Callable[[Session], Iterable[Mutant]]

    def mutants(self, session: Session) -> tuple[Mutant, ...]:
        """Every mutant of a session; none if the rule finds nothing to change in it."""
        return tuple(mutant for mutant in self.derive(session) if mutant.changes)


def together(changes: Iterable[Change]) -> tuple[Mutant, ...]:
    """One mutant of all the changes; none without any."""
    found = tuple(changes)
    return (Mutant(changes=found),) if found else ()
