"""A decision as lines for people and as JSON for machines. Every count and every word is the decision's; pure."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from .finding import Decision, Fate, Finding
from .kinds import Kind

_FORMAT: Final = 1
_MOST_PLACES: Final = 3


def as_lines(decision: Decision, *, approved: bool = False) -> Iterator[str]:
    """What a terminal shows."""
    if not decision.findings:
        yield "nothing new: every request is as it was approved"
    for finding in decision.findings:
        yield from _finding(finding)
    if decision.waiting:
        yield f"waiting for a second sighting, no alarm: {len(decision.waiting)}"
        yield from (f"  {each.deviation} ({_places(each)}; {_seen(each)})" for each in decision.waiting)
    yield from (f"note: {note}" for note in decision.notes)
    if decision.findings and not approved:
        yield f"{len(decision.findings)} drifted. When it is known why: mcp-ballast drift ... --approve"


def approval_lines(decision: Decision, *, is_first: bool, places: int) -> Iterator[str]:
    """What was approved, one by one."""
    if is_first:
        yield f"approved: everything the book knows, {places} methods and paths"
        return
    yield from (f"approved: {finding.deviation} ({_places(finding)})" for finding in decision.findings)
    if not decision.findings:
        yield "approved: nothing had drifted"
    if decision.waiting:
        yield f"not approved, for it was seen too little: {len(decision.waiting)}"


def write_json(decision: Decision, file: Path) -> None:
    """Write a decision as JSON.

    Raises:
        OSError: the file cannot be written.
    """
    file.write_text(json.dumps(as_json(decision), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def as_json(decision: Decision) -> dict[str, Any]:
    """A decision as JSON data."""
    return {
        "format": _FORMAT,
        "verdict": "drift" if decision.findings else "nothing new",
        "findings": [_finding_json(finding) for finding in decision.findings],
        "waiting": [_finding_json(finding) for finding in decision.waiting],
        "notes": list(decision.notes),
    }


def _finding(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity.upper()}  {finding.deviation}"
    yield f"  where: {_places(finding)}"
    yield f"  seen: {_seen(finding)}" + (f"; {finding.remark}" if finding.remark else "")
    if finding.trial is not None:
        yield f"  tried: {finding.trial.fate}" + (f" ({finding.trial.why})" if finding.trial.why else "")
    if finding.trial is not None and finding.trial.fate is Fate.BREAKS and finding.trial.smallest:
        yield f"  smallest difference that breaks it: {'; '.join(finding.trial.smallest)}"


def _seen(finding: Finding) -> str:
    if finding.deviation.kind is Kind.SILENCE:
        return f"not once until {_moment(finding.last_seen)}"
    people = f" by {finding.subjects} people or more" if finding.subjects > 1 else ""
    return f"{finding.count} requests{people}, {_moment(finding.first_seen)} to {_moment(finding.last_seen)}"


def _places(finding: Finding) -> str:
    shown = [str(place) for place in finding.places[:_MOST_PLACES]]
    more = len(finding.places) - len(shown)
    return " · ".join(shown) + (f" and {more} more" if more else "")


def _finding_json(finding: Finding) -> Mapping[str, Any]:
    deviation, trial = finding.deviation, finding.trial
    return {
        "kind": deviation.kind.value,
        "turn": deviation.turn.value,
        "name": deviation.name,
        "was": deviation.was,
        "now": deviation.now,
        "severity": finding.severity.value,
        "places": [
            {"surface": place.surface, "channel": place.channel, "method": place.method} for place in finding.places
        ],
        "count": finding.count,
        "subjects": finding.subjects,
        "first_seen": _moment(finding.first_seen),
        "last_seen": _moment(finding.last_seen),
        "remark": finding.remark,
        "trial": None
        if trial is None
        else {"fate": trial.fate.value, "why": trial.why, "smallest": list(trial.smallest)},
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
