"""The suite against a contender: every session without pauses, then every numbered contract, as one word per row.

Sessions about OAuth are left out: none of these servers asks for authorization.
"""

from concurrent.futures import ThreadPoolExecutor

import anyio

from contract_tests import Options, Run, Session, load_sessions, play_sessions
from contract_tests.checks.contract import Contract
from contract_tests.checks.registry import choose_contracts

from .contenders import Contender

WORDS = {"passed": "holds", "failed": "breaks", "not checked": "not checked"}


def sessions() -> list[Session]:
    """The sessions that can say something about a server without authorization, in the order of the page."""
    return [one for one in load_sessions() if not {"oauth", "protected_tool"} & set(one.needs)]


def contracts() -> list[Contract]:
    """The numbered contracts that can."""
    return [one for one in choose_contracts() if one.surface != "oauth"]


def judge(contender: Contender) -> Run:
    """Play and check everything against one server."""

    async def run() -> Run:
        return await play_sessions(sessions(), target, options=Options(pace="none", seed=1), contracts=contracts())

    with contender.serve() as target:
        return anyio.run(run)


def judge_all(contenders: list[Contender]) -> dict[str, Run]:
    """Judge two at a time: each is asked four things at once, and a busy machine answers late."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = pool.map(judge, contenders)
        return {contender.name: run for contender, run in zip(contenders, runs, strict=True)}


def column(run: Run) -> dict[str, str]:
    """holds, breaks or not checked, by session or contract."""
    return {session.id: WORDS[session.verdict.value] for session in run.sessions}
