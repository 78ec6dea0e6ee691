"""The diagnosis in words and as JSON, in the versioned form that diagnosis.schema.json publishes.

Within one format number members are only added, never renamed, removed or given another meaning.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ..credentials import clean
from ..report.words import plural, printable, seconds
from .diagnosis import Diagnosis, Evidence, Standing
from .weighing.culprit import Culprit
from .weighing.verdict import Verdict, Weighed

FORMAT: Final = 1

_MARGIN: Final = 13


def as_lines(diagnosis: Diagnosis) -> list[str]:
    """The diagnosis for a terminal or a log, one line at a time."""
    evidence = (line for each in diagnosis.evidence for line in _lines(each))
    lines = [diagnosis.url, *evidence, *verdict_lines(diagnosis.verdict), _summary(diagnosis)]
    return [printable(clean(line)) for line in lines]


def write_json(diagnosis: Diagnosis, path: Path) -> None:
    """Write the diagnosis as JSON (ASCII). An existing file is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(diagnosis), indent=2, ensure_ascii=True) + "\n", encoding="ascii")


def document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as the data that `write_json` writes, without credentials."""
    count = {standing: sum(each.standing is standing for each in diagnosis.evidence) for standing in Standing}
    return {
        "format": FORMAT,
        "summary": {
            "text": _summary(diagnosis),
            "hold": count[Standing.HOLDS],
            "findings": count[Standing.FINDING],
            "not_checked": count[Standing.NOT_CHECKED],
            "exit_code": diagnosis.exit_code,
        },
        "target": clean(diagnosis.target),
        "url": clean(diagnosis.url),
        "direct": clean(diagnosis.direct),
        "started": diagnosis.started.isoformat(),
        "duration": diagnosis.duration,
        "version": diagnosis.version,
        "evidence": [_plain(each) for each in diagnosis.evidence],
        "verdict": verdict_document(diagnosis.verdict),
    }


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """Who is at fault, why, and what to do: one line at a time, as `as_lines` has them."""
    blank = " " * (_MARGIN + 2)
    named = "no fault" if not verdict.is_failure_seen else f"{verdict.culprit} (confidence {verdict.confidence:.2f})"
    yield f"  {'verdict':<{_MARGIN}}{named}: {verdict.sentence}"
    if verdict.is_failure_seen:
        for each in sorted(verdict.weighed, key=_strength, reverse=True):
            if each.bits:
                yield f"{blank}{each.means}: {_bits(each.bits)}"
    yield f"{blank}-> {verdict.next_step}"
    if verdict.look and verdict.culprit is Culprit.UNKNOWN:
        yield f"{blank}would decide: {verdict.decides} -> {verdict.look}"


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """The verdict as the data that `write_json` writes."""
    return {
        "culprit": verdict.culprit.value,
        "is_failure_seen": verdict.is_failure_seen,
        "confidence": round(verdict.confidence, 3),
        "sentence": verdict.sentence,
        "next_step": verdict.next_step,
        "decides": verdict.decides,
        "look": verdict.look,
        "shares": {culprit.value: round(share, 3) for culprit, share in verdict.shares.items()},
        "weighed": [
            {
                "question": each.sign.question,
                "answer": each.sign.answer,
                "means": each.means,
                "fact": clean(each.sign.fact),
                "bits": {culprit.value: bits for culprit, bits in each.bits.items()},
                "incidents": list(each.incidents),
            }
            for each in verdict.weighed
        ],
    }


def _strength(weighed: Weighed) -> float:
    return max((abs(bits) for bits in weighed.bits.values()), default=0.0)


def _bits(bits: Mapping[Culprit, float]) -> str:
    ordered = sorted(bits.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{culprit} {value:+.3g}" for culprit, value in ordered)


def _lines(evidence: Evidence) -> Iterator[str]:
    mark = "FINDING" if evidence.standing is Standing.FINDING else evidence.standing.value
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
        "verdict": evidence.standing.value,
        "sentence": clean(evidence.sentence),
        "facts": [clean(fact) for fact in evidence.facts],
        "advice": list(evidence.advice),
        "suspects": [suspect.value for suspect in evidence.suspects],
        "certainty": None if evidence.certainty is None else evidence.certainty.value,
        "incidents": list(evidence.incidents),
    }
