"""The recorded situations, weighed: `python -m tests.diagnosis.situations` prints the tables of docs/diagnosis.md.

A situation is what reporters of an incident had seen, as answers to the table's questions, and who was at fault in the
end. Half of the collection was used to set the weights with; the other half was not.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from contract_tests.diagnosis.weighing.culprit import Culprit
from contract_tests.diagnosis.weighing.scales import weigh
from contract_tests.diagnosis.weighing.table import weights
from contract_tests.diagnosis.weighing.verdict import Sign, Verdict

RECORDED: Final = Path(__file__).with_name("recorded")
HALVES: Final = ("weighed", "held_out")
_STEPS: Final = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One recorded incident: its id, who was at fault, a summary, and what was seen of it."""

    id: str
    date: str
    at_fault: Culprit
    what: str
    signs: tuple[Sign, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A situation and the verdict on it."""

    situation: Situation
    verdict: Verdict

    @property
    def is_right(self) -> bool:
        """Whether the one at fault was named, or `unknown` where nobody knows to this day."""
        return self.verdict.culprit is self.situation.at_fault

    @property
    def is_wrong(self) -> bool:
        """Whether somebody was named who was not at fault: worse than `unknown`."""
        return not self.is_right and self.verdict.culprit is not Culprit.UNKNOWN


def read(half: str) -> tuple[Situation, ...]:
    """The situations of one half."""
    data = yaml.safe_load((RECORDED / f"{half}.yaml").read_text())
    return tuple(
        Situation(
            id=own["id"],
            date=str(own["date"]),
            at_fault=Culprit(own["at_fault"]),
            what=own["what"],
            signs=tuple(Sign(question=question, answer=answer) for question, answer in own["seen"].items()),
        )
        for own in data
    )


def judged(situations: Sequence[Situation]) -> tuple[Judged, ...]:
    """Every situation with its verdict."""
    return tuple(Judged(situation=each, verdict=weigh(each.signs)) for each in situations)


def with_one_missing(situations: Sequence[Situation]) -> Iterator[Judged]:
    """Every situation as often as it has observations, each time without one of them."""
    for each in situations:
        for index in range(len(each.signs)):
            rest = each.signs[:index] + each.signs[index + 1 :]
            yield Judged(situation=each, verdict=weigh(rest))


def counts(found: Sequence[Judged]) -> str:
    """How many are right, left open and wrong."""
    right, wrong = sum(each.is_right for each in found), sum(each.is_wrong for each in found)
    return f"| {len(found)} | {right} ({right / len(found):.0%}) | {len(found) - right - wrong} | {wrong} |"


def matrix(found: Sequence[Judged]) -> list[str]:
    """Who was at fault, by row; who was named, by column."""
    cells = Counter((each.situation.at_fault, each.verdict.culprit) for each in found)
    names = [culprit.value for culprit in Culprit]
    lines = [f"| at fault \\ named | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for row in Culprit:
        line = [f"**{cells[row, column]}**" if cells[row, column] else "" for column in Culprit]
        lines.append(f"| {row.value} | {' | '.join(line)} |")
    return lines


def calibration(found: Sequence[Judged]) -> list[str]:
    """How often those named with a confidence were at fault."""
    lines = ["| confidence | situations | mean confidence | at fault |", "|---|---|---|---|"]
    for low, high in _STEPS:
        these = [each for each in found if low <= each.verdict.confidence < high]
        if these and low >= _STEPS[1][0]:
            mean = sum(each.verdict.confidence for each in these) / len(these)
            right = sum(each.is_right for each in these)
            lines.append(f"| {low} to {high} | {len(these)} | {mean:.2f} | {right / len(these):.2f} |")
    return lines


def report() -> list[str]:
    """Everything that docs/diagnosis.md says of accuracy, in its words."""
    halves = {half: judged(read(half)) for half in HALVES}
    both = [each for found in halves.values() for each in found]
    lines = ["| situations | number | right | left open | wrong |", "|---|---|---|---|---|"]
    lines += [f"| {half.replace('_', ' ')} {counts(found)}" for half, found in halves.items()]
    lines.append(f"| held out, one observation missing {counts(tuple(with_one_missing(read('held_out'))))}")
    lines += ["", "All situations:", "", *matrix(both), "", "The held-out half alone:", "", *matrix(halves["held_out"])]
    missing = [each for half in HALVES for each in with_one_missing(read(half))]
    lines += ["", *calibration([*both, *missing]), "", "Wrong or left open:", ""]
    for half, found in halves.items():
        lines += [f"* {_line(half, each)}" for each in found if not each.is_right]
    return lines


def table() -> list[str]:
    """Every weight, as docs/diagnosis.md has it."""
    lines = ["| question | answer | bits | seen in |", "|---|---|---|---|"]
    for name, question in weights().questions.items():
        for index, (answer, said) in enumerate(question.answers.items()):
            bits = ", ".join(f"{culprit} {value:+g}" for culprit, value in said.weights.items())
            first = (name, ", ".join(question.incidents)) if index == 0 else ("", "")
            mark = "**" if said.is_failure else ""
            lines.append(f"| {first[0]} | {mark}{answer}{mark}: {said.means} | {bits} | {first[1]} |")
    return lines


def _line(half: str, each: Judged) -> str:
    verdict = each.verdict
    return (
        f"{each.situation.id} ({half.replace('_', ' ')}): {each.situation.at_fault}, "
        f"said {verdict.culprit} ({verdict.confidence:.2f}). {each.situation.what}"
    )


if __name__ == "__main__":
    print("\n".join([*report(), "", *table()]))  # noqa: T201 - it is a command
