"""The rest of an operation from another worker, after a restart, and after a crash."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from connector.calls.attempt import ATTEMPT
from connector.calls.continuing import Answered, Continuing
from connector.calls.desk import Desk, DeskPolicy
from connector.calls.keeping import Keeping
from connector.calls.keys import Request
from connector.calls.operations import Operation, Operations
from connector.calls.outcome import Ended, Outcome, Reply
from connector.calls.pieces import PIECES
from connector.calls.standing import Terms
from connector.guard import Guard
from connector.principal import Principal
from connector.stores.memory import MemoryStore
from connector.stores.port import State
from connector.stores.sealing import Keyring
from tests.loopback import served
from tests.partial.works import Works, ask, rest, state_of, texts
from tests.stores.shared import empty_postgres, empty_redis

RING = Keyring([b"0123456789abcdef0123456789abcdef"])
ANNA = Principal(issuer="https://id.test", subject="anna", client="chatgpt")
PAY = Request(tool="pay", arguments={"amount": 5}, meta={"openai/session": "one"}, principal=ANNA)
RERUN = Guard(after_crash="rerun")


class Clock:
    """A store's clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Worker:
    """A desk, and what answers questions for the rest, without HTTP."""

    def __init__(self, store: MemoryStore, *, lease: float = 30.0) -> None:
        self.operations = Operations(store, RING, RING.digest, kept_for=3600.0)
        policy = DeskPolicy(lease=lease, grace=0.0, join=20.0, checkpoint=0.01)
        self.desk = Desk(store, policy, Keeping(10_000), RING.digest, self.operations)
        self.continuing = Continuing(self.desk, store, self.operations)
        self.scope = self.operations.scope_of(PAY)

    def terms(self, wait: float) -> Terms:
        """Answer in `wait` seconds."""
        return Terms(
            tool="pay", answer_by=monotonic() + wait, scope=self.scope, budget=8192, lasts=True, arguments={"amount": 5}
        )

    async def call(self, work: "Work", guard: Guard = RERUN, *, wait: float = 0.05) -> Reply:
        """Call the tool."""
        return await self.desk.call(PAY, guard, work, self.terms(wait))

    async def rest(self, reply: Mapping[str, Any], *, wait: float = 5.0, again: "Work | None" = None) -> Answered:
        """Ask for the rest of what was answered."""
        state = reply["_meta"]["ballast/operation"]
        operation = await self.continuing.find(state["operation_id"], self.scope)
        assert operation is not None

        async def begin(operation: Operation, terms: Terms) -> Reply:
            assert again is not None
            return await self.desk.once(operation.wish, RERUN, again, terms)

        return await self.continuing.rest(operation, state["after"], self.terms(wait), begin if again else None)


class Work:
    """What a tool does: it gives a part, waits until it may end, and ends."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.begun = asyncio.Event()
        self.attempts: list[int] = []

    async def __call__(self) -> Ended:
        attempt, pieces = ATTEMPT.get(), PIECES.get()
        assert attempt is not None
        assert pieces is not None
        self.attempts.append(attempt.number)
        pieces.add([{"type": "text", "text": f"attempt {attempt.number}"}])
        self.begun.set()
        await self.may_end.wait()
        return Ended(state=State.DONE, result={"content": [{"type": "text", "text": f"paid in {attempt.number}"}]})


async def stored(worker: Worker, reply: Reply) -> None:
    """Wait until other workers can see what there is."""
    for _ in range(1000):
        known = await worker.operations.get(reply.result["_meta"]["ballast/operation"]["operation_id"])
        if known is not None and known.blocks:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("nothing was stored in five seconds")


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store that two processes can share."""
    match request.param:
        case "postgres":
            return empty_postgres()
        case "redis":
            return empty_redis()
    return f"sqlite:///{tmp_path}/calls.sqlite3"


def test_two_workers_on_one_store_tell_the_same_story(store: str) -> None:
    """Issue 8: another worker process can answer."""
    one, two = Works(store=store), Works(store=store)
    with served(one.app()) as here, served(two.app()) as there:
        for url in (here, there):
            ask(url, "times")  # stores are opened at the first call
        first = ask(here, "read", {"what": "tea"})
        second = rest(there, first)
        joined = ask(there, "read", {"what": "tea"})
        one.may_end.set()
        last = rest(there, second)

    assert texts(first)[1:] == ["tea 1", "tea 2"]
    assert second["structuredContent"]["status"] == "running"
    assert texts(joined)[1:] == ["tea 1", "tea 2"]
    assert state_of(joined)["operation_id"] == state_of(first)["operation_id"]
    assert texts(last) == ["tea 3"]
    assert (one.begun, two.begun) == (["tea"], [])


