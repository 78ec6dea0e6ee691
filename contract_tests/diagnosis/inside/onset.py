"""When a connector began to fail: the first hour of its latest failing spell. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .book import FailureRow

FEWEST: Final = 3
"""Failures in an hour below which it is not called failing: one person with one bad minute makes two."""
SHARE: Final = 0.1
"""The share of an hour's requests that has to fail at least."""
TIMES: Final = 3.0
"""How many times its usual share has to fail."""
WINDOW: Final = 24
"""Hours before now within which a spell counts."""

_USUAL: Final = frozenset({"", "status 401", "tool error"})
"""No failures of the way: an expired token is refreshed, and a tool that says no has answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour of one connector: requests, and failures by kind and by surface."""

    hour: int
    total: int
    kinds: dict[str, int]
    surfaces: dict[str, int]
    totals: dict[str, int]

    @property
    def failed(self) -> int:
        """How many requests failed."""
        return sum(self.kinds.values())


def hours_of(failures: Iterable[FailureRow], connector: str) -> tuple[Hour, ...]:
    """The hours of one connector in which something came, in order. A 401 and a tool's own no are no failures."""
    totals: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    kinds: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    surfaces: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in failures:
        if row.connector != connector:
            continue
        totals[row.hour][row.surface] = max(totals[row.hour][row.surface], row.total)
        if row.kind not in _USUAL and row.count:
            kinds[row.hour][row.kind] += row.count
            surfaces[row.hour][row.surface] += row.count
    return tuple(
        Hour(
            hour=hour,
            total=sum(totals[hour].values()),
            kinds=dict(kinds[hour]),
            surfaces=dict(surfaces[hour]),
            totals=dict(totals[hour]),
        )
        for hour in sorted(totals)
    )


def onset(hours: Sequence[Hour], now: int) -> Hour | None:
    """The first hour of the latest spell within `WINDOW` hours before the hour `now`; None if there is no spell.

    Hours in which nothing came do not end a spell, good ones do.
    """
    first: Hour | None = None
    for index in range(len(hours) - 1, -1, -1):
        if hours[index].hour < now - WINDOW:
            break
        if _is_bad(hours, index):
            first = hours[index]
        elif first is not None:
            break
    return first


def _is_bad(hours: Sequence[Hour], index: int) -> bool:
    this = hours[index]
    if this.failed < FEWEST or this.failed < SHARE * this.total:
        return False
    return this.failed / this.total > TIMES * _usual(hours, this.hour)


def _usual(hours: Sequence[Hour], before: int) -> float:
    """The median share of failures of the hours before; a spell of its own length does not move it."""
    shares = sorted(each.failed / each.total for each in hours if each.hour < before and each.total)
    return shares[len(shares) // 2] if shares else 0.0
