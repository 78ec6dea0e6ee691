"""Platform changes in SARIF: a rule for each kind, a result for each mutant that broke, with its smallest change."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ..outcome import Fate, MutantRun, MutationRun, RuleRun
from . import matrix
from .words import first_line, printable

PREFIX: Final = "mutation/"
"""Before the id of a rule, so that it is never taken for a session's."""

FINGERPRINT: Final = "ballast/mutant/v1"

_LONGEST = 1000  # characters, as of other messages


def mutant_rule(rule: RuleRun) -> dict[str, Any]:
    """A kind of platform change as a rule. A warning: nothing is broken yet."""
    tried = rule.survived + rule.broke
    told = f"{rule.stands_for} Why it is likely: {rule.source}. {rule.advice}"
    return {
        "id": f"{PREFIX}{rule.id}",
        "name": "".join(part.title() for part in f"mutation-{rule.id}".split("-")),
        "shortDescription": {"text": _text(rule.title)},
        "fullDescription": {"text": _text(f"{rule.title}. {rule.stands_for}")},
        "help": {"text": _text(told), "markdown": _text(told)},
        "defaultConfiguration": {"level": "warning"},
        "properties": {
            "tags": ["mcp", "mutation", *rule.incidents],
            "precision": "medium",
            "problem.severity": "warning",
            "survived": rule.survived,
            "tried": tried,
        },
    }


def broken(mutations: MutationRun | None) -> Iterator[tuple[RuleRun, MutantRun]]:
    """Every mutant that broke, with its rule; one of each kind and session."""
    seen: set[str] = set()
    rules = {rule.id: rule for rule in mutations.rules} if mutations else {}
    for mutant in mutations.mutants if mutations else ():
        if mutant.fate is Fate.BROKE and _fingerprint(mutant) not in seen:
            seen.add(_fingerprint(mutant))
            yield rules[mutant.rule], mutant


def mutant_result(rule: RuleRun, mutant: MutantRun, doubts: Sequence[str]) -> dict[str, Any]:
    """A mutant that broke: the smallest change that breaks, what was expected and what came."""
    change = "; ".join(map(matrix.in_words, mutant.differences)) or rule.title
    finding = next(iter(mutant.findings), None)
    came = f" {finding.step}, {finding.where}: expected {finding.expected}, got {finding.actual}." if finding else ""
    note = f" Note: {mutant.reason}." if mutant.reason else ""
    trust = f" Trust: {', '.join(doubts)}." if doubts else ""
    said = f"{mutant.session} breaks with {change}.{came}{note}"
    return {
        "ruleId": f"{PREFIX}{rule.id}",
        "level": "warning",
        "message": {"text": _text(f"{said} Next: {rule.advice}{trust}")},
        "partialFingerprints": {FINGERPRINT: _fingerprint(mutant)},
        "properties": {"incidents": list(rule.incidents), "session": mutant.session, "doubts": list(doubts)},
    }


def _fingerprint(mutant: MutantRun) -> str:
    """The same for the same change of the same session, whatever value was put there and whatever came."""
    places = [[one.step, one.part, one.pointer, one.kind, one.position] for one in mutant.differences]
    parts = json.dumps([mutant.rule, mutant.session, places])
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def _text(text: str) -> str:
    return first_line(printable(text), longest=_LONGEST)
