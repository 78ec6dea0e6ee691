"""What a run says of each of the 43 numbers: held, broken, or not checked and why. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ..outcome import SessionRun, StepRun, Verdict
from .registry import CONTRACTS, EVIDENCE

NUMBERS: Final = tuple(f"CT-{number:02}" for number in range(1, 44))

Outcome = Literal["held", "broken", "not checked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one number stands. `by` are the checks and sessions that say so; `reason` is empty unless not checked.

    `left_out` are parts of a check that could not be made, with their reasons.
    """

    number: str
    outcome: Outcome
    by: tuple[str, ...]
    reason: str = ""
    left_out: tuple[str, ...] = ()


def standings(runs: Sequence[SessionRun]) -> tuple[Standing, ...]:
    """Give one standing for every number, in order."""
    by_id = {run.id: run for run in runs}
    return tuple(_standing(number, by_id) for number in NUMBERS)


def _standing(number: str, runs: Mapping[str, SessionRun]) -> Standing:
    accusing = tuple(run.id for run in runs.values() if _accuses(run, number))
    if accusing:
        return Standing(number=number, outcome="broken", by=accusing)
    asked = [runs[key] for key in evidence(number) if key in runs]
    if not asked:
        return Standing(number=number, outcome="not checked", by=(), reason="it was not part of this run")
    held = tuple(run.id for run in asked if run.verdict is not Verdict.NOT_CHECKED)
    if not held:
        reasons = tuple(dict.fromkeys(run.reason for run in asked if run.reason))
        return Standing(number=number, outcome="not checked", by=(), reason="; ".join(reasons))
    left_out = (*_left_out(asked), *(f"{run.title}: {run.reason}" for run in asked if run.id not in held))
    return Standing(number=number, outcome="held", by=held, left_out=left_out)


def _accuses(run: SessionRun, number: str) -> bool:
    """Whether the check of this number failed, or a finding of anything names it."""
    is_own = run.id == number and run.verdict is Verdict.FAILED
    return is_own or any(number in finding.incidents for finding in run.findings)


def _left_out(runs: Iterable[SessionRun]) -> Iterator[str]:
    steps: Iterable[StepRun] = (step for run in runs if run.id in NUMBERS for step in run.steps)
    yield from (f"{step.name}: {step.skipped}" for step in steps if step.skipped)


def evidence(number: str) -> tuple[str, ...]:
    """The sessions that show a number, and its check."""
    return (*EVIDENCE.get(number, ()), *(contract.id for contract in CONTRACTS if contract.id == number))


def counted(found: Sequence[Standing]) -> str:
    """One line: how many held, how many are broken and which, and how many were not checked."""
    broken = [one.number for one in found if one.outcome == "broken"]
    held = sum(one.outcome == "held" for one in found)
    names = f" ({', '.join(broken)})" if broken else ""
    return f"contracts: {held} held, {len(broken)} broken{names}, {len(found) - held - len(broken)} not checked"


def evidence_listed() -> str:
    """One line per number that sessions show."""
    return "\n".join(f"{number}  shown by {', '.join(sessions)}" for number, sessions in EVIDENCE.items())
