"""The table of weights: which questions there are, what each answer to them says, and for or against whom.

Read from weights.yaml once and checked there, so that nobody after this meets a bad value. Weighs nothing itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from ...errors import BallastTestError
from .culprit import Culprit


class BadTable(BallastTestError):
    """The table of weights, or evidence that is handed in, names something that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One possible answer to a question: what it means, whether it is a failure, and its weights in bits."""

    means: str
    is_failure: bool
    weights: Mapping[Culprit, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question: what is asked, how to find out, and its answers. Questions of a `group` look at one thing."""

    asks: str
    look: str
    group: str
    incidents: tuple[str, ...]
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspected:
    """What is said of one culprit: its name in a sentence, its weight before any evidence, and the next step."""

    means: str
    prior: float
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All questions, in the order in which they are best asked, and all culprits."""

    culprits: Mapping[Culprit, Suspected]
    questions: Mapping[str, Question] = field(default_factory=dict)

    def answer(self, question: str, answer: str) -> Answer:
        """Return what an answer says.

        Raises:
            BadTable: there is no such question, or no such answer to it.
        """
        if question not in self.questions:
            raise BadTable(f"There is no question {question!r}. Known are {', '.join(self.questions)}.")
        known = self.questions[question].answers
        if answer not in known:
            raise BadTable(f"{answer!r} is no answer to {question!r}. Known are {', '.join(known)}.")
        return known[answer]


@cache
def weights() -> Table:
    """Return the table that is shipped."""
    text = files(__package__).joinpath("weights.yaml").read_text(encoding="utf-8")
    return to_table(yaml.safe_load(text))


def to_table(data: Mapping[str, Any]) -> Table:
    """Check the data of a table and give its values.

    Raises:
        BadTable: a culprit is unknown or missing.
    """
    if set(data["culprits"]) != set(Culprit):
        raise BadTable(f"The table has to name these culprits and no others: {', '.join(Culprit)}.")
    culprits = {
        Culprit(name): Suspected(means=own["means"], prior=float(own["prior"]), next_step=own["next"])
        for name, own in data["culprits"].items()
    }
    return Table(culprits=culprits, questions={name: _question(own) for name, own in data["questions"].items()})


def _question(own: Mapping[str, Any]) -> Question:
    return Question(
        asks=own["asks"],
        look=own["look"],
        group=own["group"],
        incidents=tuple(own["incidents"]),
        answers={name: _answer(answer) for name, answer in own["answers"].items()},
    )


def _answer(own: Mapping[str, Any]) -> Answer:
    named = {name: value for name, value in own.items() if name not in {"means", "fails"}}
    if strangers := set(named) - (set(Culprit) - {Culprit.UNKNOWN}):
        raise BadTable(f"{own['means']}: {', '.join(sorted(strangers))} cannot be blamed by evidence.")
    return Answer(
        means=own["means"],
        is_failure=own.get("fails", False),
        weights={Culprit(name): float(value) for name, value in named.items()},
    )
