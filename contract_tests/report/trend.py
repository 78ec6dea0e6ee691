"""A run beside its past: which findings are new, which went away, since when each is known. Pure.

Two runs are compared only in what both checked: a session that was not part of a run, or could not be checked in it,
has neither got better nor worse there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from ..outcome import Run
from .figures import Stretch
from .history import MUTATION, PastRun, remembered
from .history_file import Past
from .words import plural

MOST_DRAWN: Final = 30
"""Runs in the drawing, this one included: a month of nights."""


class Change(StrEnum):
    """What became of a finding since its session was last checked."""

    NEW = "new"
    BACK = "came back"
    STILL = "still there"
    GONE = "not found any more"
    UNCHECKED = "not checked this time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One finding's way through the runs, or a platform change's. `first` is when it was found first, `last` last."""

    what: str
    change: Change
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One run in the drawing: its counts, its place, and where and how high each count stands, in percent."""

    run: PastRun
    held: int
    broken: int
    not_checked: int
    place: Stretch
    bars: tuple[tuple[str, Stretch], ...]
    is_this: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """This run and its past. `since` is the run before; `remarks` say what of the past could not be read."""

    since: PastRun | None
    entries: tuple[Entry, ...]
    columns: tuple[Column, ...]
    omitted: int
    remarks: tuple[str, ...]

    def entries_of(self, *changes: Change) -> tuple[Entry, ...]:
        """The entries with one of these changes."""
        return tuple(entry for entry in self.entries if entry.change in changes)

    def entry(self, what: str) -> Entry | None:
        """The way of one finding, by its place."""
        return next((entry for entry in self.entries if entry.what == what), None)

    @property
    def text(self) -> str:
        """The trend in one sentence without a full stop."""
        if self.since is None:
            return "no earlier run of this target is known"
        counts = {change: len(self.entries_of(change)) for change in Change}
        parts = [
            f"{plural(counts[Change.NEW], 'finding')} {'is' if counts[Change.NEW] == 1 else 'are'} new",
            f"{counts[Change.BACK]:,} came back" if counts[Change.BACK] else "",
            f"{counts[Change.STILL]:,} still there",
            f"{counts[Change.GONE]:,} not found any more",
            f"{counts[Change.UNCHECKED]:,} not checked this time" if counts[Change.UNCHECKED] else "",
        ]
        return f"since {self.since.started:%Y-%m-%d %H:%M} UTC: {', '.join(filter(None, parts))}"


def trend(run: Run, past: Past) -> Trend:
    """What the past says of a run. Runs of the past that began after it are left out."""
    now = remembered(run)
    before = tuple(one for one in past.runs if one.started < now.started)
    runs = (*before, now)
    return Trend(
        since=before[-1] if before else None,
        entries=tuple(sorted(_entries(now, before), key=lambda entry: list(Change).index(entry.change))),
        columns=tuple(_columns(runs[-MOST_DRAWN:])),
        omitted=max(len(runs) - MOST_DRAWN, 0),
        remarks=past.remarks,
    )


def _entries(now: PastRun, before: Sequence[PastRun]) -> Iterator[Entry]:
    """Every finding of now, and those that were there when their session was last checked."""
    found = _findings(now)
    for what in dict.fromkeys(what for run in (now, *reversed(before)) for what in _findings(run)):
        judged = [run for run in before if _owner(what) in run.checked]
        was_there = bool(judged) and what in _findings(judged[-1])
        if what in found or was_there:
            times = [run.started for run in (*before, now) if what in _findings(run)]
            change = _change(
                is_found=what in found,
                was_there=was_there,
                is_checked=_owner(what) in now.checked,
                is_known=len(times) > 1,
            )
            yield Entry(what=what, change=change, first=times[0], last=times[-1])


def _change(*, is_found: bool, was_there: bool, is_checked: bool, is_known: bool) -> Change:
    if is_found:
        return Change.STILL if was_there else Change.BACK if is_known else Change.NEW
    return Change.GONE if is_checked else Change.UNCHECKED


def _findings(run: PastRun) -> tuple[str, ...]:
    """Places of findings, and for what broke without one (a rule, a session as a whole) its id."""
    told = {_owner(finding) for finding in run.findings}
    return (*run.findings, *(one for one in run.broken if one not in told))


def _owner(finding: str) -> str:
    return finding.partition(" > ")[0]


def _columns(runs: Sequence[PastRun]) -> Iterator[Column]:
    counts = [tuple(map(_sessions, (run.held, run.broken, run.not_checked))) for run in runs]
    most = max(*map(sum, counts), 1)
    width = 100 / max(len(runs), 10)  # a single run is no wall
    for number, (run, (held, broken, unchecked)) in enumerate(zip(runs, counts, strict=True)):
        yield Column(
            run=run,
            held=held,
            broken=broken,
            not_checked=unchecked,
            place=Stretch(x=round(width * (number + 0.1), 2), width=round(width * 0.8, 2)),
            bars=tuple(_stacked((("failed", broken), ("passed", held), ("not_checked", unchecked)), most)),
            is_this=number == len(runs) - 1,
        )


def _sessions(ids: Iterable[str]) -> int:
    return sum(not one.startswith(MUTATION) for one in ids)


def _stacked(parts: Iterable[tuple[str, int]], most: int) -> Iterator[tuple[str, Stretch]]:
    """From the ground up: what breaks stands where it can be compared from run to run."""
    ground = 100.0
    for name, count in parts:
        height = count / most * 100
        ground -= height
        if count:
            yield name, Stretch(x=round(ground, 2), width=round(height, 2))
