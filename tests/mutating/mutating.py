"""Trying mutants of shipped or written sessions against a target."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio

from contract_tests import Options, Run, Session, choose, load_sessions, open_target, play_sessions
from contract_tests.mutating.plan import Plan
from contract_tests.mutating.registry import choose_rules
from contract_tests.mutating.rule import Mutant
from contract_tests.outcome import Difference, Fate, MutationRun
from tests.replay.replaying import write

SESSIONS = ("call-model", "create-noauth-legacy")
"""Both eras, the handshake, the notification, and the platform's own _meta."""


def mutate(
    target: object, *rules: str, only: Sequence[str] = SESSIONS, budget: int = 0, seed: int = 1, **more: Any
) -> Run:
    """Play sessions and all their mutants."""
    plan = Plan(rules=choose_rules(rules), budget=budget)
    options = Options(pace="none", seed=seed, **more)

    async def run() -> Run:
        with open_target(target) as opened:
            return await play_sessions(choose(load_sessions(), only), opened, options=options, plan=plan)

    return anyio.run(run)


def mutations(run: Run) -> MutationRun:
    """What became of the mutants."""
    assert run.mutations is not None
    return run.mutations


def broken_rules(run: Run) -> set[str]:
    """The rules under which something broke."""
    return {rule.id for rule in mutations(run).rules if rule.broke}


def smallest(run: Run) -> set[tuple[str, str, str, str]]:
    """Part, pointer, kind and value of every difference of every broken mutant."""
    return {shape(d) for m in mutations(run).mutants if m.fate is Fate.BROKE for d in m.differences}


def shape(difference: Difference) -> tuple[str, str, str, str]:
    """A difference without its step."""
    return difference.part, difference.pointer, difference.kind, difference.value


def session(folder: Path, *steps: Mapping[str, Any], **members: Any) -> Session:
    """A session written in the test."""
    return load_sessions(write(folder, steps=list(steps), **members), shipped=False)[0]


def derive(rule: str, written: Session) -> tuple[Mutant, ...]:
    """The mutants of a session by one rule."""
    return choose_rules([rule])[0].mutants(written)


def differences(mutant: Mutant) -> list[Difference]:
    """What a mutant changes, in order."""
    return [difference for change in mutant.changes for difference in change.differences()]
