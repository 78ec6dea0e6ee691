"""Which hosts a run speaks for, and how each fares. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..outcome import SessionRun, Verdict

EVERY = "Every host"
"""What contracts that speak for no host in particular are listed under."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host, or what is the same for all: its sessions, each with its number in the run."""

    name: str
    sessions: tuple[tuple[int, SessionRun], ...]

    def count(self, verdict: Verdict) -> int:
        """How many of its sessions ended so."""
        return sum(session.verdict is verdict for _, session in self.sessions)

    @property
    def broken(self) -> tuple[tuple[int, SessionRun], ...]:
        """Its sessions that break."""
        return tuple(one for one in self.sessions if one[1].verdict is Verdict.FAILED)


def hosts(sessions: Sequence[SessionRun]) -> tuple[Host, ...]:
    """The hosts, those with most that breaks first; what holds for every host comes before those with as much."""
    by_name: dict[str, list[tuple[int, SessionRun]]] = {}
    for number, session in enumerate(sessions):
        by_name.setdefault(EVERY if session.host == "any" else session.host, []).append((number, session))
    found = [Host(name=name, sessions=tuple(own)) for name, own in by_name.items()]
    return tuple(sorted(found, key=lambda host: (-len(host.broken), host.name != EVERY)))
