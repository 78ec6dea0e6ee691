"""Which mutants are tried when there are more than the budget allows. Pure: the same seed takes the same ones."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from ..notation.session import Session
from .rule import Mutant, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A mutant of one session by one rule."""

    rule: Rule
    session: Session
    mutant: Mutant


def derived(rules: Sequence[Rule], sessions: Sequence[Session]) -> tuple[Candidate, ...]:
    """Every mutant of every session, by rule, then in the order of the sessions."""
    return tuple(
        Candidate(rule=rule, session=session, mutant=mutant)
        for rule in rules
        for session in sessions
        for mutant in rule.mutants(session)
    )


def sample(candidates: Sequence[Candidate], budget: int, seed: int) -> tuple[Candidate, ...]:
    """At most `budget` of them (0: all), in their order; every rule gets its turn before one gets another."""
    if not budget or len(candidates) <= budget:
        return tuple(candidates)
    by_rule: dict[str, list[int]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        by_rule[candidate.rule.id].append(number)
    random = Random(f"{seed}/mutations")  # noqa: S311 - a choice of tests, repeatable by design
    for numbers in by_rule.values():
        random.shuffle(numbers)
    turns = [
        number for turn in range(len(candidates)) for numbers in by_rule.values() for number in numbers[turn : turn + 1]
    ]
    return tuple(candidates[number] for number in sorted(turns[:budget]))
