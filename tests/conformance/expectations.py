"""What must pass, and what does not and why: as data, compared both ways.

Pure. A check that fails without standing here is a finding; one that stands here and no longer fails is too, so that
the list cannot outlive its reasons.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.conformance.suite import Check, Requirements

FINE: Final = frozenset({"SUCCESS", "INFO"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """A check of a scored scenario that ends otherwise than with success.

    `says` is part of the suite's message: it keeps the check from failing for another reason unnoticed.
    """

    scenario: str
    check: str
    status: str
    says: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One run of the suite: a revision against an engine of ours.

    `scored` is how many scenarios the suite scores, `unoffered` names the unscored ones that cannot pass.
    """

    revision: str
    engine: str
    arguments: tuple[str, ...] = ()
    scored: int
    divergences: tuple[Divergence, ...] = ()
    unoffered: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.revision} {self.engine}"


_NO_WAY_BACK: Final = (
    "the tool sends a request to the client during the call; the default engine serves every POST by itself and keeps "
    "no session, so there is no stream on which the client's answer could find its call"
)

STATELESS: Final = (
    *(
        Divergence(scenario=scenario, check=check, status="FAILURE", says="no back-channel", reason=_NO_WAY_BACK)
        for scenario, check in (
            ("tools-call-sampling", "tools-call-sampling"),
            ("tools-call-elicitation", "tools-call-elicitation"),
            ("elicitation-sep1034-defaults", "elicitation-sep1034-general"),
            ("elicitation-sep1330-enums", "elicitation-sep1330-general"),
        )
    ),
    Divergence(
        scenario="server-sse-multiple-streams",
        check="server-sse-multiple-streams-session",
        status="WARNING",
        says="",
        reason="the scenario stops before its first check when a server gives no session id; the suite counts it as "
        "passed, we do not. Its checks pass at 2026-07-28, where they need no session",
    ),
)
"""2025-11-25 on the default engine: what needs a session."""

TASKS: Final = frozenset(
    {
        "tasks-lifecycle",
        "tasks-capability-negotiation",
        "tasks-wire-fields",
        "tasks-request-state-removal",
        "tasks-mrtr-input",
        "tasks-request-headers",
        "tasks-dispatch-and-envelope",
        "tasks-required-task-error",
        "tasks-mrtr-composition",
        "tasks-status-notifications",
    }
)
"""The extension `io.modelcontextprotocol/tasks`, which neither mcp 2.3 nor this project offers. Never scored."""

SESSION_ONLY: Final = frozenset({"server-session-lifecycle", "server-sse-polling"})
"""Unscored at 2025-11-25: they end before their first check without a session id."""

LEGS: Final = (
    Leg(revision="2026-07-28", engine="default", scored=37, unoffered=TASKS),
    Leg(revision="2025-11-25", engine="default", scored=30, divergences=STATELESS, unoffered=SESSION_ONLY),
    Leg(
        revision="2025-11-25",
        engine="sticky",
        arguments=("sessions=sticky",),
        scored=30,
        unoffered=frozenset({"server-sse-polling"}),
    ),
)


def passed(scenario: str, checks: Iterable[Check]) -> bool:
    """Whether a scenario saw something succeed and nothing else. One that only says INFO has looked at nothing."""
    statuses = {check.status for check in checks if check.scenario == scenario}
    return "SUCCESS" in statuses and statuses <= FINE


def findings(leg: Leg, requirements: Requirements, checks: Sequence[Check]) -> list[str]:
    """What is otherwise than expected; empty if nothing is."""
    return [
        *_unexpected(leg, requirements, checks),
        *_outlived(leg, checks),
        *_unseen(leg, requirements, checks),
        *_unscored(leg, requirements, checks),
        *_by_accident(checks),
    ]


def _unexpected(leg: Leg, requirements: Requirements, checks: Sequence[Check]) -> Iterator[str]:
    for check in checks:
        if check.scenario not in requirements.scored or check.status in FINE:
            continue
        if not any(_explains(divergence, check) for divergence in leg.divergences):
            yield f"{check.scenario}: {check.id} is {check.status}: {check.message}"


def _outlived(leg: Leg, checks: Sequence[Check]) -> Iterator[str]:
    for each in leg.divergences:
        if not any(_explains(each, check) for check in checks):
            yield f"{each.scenario}: {each.check} is not {each.status} with {each.says!r}: correct its Divergence"


def _unseen(leg: Leg, requirements: Requirements, checks: Sequence[Check]) -> Iterator[str]:
    diverging = {divergence.scenario for divergence in leg.divergences}
    for scenario in requirements.scored:
        if scenario not in diverging and not any(c.scenario == scenario and c.status == "SUCCESS" for c in checks):
            yield f"{scenario}: nothing was checked"


def _unscored(leg: Leg, requirements: Requirements, checks: Sequence[Check]) -> Iterator[str]:
    for scenario in requirements.unscored:
        offered = scenario not in leg.unoffered
        if passed(scenario, checks) != offered:
            yield f"{scenario}: unscored, and {'does not pass' if offered else 'passes though it is not offered'}"


def _by_accident(checks: Sequence[Check]) -> Iterator[str]:
    """A check that ran out of time proves nothing, whichever way it ended."""
    for check in checks:
        if check.id == "scenario-timeout" or "timed out" in check.message.lower():
            yield f"{check.scenario}: {check.id} was decided by a timeout: {check.message}"


def _explains(divergence: Divergence, check: Check) -> bool:
    expected = (divergence.scenario, divergence.check, divergence.status)
    return expected == (check.scenario, check.id, check.status) and divergence.says in check.message