def test_what_may_be_begun_again_survives_a_restart(store: str) -> None:
    """Issue 8: survives a restart where the tool is declared `rerun`; the model is told that it began anew."""
    answers = []
    for number in (1, 2):
        works = Works(store=store)
        with served(works.app()) as url:
            ask(url, "times")  # the store is opened at the first call
            if number == 1:
                answers.append(ask(url, "write_again", {"what": "tea"}))
            else:
                answers.append(rest(url, answers[-1]))
                works.may_end.set()
                answers.append(rest(url, answers[-1]))

    before, began_anew, last = answers
    assert texts(before)[1:] == ["attempt 1"]
    assert "began it again" in texts(began_anew)[0]
    assert texts(began_anew)[1:] == ["attempt 2"]
    assert texts(last) == ["wrote tea in attempt 2"]
    assert len({state_of(answer)["operation_id"] for answer in answers}) == 1


@pytest.mark.asyncio
async def test_after_a_crash_whoever_asks_begins_it_again() -> None:
    """Ours: as after a restart, but the lost worker said nothing; its lease must run out first."""
    clock = Clock()
    store, lost, fresh = MemoryStore(clock=clock), Work(), Work()
    first = await Worker(store).call(lost)
    clock.now += 31
    fresh.may_end.set()

    answer = await Worker(store).rest(first.result, again=fresh)

    assert first.outcome is Outcome.RUNNING
    assert answer.result["content"] == [{"type": "text", "text": "paid in 2"}]
    assert fresh.attempts == [2]


@pytest.mark.asyncio
async def test_after_a_crash_the_model_is_told_honestly() -> None:
    """Issue 8: restart without `rerun`. Nothing is run again, and what there was is shown."""
    clock = Clock()
    store, lost = MemoryStore(clock=clock), Work()
    worker = Worker(store)
    first = await worker.call(lost, Guard())
    await stored(worker, first)
    clock.now += 31

    answer = await Worker(store).rest(first.result)

    assert answer.result["isError"] is True
    told, given = [block["text"] for block in answer.result["content"]]
    assert "is not known; look first" in told
    assert given == "attempt 1"
    assert lost.attempts == [1]


@pytest.mark.asyncio
async def test_the_result_is_found_where_only_the_call_was_stored() -> None:
    """Ours: a worker may die between storing the outcome and storing the operation's end."""
    store, work = MemoryStore(), Work()
    one, two = Worker(store), Worker(store)
    first = await one.call(work, Guard())
    id_ = first.result["_meta"]["ballast/operation"]["operation_id"]
    running = await one.operations.get(id_)
    assert running is not None
    work.may_end.set()
    await one.rest(first.result)
    await one.operations.put(running)

    answer = await two.rest(first.result)

    assert answer.result["content"][-1] == {"type": "text", "text": "paid in 1"}
    assert answer.receipt is not None


@pytest.mark.asyncio
async def test_arguments_and_parts_cannot_be_read_in_the_store() -> None:
    """Issue 8: sealed, as results are; always, because arguments are kept here."""
    store, work = MemoryStore(), Work()
    worker = Worker(store)
    first = await worker.call(work)
    await stored(worker, first)
    work.may_end.set()
    await worker.rest(first.result)

    kept = [*(await store.page("operation"))]
    assert len(kept) == 1
    for word in (b"amount", b"attempt", b"pay", b"paid", first.result["_meta"]["ballast/operation"]["operation_id"]):
        assert (word if isinstance(word, bytes) else word.encode()) not in kept[0].value + kept[0].key.encode()


@pytest.mark.asyncio
async def test_nobody_waits_longer_than_its_own_terms_for_anothers_worker() -> None:
    """Ours: each caller has its own clock; the call itself goes on."""
    store, work = MemoryStore(), Work()
    one, two = Worker(store), Worker(store)
    first = asyncio.create_task(one.call(work, wait=20.0))
    await work.begun.wait()

    joined = await two.call(Work(), wait=0.05)
    work.may_end.set()

    assert joined.outcome is Outcome.JOINED
    assert joined.result["structuredContent"]["status"] == "running"
    assert (await first).outcome is Outcome.EXECUTED
    assert (await two.rest(joined.result)).result["content"][-1] == {"type": "text", "text": "paid in 1"}
