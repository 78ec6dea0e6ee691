"""`Pace`: what some hours of one method add up to. Pure; the measures of a rhythm are taken from it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from connector.recorder.sighting import Cadence

CALL: Final = "tools/call"
_HOURS_A_DAY: Final = 24
_MOST_DAYS: Final = 28  # four weeks: weekends are in it, last season is not
_OPENINGS: Final = frozenset({"initialize", "server/discover"})

Spoken = tuple[str, str]
"""A surface and a method."""


@dataclass(slots=True)
class Pace:
    """Sums over some hours; `by_hour` and `parallel` keep the hours apart."""

    retries: int = 0
    issued: int = 0
    redeemed: int = 0
    cuts: Counter[int] = field(default_factory=Counter)
    by_hour: Counter[int] = field(default_factory=Counter)
    parallel: dict[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many requests came."""
        return self.by_hour.total()

    def add(self, cadence: Cadence) -> None:
        """Add an hour."""
        self.retries += cadence.retries
        self.issued += cadence.codes_issued
        self.redeemed += cadence.codes_redeemed
        self.cuts.update(cadence.cut_after)
        self.by_hour[cadence.hour] += cadence.count
        if cadence.count:
            self.parallel[cadence.hour] = max(self.parallel.get(cadence.hour, 0), cadence.longest_parallel)


def paces(cadences: Iterable[Cadence]) -> Mapping[Spoken, Pace]:
    """The pace of every method of every surface; several connectors count together."""
    found: dict[Spoken, Pace] = defaultdict(Pace)
    for cadence in cadences:
        found[cadence.surface, cadence.method].add(cadence)
    return dict(found)


def total(paces_: Mapping[Spoken, Pace]) -> Pace:
    """All of it together, hours apart from what is parallel, which means nothing across methods."""
    whole = Pace()
    for pace in paces_.values():
        whole.issued += pace.issued
        whole.redeemed += pace.redeemed
        whole.by_hour.update(pace.by_hour)
    return whole


def calls_of(paces_: Mapping[Spoken, Pace]) -> int:
    """How many tools were called."""
    return sum(pace.count for (_, method), pace in paces_.items() if method == CALL)


def is_opening(method: str) -> bool:
    """Whether it is a handshake or a list: what comes once for many calls."""
    return method in _OPENINGS or method.endswith("/list")


def daily(pace: Pace, *, first_hour: int, this_hour: int) -> tuple[float, float] | None:
    """How many come a day, and in how many hours of it; None unless some came on every day that is known."""
    days = min(max((this_hour - first_hour + 1) // _HOURS_A_DAY, 1), _MOST_DAYS)
    counts = [
        [pace.by_hour[this_hour - day * _HOURS_A_DAY - hour] for hour in range(_HOURS_A_DAY)] for day in range(days)
    ]
    if not all(any(day) for day in counts):
        return None
    return float(median(map(sum, counts))), float(median(sum(map(bool, day)) for day in counts))
