"""The desk without HTTP: two workers on one store, workers that die, stores that cannot be reached."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from connector.calls.desk import ATTEMPT, Desk, DeskPolicy
from connector.calls.keeping import Keeping
from connector.calls.keys import Request, wish_of
from connector.calls.outcome import Ended, Outcome, Reply
from connector.errors import StoreUnavailable
from connector.guard import Guard
from connector.principal import Principal
from connector.stores.memory import MemoryStore
from connector.stores.port import Claim, Claimed, Entry, State
from connector.stores.sealing import Keyring

_Answer = TypeVar("_Answer")

SECRET = b"0123456789abcdef0123456789abcdef"
ANNA = Principal(issuer="https://id.test", subject="anna", client="chatgpt")
PAY = Request(tool="pay", arguments={"amount": 5}, meta={}, principal=ANNA)
NAMED = replace(PAY, param_key="order-1")


class Worker(Desk):
    """A desk with short leases."""

    def __init__(self, store: Any, *, lease: float = 30.0, join: float = 20.0) -> None:
        policy = DeskPolicy(lease=lease, grace=0.0, join=join)
        super().__init__(store, policy, Keeping(10_000), Keyring([SECRET]).digest)


class Work:
    """What a tool does: it waits until it may end, then notes that it ran."""

    def __init__(self, *, waits: bool = False) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.attempts: list[int] = []
        self.done = 0
        self.cancelled = asyncio.Event()
        if not waits:
            self.may_end.set()

    async def __call__(self) -> Ended:
        attempt = ATTEMPT.get()
        self.attempts.append(0 if attempt is None else attempt.number)
        self.begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        self.done += 1
        return Ended(state=State.DONE, result={"content": [{"type": "text", "text": f"run {self.done}"}]})


def first_text(reply: Reply) -> str:
    text: str = reply.result["content"][0]["text"]
    return text


class Flaky(MemoryStore):
    """A store that can be cut off, before or after it did what was asked."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.is_down = False
        self.loses_answers = 0
        self.refused = asyncio.Event()

    async def claim(self, claim: Claim) -> Claimed:
        return await self._through(super().claim(claim))

    async def look(self, key: str) -> Entry | None:
        return await self._through(super().look(key))

    async def renew(self, key: str, **more: Any) -> bool:
        return await self._through(super().renew(key, **more))

    async def complete(self, key: str, **more: Any) -> bool:
        return await self._through(super().complete(key, **more))

    async def release(self, key: str, **more: Any) -> bool:
        return await self._through(super().release(key, **more))

    async def _through(self, work: Awaitable[_Answer]) -> _Answer:
        if self.is_down:
            work.close()  # type: ignore[attr-defined]  # a coroutine that will not be awaited
            self.refused.set()
            raise StoreUnavailable("nobody answers at store.test")
        answer = await work
        if self.loses_answers:
            self.loses_answers -= 1
            raise StoreUnavailable("the answer of store.test was lost")
        return answer


