"""What no order ties is done at the same time, a few at once, and told in the order of the questions."""

import anyio
import pytest

from contract_tests import Options, choose, load_sessions, open_target, play_sessions
from contract_tests.outcome import SessionRun
from contract_tests.side_by_side import side_by_side
from tests.replay.servers import Tolerant


def test_results_keep_the_order_and_no_more_run_than_are_allowed() -> None:
    """Issue 6, item 9: parallel where order does not matter."""
    running: set[int] = set()
    most: list[int] = []

    async def work(number: int) -> str:
        running.add(number)
        most.append(len(running))
        for _ in range(10 - number):
            await anyio.lowlevel.checkpoint()
        running.discard(number)
        return f"done {number}"

    async def run() -> list[str]:
        return await side_by_side(range(10), work, at_once=3)

    assert anyio.run(run) == [f"done {number}" for number in range(10)]
    assert max(most) == 3


def test_what_takes_longest_begins_first() -> None:
    """Ours: the longest wait decides when everything is over."""
    begun: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)

    async def run() -> None:
        await side_by_side([1, 5, 3, 5], work, at_once=1, first=lambda number: number)

    anyio.run(run)
    assert begun == [5, 5, 3, 1]


def test_an_exception_is_not_lost() -> None:
    """Ours: a bug in one must not pass for a result."""

    async def work(number: int) -> None:
        raise ValueError(number)

    async def run() -> None:
        await side_by_side([1], work, at_once=4)

    with pytest.raises(ValueError, match="1"):
        anyio.run(run)


class Watching:
    """Takes note of what was running when another one ended."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.together: set[frozenset[str]] = set()

    def run_started(self, target: str, url: str, total: int) -> None: ...

    def mutant_started(self, number: int, total: int, rule: str) -> None: ...

    def session_started(self, id: str, title: str) -> None:  # noqa: A002 - as the protocol has it
        self.running.append(id)
        self.together.add(frozenset(self.running))

    def session_ended(self, session: SessionRun) -> None:
        self.running.remove(session.id)


def test_sessions_that_wait_do_not_hold_up_the_others_and_stand_in_their_order() -> None:
    """Issue 6, item 9: a session's steps stay in order, sessions need not."""
    watching = Watching()
    chosen = choose(load_sessions(), ["call-model", "input-required", "create-noauth-modern"])

    async def run() -> list[str]:
        with open_target(Tolerant()) as target:
            found = await play_sessions(chosen, target, options=Options(seed=1), listener=watching)
        assert found.notes == ("seed 1",)
        return [session.id for session in found.sessions]

    assert anyio.run(run) == [session.id for session in chosen]
    assert {"input-required", "call-model"} in watching.together
