"""The diagnosis in words and as JSON, in the versioned form that diagnosis.schema.json publishes.

Within one format number members are only added, never renamed, removed or given another meaning.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ..credentials import clean
from ..report.words import plural, printable, seconds
from .diagnosis import Diagnosis, Evidence, Verdict

FORMAT: Final = 1

_MARGIN: Final = 13


def as_lines(diagnosis: Diagnosis) -> list[str]:
    """The diagnosis for a terminal or a log, one line at a time."""
    lines = [diagnosis.url, *(line for each in diagnosis.evidence for line in _lines(each)), _summary(diagnosis)]
    return [printable(clean(line)) for line in lines]


def write_json(diagnosis: Diagnosis, path: Path) -> None:
    """Write the diagnosis as JSON (ASCII). An existing file is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(diagnosis), indent=2, ensure_ascii=True) + "\n", encoding="ascii")


def document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as the data that `write_json` writes, without credentials."""
    count = {verdict: sum(each.verdict is verdict for each in diagnosis.evidence) for verdict in Verdict}
    return {
        "format": FORMAT,
        "summary": {
            "text": _summary(diagnosis),
            "hold": count[Verdict.HOLDS],
            "findings": count[Verdict.FINDING],
            "not_checked": count[Verdict.NOT_CHECKED],
            "exit_code": diagnosis.exit_code,
        },
        "target": clean(diagnosis.target),
        "url": clean(diagnosis.url),
        "direct": clean(diagnosis.direct),
        "started": diagnosis.started.isoformat(),
        "duration": diagnosis.duration,
        "version": diagnosis.version,
        "evidence": [_plain(each) for each in diagnosis.evidence],
    }


def _lines(evidence: Evidence) -> Iterator[str]:
    mark = "FINDING" if evidence.verdict is Verdict.FINDING else evidence.verdict.value
    yield f"  {mark:<{_MARGIN}}{evidence.subject}: {evidence.sentence}"
    blank = " " * (_MARGIN + 2)
    for fact in evidence.facts:
        yield f"{blank}{fact}"
    if evidence.suspects:
        suspects = " or ".join(suspect.value for suspect in evidence.suspects)
        yield f"{blank}at fault: {suspects} ({evidence.certainty})"
    for advice in evidence.advice:
        yield f"{blank}-> {advice}"
    if evidence.incidents:
        yield f"{blank}incidents: {', '.join(evidence.incidents)}"


def _summary(diagnosis: Diagnosis) -> str:
    took = seconds(diagnosis.duration)
    if diagnosis.findings:
        return f"{plural(len(diagnosis.findings), 'finding')} in {took}"
    return f"no finding in {took}" if diagnosis.exit_code == 0 else "nothing could be judged"


def _plain(evidence: Evidence) -> dict[str, Any]:
    return {
        "subject": evidence.subject,
        "verdict": evidence.verdict.value,
        "sentence": clean(evidence.sentence),
        "facts": [clean(fact) for fact in evidence.facts],
        "advice": list(evidence.advice),
        "suspects": [suspect.value for suspect in evidence.suspects],
        "certainty": None if evidence.certainty is None else evidence.certainty.value,
        "incidents": list(evidence.incidents),
    }