class Clock:
    """A store's clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


async def somebody_else_begins(store: MemoryStore, request: Request, *, lease: float = 30.0) -> Claim:
    """Another worker claims the call and is not heard of again."""
    wish = wish_of(request, Keyring([SECRET]).digest)
    assert wish is not None
    claim = Claim(
        key=wish.key,
        fingerprint=wish.fingerprint,
        holder="another worker",
        lease=lease,
        window=60.0,
        grace=None if wish.is_named else 0.0,
    )
    await store.claim(claim)
    return claim


@pytest.mark.asyncio
@pytest.mark.parametrize("request_", [PAY, NAMED], ids=["implied", "named"])
async def test_an_equal_call_at_another_worker_waits_for_the_first(request_: Request) -> None:
    """CT-04 and the reverse proxies of facts section 6: the same bytes reach another node."""
    store, work, second = MemoryStore(), Work(waits=True), Work()
    one, two = Worker(store), Worker(store)
    first = asyncio.create_task(one.call(request_, Guard(), work))
    await work.begun.wait()
    other = asyncio.create_task(two.call(request_, Guard(), second))
    work.may_end.set()

    assert [first_text(await first), first_text(await other)] == ["run 1", "run 1"]
    assert (await first).outcome is Outcome.EXECUTED
    assert (await other).outcome in {Outcome.JOINED, Outcome.REPLAYED}
    assert second.attempts == []


@pytest.mark.asyncio
async def test_the_asker_may_leave_and_the_call_goes_on() -> None:
    """Issue 4 item 2: a guarded call survives its client."""
    desk, work = Worker(MemoryStore()), Work(waits=True)
    asker = asyncio.create_task(desk.call(PAY, Guard(), work))
    await work.begun.wait()
    asker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asker
    retry = asyncio.create_task(desk.call(PAY, Guard(), Work()))
    work.may_end.set()

    assert first_text(await retry) == "run 1"
    assert work.done == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("request_", [PAY, NAMED], ids=["implied", "named"])
async def test_after_a_crash_nothing_is_run_again_and_the_model_is_told(request_: Request) -> None:
    """DESIGN section 5: `unknown` is the default for writes; an expired lease can repeat a committed write."""
    clock = Clock()
    store, work = MemoryStore(clock=clock), Work()
    await somebody_else_begins(store, request_)
    clock.now += 31

    reply = await Worker(store).call(request_, Guard(), work)

    assert work.attempts == []
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.result["isError"] is True
    assert "cut off before it was finished" in first_text(reply)


@pytest.mark.asyncio
async def test_after_an_unknown_outcome_was_told_a_person_may_ask_again() -> None:
    """Ours: under an implied key the sentence is an answer; who repeats after it has a new wish."""
    clock = Clock()
    store, work = MemoryStore(clock=clock), Work()
    desk = Worker(store)
    await somebody_else_begins(store, PAY)
    clock.now += 31
    told = await desk.call(PAY, Guard(), work)
    assert told.receipt is not None
    await store.delivered(told.receipt.key, epoch=told.receipt.epoch)
    clock.now += 5

    assert (await desk.call(PAY, Guard(), work)).outcome is Outcome.EXECUTED


@pytest.mark.asyncio
async def test_a_tool_that_may_rerun_is_taken_over() -> None:
    """Issue 4: the takeover policy is declared. The attempt is counted, and the result says how it came about."""
    clock = Clock()
    store, work = MemoryStore(clock=clock), Work()
    await somebody_else_begins(store, NAMED)
    clock.now += 31

    reply = await Worker(store).call(NAMED, Guard(after_crash="rerun"), work)

    assert work.attempts == [2]
    assert reply.outcome is Outcome.TAKEOVER
    assert reply.result["_meta"]["ballast/idempotency"]["outcome"] == "takeover"


@pytest.mark.asyncio
async def test_who_wakes_up_after_a_takeover_gives_the_answer_that_counts() -> None:
    """facts section 6: SIGSTOP past the lease. The stale worker's own answer must not reach anybody."""
    clock = Clock()
    store, stale, fresh = MemoryStore(clock=clock), Work(waits=True), Work()
    guard = Guard(after_crash="rerun")
    zombie = asyncio.create_task(Worker(store).call(NAMED, guard, stale))
    await stale.begun.wait()
    clock.now += 31
    fresh.done = 10
    taken = await Worker(store).call(NAMED, guard, fresh)
    stale.may_end.set()

    late = await zombie

    assert first_text(taken) == "run 11"
    assert first_text(late) == "run 11"
    assert stale.done == 1


@pytest.mark.asyncio
async def test_losing_the_lease_stops_the_work() -> None:
    """Issue 4 item 2."""
    clock = Clock()
    store, work = MemoryStore(clock=clock), Work(waits=True)
    asker = asyncio.create_task(Worker(store, lease=0.2).call(NAMED, Guard(), work))
    await work.begun.wait()
    clock.now += 31
    await Worker(store).call(NAMED, Guard(), Work())  # finds it dead: unknown

    reply = await asker

    assert work.cancelled.is_set()
    assert reply.outcome is Outcome.UNKNOWN
    assert "taken from this worker" in first_text(reply)


@pytest.mark.asyncio
async def test_a_lease_is_renewed_while_the_call_runs() -> None:
    """Issue 4 item 2."""
    store, work = MemoryStore(), Work(waits=True)
    desk = Worker(store, lease=0.1)
    asker = asyncio.create_task(desk.call(NAMED, Guard(), work))
    await work.begun.wait()
    joined = asyncio.create_task(Worker(store, lease=0.1, join=0.5).call(NAMED, Guard(), Work()))

    told = await joined  # five leases later it still waits for the first

    assert told.outcome is Outcome.JOINED
    assert "still running" in first_text(told)
    work.may_end.set()
    assert first_text(await asker) == "run 1"


@pytest.mark.asyncio
async def test_a_store_that_is_down_refuses_writes_and_comes_back() -> None:
    """Issue 4 item 3: fail closed, with a clear error, and recovery without a restart."""
    store, work = Flaky(), Work()
    desk = Worker(store)
    store.is_down = True
    refused = await desk.call(NAMED, Guard(), work)
    store.is_down = False
    done = await desk.call(NAMED, Guard(), work)

    assert refused.outcome is Outcome.REFUSED
    assert "Nothing was done" in first_text(refused)
    assert done.outcome is Outcome.EXECUTED
    assert work.attempts == [1]


@pytest.mark.asyncio
async def test_a_tool_may_run_without_its_store() -> None:
    """Issue 4 item 3: or open, per tool."""
    store, work = Flaky(), Work()
    store.is_down = True

    reply = await Worker(store).call(NAMED, Guard(without_store="run"), work)

    assert reply.outcome is Outcome.BYPASSED
    assert work.done == 1


@pytest.mark.asyncio
async def test_a_claim_whose_answer_was_lost_is_not_made_twice() -> None:
    """connector/stores/port.py, guarantee 4."""
    store, work = Flaky(), Work()
    store.loses_answers = 1

    reply = await Worker(store).call(NAMED, Guard(), work)

    assert reply.outcome is Outcome.EXECUTED
    assert work.attempts == [1]


