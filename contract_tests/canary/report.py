"""The canary's report in words and as JSON (format 1: members are only added, never renamed or given another meaning).

`answers` of the JSON are what `mcp-ballast diagnose --canary FILE` reads as evidence.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ..credentials import clean
from ..report.words import plural, printable, seconds
from .findings import Change, Part, Report, Said, Standing

FORMAT: Final = 1

_MARGIN: Final = 13
_ALL_CLEAR: Final = frozenset({"same", "clear", "works"})
"""Answers that give way to any other answer to the same question: nine documents are as they were, one is not."""


def as_lines(report: Report) -> list[str]:
    """The report for a terminal or a log, one line at a time."""
    lines = [*report.remarks, *(line for part in report.parts for line in _lines(part)), _summary(report)]
    return [printable(clean(line)) for line in lines]


def write_json(report: Report, path: Path) -> None:
    """Write the report as JSON (ASCII). An existing file is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(report), indent=2, ensure_ascii=True) + "\n", encoding="ascii")


def document(report: Report) -> dict[str, Any]:
    """The report as the data that `write_json` writes, without credentials."""
    return {
        "format": FORMAT,
        "summary": {
            "text": _summary(report),
            "findings": len(report.changes),
            "not_checked": sum(part.standing is Standing.NOT_CHECKED for part in report.parts),
            "exit_code": report.exit_code,
        },
        "started": report.started.isoformat(),
        "duration": report.duration,
        "version": report.version,
        "remarks": [clean(remark) for remark in report.remarks],
        "parts": [_plain(part) for part in report.parts],
        "answers": [
            {"question": said.question, "answer": said.answer, "fact": clean(said.fact)} for said in _said(report)
        ],
    }


def _said(report: Report) -> Iterator[Said]:
    """One answer to each question: the first that is no all-clear, else the first."""
    by_question: dict[str, Said] = {}
    for said in (said for part in report.parts for said in part.said):
        known = by_question.get(said.question)
        if known is None or (known.answer in _ALL_CLEAR and said.answer not in _ALL_CLEAR):
            by_question[said.question] = said
    yield from by_question.values()


def _lines(part: Part) -> Iterator[str]:
    mark = "FINDING" if part.standing is Standing.FINDING else part.standing.value
    yield f"  {mark:<{_MARGIN}}{part.name}: {part.sentence}"
    blank = " " * (_MARGIN + 2)
    for fact in part.facts:
        yield f"{blank}{fact}"
    for change in part.changes:
        yield f"{blank}{change.severity}: {change.place}: {change.sentence}"
        if change.before:
            yield f"{blank}  was {change.before}"
        if change.after:
            yield f"{blank}  {'is ' if change.before else ''}{change.after}"
        if change.advice:
            yield f"{blank}  -> {change.advice}"
        if change.incidents:
            yield f"{blank}  incidents: {', '.join(change.incidents)}"


def _summary(report: Report) -> str:
    took = seconds(report.duration)
    if report.changes:
        return f"{plural(len(report.changes), 'finding')} in {took}"
    return f"no finding in {took}" if report.exit_code == 0 else "nothing could be checked"


def _plain(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "standing": part.standing.value,
        "sentence": clean(part.sentence),
        "facts": [clean(fact) for fact in part.facts],
        "changes": [_change(change) for change in part.changes],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "place": change.place,
        "sentence": clean(change.sentence),
        "severity": change.severity.value,
        "before": clean(change.before),
        "after": clean(change.after),
        "advice": change.advice,
        "incidents": list(change.incidents),
    }
