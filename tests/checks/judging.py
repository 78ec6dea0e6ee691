"""Checking numbered contracts against an object, through the public names."""

from collections.abc import Sequence
from dataclasses import replace

import anyio

from contract_tests import Options, Run, Verdict, open_target, play_sessions
from contract_tests.checks.contract import Contract
from contract_tests.checks.registry import CONTRACTS, OAUTH

WIRE: Sequence[Contract] = tuple(contract for contract in CONTRACTS if contract not in OAUTH)
OPTIONS = Options(pace="none", seed=1)


def judged(target: object, *only: str, options: Options = OPTIONS) -> Run:
    """Check every contract that is not about OAuth, or those in `only`, as if named one by one."""
    contracts = [contract for contract in WIRE if not only or contract.id in only]

    async def run() -> Run:
        with open_target(target) as opened:
            return await play_sessions([], opened, options=replace(options, named=only), contracts=contracts)

    return anyio.run(run)


def ids(run: Run, verdict: Verdict) -> set[str]:
    """The contracts that came out so."""
    return {session.id for session in run.sessions if session.verdict is verdict}


def told(run: Run) -> list[tuple[str, str, str, str]]:
    """Every finding in short, for a failing test to show."""
    return [
        (session.id, found.step, found.where, found.actual) for session in run.sessions for found in session.findings
    ]
