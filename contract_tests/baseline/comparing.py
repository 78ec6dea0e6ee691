"""Two baselines side by side: what differs, as findings. Pure.

Only what both saw is compared: a run of fewer sessions is no drift. `*` in the older one asks nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ..checks.unaskable import CT_37, WIRE
from ..judging.operators import same, show
from ..notation.session import MISSING
from ..outcome import Finding, Run, SessionRun, StepRun, Verdict
from .answers import VARIES
from .baseline import Baseline
from .wire import is_slower

_ADVICE = "If this was meant, accept it: run again with --accept, and have the change of the file reviewed."


def drift(before: Baseline, now: Baseline) -> tuple[Finding, ...]:
    """Every difference, framing first."""
    return (*_framing(before, now), *_content(before, now), *_slower(before, now))


def _framing(before: Baseline, now: Baseline) -> Iterator[Finding]:
    for session, step, old, new in _pairs(before.steps, now.steps):
        if MISSING not in (old, new) and VARIES not in (old, new):
            lost, gained = _apart(old, new)
            if lost or gained:
                yield _finding(f"{session} > {step}", "framing", lost or "no more than before", gained or "less")


def _apart(old: str, new: str) -> tuple[str, str]:
    """The parts of one line that the other has not."""
    was, is_now = old.split("; "), new.split("; ")
    return "; ".join(part for part in was if part not in is_now), "; ".join(part for part in is_now if part not in was)


def _content(before: Baseline, now: Baseline) -> Iterator[Finding]:
    for question, place, old, new in _pairs(before.answers, now.answers):
        if VARIES not in (old, new) and not _equal(old, new):
            yield _finding(question, place or "the answer", show(old), show(new))


def _equal(old: Any, new: Any) -> bool:
    return old is new if MISSING in (old, new) else same(old, new)


def _slower(before: Baseline, now: Baseline) -> Iterator[Finding]:
    for question, kind, old, new in _pairs(before.times, now.times):
        if MISSING not in (old, new) and is_slower(new, old):
            yield _finding(question, kind, old, new)


def _pairs(
    before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str, Any, Any]]:
    for name in sorted(before.keys() & now.keys()):
        for row in sorted(before[name].keys() | now[name].keys()):
            yield name, row, before[name].get(row, MISSING), now[name].get(row, MISSING)


def _finding(step: str, where: str, expected: str, actual: str) -> Finding:
    incidents = ("G-05", WIRE)
    return Finding(step=step, where=where, expected=expected, actual=actual, incidents=incidents, advice=_ADVICE)


def shared(before: Baseline, now: Baseline) -> int:
    """How many steps both saw: with none of them nothing was compared."""
    return sum(len(before.steps[name].keys() & now.steps[name].keys()) for name in before.steps.keys() & now.steps)


def with_drift(run: Run, findings: tuple[Finding, ...], *, compared: int) -> Run:
    """The run with CT-37 decided by the baseline, among the contracts. `compared` is how many steps were compared."""
    contract = _decided(_contract(run), findings, compared)
    others = [one for one in run.sessions if one.id != WIRE]
    place = next((number for number, one in enumerate(others) if one.severity and one.id > WIRE), len(others))
    return replace(run, sessions=(*others[:place], contract, *others[place:]))


def _decided(session: SessionRun, findings: tuple[Finding, ...], compared: int) -> SessionRun:
    step = StepRun(name="compared with the baseline", sent=None, received=None, findings=findings)
    if not compared:
        return replace(session, reason=_NOTHING)
    return replace(session, verdict=Verdict.FAILED if findings else Verdict.PASSED, steps=(step,))


_NOTHING: Final = "nothing of this run is in the baseline: run what was accepted, or accept this run too with --accept"


def _contract(run: Run) -> SessionRun:
    today = run.started.date()
    return SessionRun(
        id=WIRE,
        title=CT_37.title,
        host="any",
        surface="mcp",
        provenance="observed",
        seen=today,
        expires=today,
        is_expired=False,
        incidents=("G-05", WIRE),
        verdict=Verdict.NOT_CHECKED,
        severity="serious",
    )
