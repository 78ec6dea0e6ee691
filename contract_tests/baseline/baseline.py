"""`Baseline`: what a run saw, as values that a person can read in a pull request; and its file.

Steps are one line each; answers are values by place; times are classes, the best of all answers to a question, so that
a busy machine is no drift.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..credentials import without_credentials
from ..errors import BadBaseline
from ..outcome import Run, SessionRun, StepRun, Verdict
from .answers import VARIES, answer, merged, question
from .wire import line, time_class

FORMAT = 1
CONNECTIONS: Final = "CT-06"
"""The check that sees whether connections are kept: what is accepted of it is compared too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """`steps` by session and step, `answers` by question and place, `times` by question and kind of time."""

    steps: Mapping[str, Mapping[str, str]]
    answers: Mapping[str, Mapping[str, Any]]
    times: Mapping[str, Mapping[str, str]]

    def over(self, before: "Baseline") -> "Baseline":
        """This one, with what only the older one saw, and with every `*` that was written into that."""
        answers = {key: _kept(before.answers.get(key, {}), value) for key, value in self.answers.items()}
        steps = {key: {**before.steps.get(key, {}), **value} for key, value in self.steps.items()}
        return Baseline(
            steps={**before.steps, **steps},
            answers={**before.answers, **answers},
            times={**before.times, **self.times},
        )


def _kept(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What is accepted now, but for what nobody wants compared."""
    return {**now, **{place: VARIES for place, value in before.items() if value == VARIES}}


def observed(run: Run) -> Baseline:
    """What a run saw. Sessions that were not checked are left out; so is every credential."""
    sessions = [one for one in without_credentials(run).sessions if one.verdict is not Verdict.NOT_CHECKED]
    kept = {one.id: {"connection": _connection(one)} for one in sessions if one.id == CONNECTIONS}
    sessions = [one for one in sessions if not one.severity]
    steps = {one.id: {step.name: line(step.received) for step in one.steps if step.received} for one in sessions}
    asked: dict[str, list[StepRun]] = defaultdict(list)
    for step in (step for one in sessions for step in one.steps):
        if key := question(step):
            asked[key].append(step)
    return Baseline(
        steps={**steps, **kept},
        answers={key: merged([answer(step) for step in found]) for key, found in sorted(asked.items())},
        times={key: _times(found) for key, found in sorted(asked.items())},
    )


def _connection(check: SessionRun) -> str:
    """Whether the target keeps a connection open between requests, as the check saw it."""
    is_reopened = any(finding.where == "connection" for finding in check.findings)
    return "closed after an answer" if is_reopened else "kept open"


def _times(steps: list[StepRun]) -> dict[str, str]:
    received = [step.received for step in steps if step.received]
    firsts = [one.first_byte for one in received if one.first_byte is not None]
    return {
        "first byte": time_class(min(firsts, default=None)),
        "longest silence": time_class(min(one.longest_gap for one in received)),
    }


def write_baseline(baseline: Baseline, file: Path) -> None:
    """Write it, sorted and indented.

    Raises:
        OSError: it cannot be written.
    """
    value = {"format": FORMAT, "steps": baseline.steps, "answers": baseline.answers, "times": baseline.times}
    file.write_text(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def read_baseline(file: Path) -> Baseline:
    """Read what `write_baseline` wrote, and perhaps a person corrected.

    Raises:
        BadBaseline: it is missing, no JSON, or of another format.
    """
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadBaseline(f"{file} cannot be read: {problem}. Record it with --baseline {file} --accept.") from problem
    is_ours = isinstance(value, dict) and value.get("format") == FORMAT
    if not is_ours or not all(_is_table(value.get(part)) for part in ("steps", "answers", "times")):
        raise BadBaseline(f"{file} is no baseline of format {FORMAT}. Record it anew: --baseline {file} --accept.")
    return Baseline(steps=value["steps"], answers=value["answers"], times=value["times"])


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(rows, dict) for rows in value.values())
