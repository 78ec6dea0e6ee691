"""What a stage's own report comes to: items with keys that last. Pure: the report's data in, items out.

The reports are the public JSON of `test`, `drift`, `canary` and `diagnose`; a member that is missing says nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from .night import Item


def of_suite(report: Mapping[str, Any]) -> Iterator[Item]:
    """What breaks, by session or contract, and what a platform change would break."""
    for session in _rows(report, "sessions"):
        if session.get("verdict") == "failed":
            findings = [finding for step in _rows(session, "steps") for finding in _rows(step, "findings")]
            places = sorted({f"{finding.get('step')}: {finding.get('where')}" for finding in findings})
            first = findings[0] if findings else {}
            yield Item(
                key=str(session.get("id")),
                severity=str(session.get("severity") or "serious"),
                title=f"{session.get('id')}: {session.get('title')}",
                detail=_expected(first) or str(session.get("reason", "")),
                advice=str(first.get("advice", "")),
                places=tuple(places),
            )
    mutations = report.get("mutations")
    for rule in _rows(mutations, "rules") if isinstance(mutations, Mapping) else ():
        if rule.get("broke"):
            yield Item(
                key=f"mutation {rule.get('id')}",
                severity="minor",
                title=f"It would break if: {rule.get('title')}",
                detail=f"{rule.get('broke')} of {rule.get('broke', 0) + rule.get('survived', 0)} tried",
                advice=str(rule.get("advice", "")),
            )


def of_canary(report: Mapping[str, Any]) -> Iterator[Item]:
    """What the platform changed of itself. It is compared with what was seen last, so it is said once."""
    for part in _rows(report, "parts"):
        for change in _rows(part, "changes"):
            yield Item(
                key=f"{part.get('name')} > {change.get('place')}: {change.get('sentence')}",
                severity=str(change.get("severity", "serious")),
                title=f"{part.get('name')}: {change.get('sentence')}",
                detail=_from_to(change.get("before"), change.get("after")),
                advice=str(change.get("advice", "")),
                lasts=False,
            )


def of_drift(report: Mapping[str, Any]) -> Iterator[Item]:
    """What callers send that is not approved; what breaks is grave, whatever it is.

    One night is looked at, so what is not sent tonight was not mended: its end is no news.
    """
    for finding in _rows(report, "findings"):
        trial = finding.get("trial")
        trial = trial if isinstance(trial, Mapping) else {}
        fate, smallest = trial.get("fate"), trial.get("smallest") or []
        name = " ".join(str(finding.get(part)) for part in ("kind", "turn", "name"))
        yield Item(
            key=name if finding.get("kind") == "cadence" else f"{name} {finding.get('now', '')}".strip(),
            severity="critical" if fate == "breaks" else str(finding.get("severity", "medium")),
            title=f"{name}{f' ({fate})' if fate else ''}",
            detail=_from_to(finding.get("was"), finding.get("now")),
            advice=f"Breaks with: {'; '.join(map(str, smallest))}" if smallest else str(trial.get("why") or ""),
            lasts=False,
        )


def of_diagnosis(report: Mapping[str, Any]) -> Iterator[Item]:
    """Whose fault it is, if anything fails."""
    verdict = report.get("verdict")
    if isinstance(verdict, Mapping) and verdict.get("is_failure_seen"):
        yield Item(
            key=f"fault of {verdict.get('culprit')}",
            severity="critical",
            title=str(verdict.get("sentence") or f"The fault is the {verdict.get('culprit')}'s"),
            detail=f"confidence {float(verdict.get('confidence') or 0):.2f}",
            advice=str(verdict.get("next_step", "")),
        )


DIGESTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterable[Item]]]] = {
    "canary": of_canary,
    "suite": of_suite,
    "drift": of_drift,
    "diagnosis": of_diagnosis,
}


def summary_of(report: Mapping[str, Any]) -> str:
    """A report's own last word."""
    summary, verdict = report.get("summary"), report.get("verdict")
    if isinstance(verdict, str):
        waiting = len(_rows(report, "waiting"))
        return f"{verdict}; {waiting} wait for a second sighting" if waiting else verdict
    return str(summary.get("text", "")) if isinstance(summary, Mapping) else ""


def _rows(data: Any, name: str) -> list[Mapping[str, Any]]:
    rows = data.get(name) if isinstance(data, Mapping) else None
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _expected(finding: Mapping[str, Any]) -> str:
    return f"expected {finding['expected']}, got {finding['actual']}" if finding.get("expected") else ""


def _from_to(before: Any, after: Any) -> str:
    return " -> ".join(str(value) for value in (before, after) if value)