@pytest.mark.asyncio
async def test_a_claim_nobody_heard_of_is_let_go() -> None:
    """Ours: or a retry would wait for a call that was never begun, and then be told that its outcome is unknown."""
    store, work = Flaky(), Work()
    desk = Worker(store)
    store.loses_answers = 2
    refused = await desk.call(NAMED, Guard(), work)
    await desk.aclose()

    reply = await Worker(store).call(NAMED, Guard(), work)

    assert refused.outcome is Outcome.REFUSED
    assert reply.outcome is Outcome.EXECUTED
    assert work.attempts == [1]


@pytest.mark.asyncio
async def test_an_outcome_that_cannot_be_stored_at_once_is_stored_later() -> None:
    """Issue 4 item 6: no acknowledged effect is lost."""
    store, work = Flaky(), Work(waits=True)
    desk = Worker(store)
    asker = asyncio.create_task(desk.call(NAMED, Guard(), work))
    await work.begun.wait()
    store.is_down = True
    work.may_end.set()
    await store.refused.wait()
    store.is_down = False

    assert first_text(await asker) == "run 1"
    assert (await Worker(store).call(NAMED, Guard(), Work())).outcome is Outcome.REPLAYED


@pytest.mark.asyncio
async def test_at_the_end_calls_get_their_time_and_then_are_stopped() -> None:
    """Issue 4 item 2: a call ends at shutdown, and the store knows that nobody knows."""
    store, short, long = MemoryStore(), Work(waits=True), Work(waits=True)
    desk = Worker(store)
    other = replace(NAMED, param_key="order-2")
    askers = [
        asyncio.create_task(desk.call(NAMED, Guard(), short)),
        asyncio.create_task(desk.call(other, Guard(), long)),
    ]
    await short.begun.wait()
    await long.begun.wait()
    short.may_end.set()
    await desk.aclose(within=0.2)

    done, stopped = [await asker for asker in askers]
    assert (done.outcome, stopped.outcome) == (Outcome.EXECUTED, Outcome.UNKNOWN)
    assert "being restarted" in first_text(stopped)
    assert (await Worker(store).call(other, Guard(), Work())).outcome is Outcome.UNKNOWN


@pytest.mark.asyncio
async def test_a_run_that_raises_leaves_no_trace() -> None:
    """Ours: what the protocol answers (an elicitation by URL, say) is no outcome of the call."""
    desk, work = Worker(MemoryStore()), Work()

    async def ask_back() -> Ended:
        raise LookupError("the person must log in first")

    with pytest.raises(LookupError):
        await desk.call(NAMED, Guard(), ask_back)
    assert (await desk.call(NAMED, Guard(), work)).outcome is Outcome.EXECUTED


@pytest.mark.asyncio
async def test_a_credential_that_many_share_implies_no_wish() -> None:
    """facts section 3: without a subject the principal may be a service; two people's calls would merge."""
    desk, work = Worker(MemoryStore()), Work()
    shared = replace(PAY, principal=Principal(client="service"))

    replies = [await desk.call(shared, Guard(), work) for _ in range(2)]

    assert [reply.outcome for reply in replies] == [Outcome.BYPASSED, Outcome.BYPASSED]
    assert work.done == 2


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "other",
    [
        replace(NAMED, principal=replace(ANNA, subject="berta")),
        replace(NAMED, principal=replace(ANNA, issuer="https://other.test")),
        replace(NAMED, principal=replace(ANNA, client="claude")),
        replace(NAMED, audience="another connector"),
        replace(NAMED, tool="refund"),
    ],
    ids=["subject", "issuer", "client", "audience", "tool"],
)
async def test_a_key_counts_only_for_who_sent_it(other: Request) -> None:
    """facts section 3: the scope of a key."""
    desk, work = Worker(MemoryStore()), Work()

    replies = [await desk.call(request, Guard(), work) for request in (NAMED, other)]

    assert [reply.outcome for reply in replies] == [Outcome.EXECUTED, Outcome.EXECUTED]


@pytest.mark.asyncio
async def test_parts_of_a_key_cannot_be_moved_into_each_other() -> None:
    """Ours: texts are put together so that no two lists of parts are the same."""
    desk, work = Worker(MemoryStore()), Work()
    one = replace(NAMED, tool="pay", param_key="x", principal=Principal(subject="ab", client="c"))
    two = replace(NAMED, tool="pay", param_key="x", principal=Principal(subject="a", client="bc"))

    replies = [await desk.call(request, Guard(), work) for request in (one, two)]

    assert [reply.outcome for reply in replies] == [Outcome.EXECUTED, Outcome.EXECUTED]


@pytest.mark.asyncio
async def test_the_answers_of_a_further_round_are_part_of_the_wish() -> None:
    """MCP 2026-07-28, `input_required`: the call comes again with what the person said."""
    desk, work = Worker(MemoryStore()), Work()
    again = replace(PAY, answers={"inputResponses": {"sure": {"action": "accept"}}})

    replies = [await desk.call(request, Guard(), work) for request in (PAY, again)]

    assert [reply.outcome for reply in replies] == [Outcome.EXECUTED, Outcome.EXECUTED]
