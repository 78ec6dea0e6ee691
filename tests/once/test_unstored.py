"""A call that ran while its store could not be reached, and the asker who may not be told that it is safe."""

import asyncio
from typing import Any

import pytest

from connector.calls import holding
from connector.calls.desk import Desk, DeskPolicy
from connector.calls.keeping import Keeping
from connector.calls.keys import Request
from connector.calls.outcome import Ended, Outcome
from connector.errors import StoreUnavailable
from connector.guard import Guard
from connector.stores.memory import MemoryStore
from connector.stores.port import State
from connector.stores.sealing import Keyring

SEND = Request(tool="send", arguments={"to": "anna"}, meta={}, param_key="order-1")


class Full(MemoryStore):
    """A store that takes claims, and completions only once there is room."""

    has_room = False

    async def complete(self, key: str, **more: Any) -> bool:
        if not self.has_room:
            raise StoreUnavailable("the disk is full")
        return await super().complete(key, **more)


class Sending:
    """Sends when it is let; counts."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.sent = 0

    async def __call__(self) -> Ended:
        await self.may_end.wait()
        self.sent += 1
        return Ended(state=State.DONE, result={"content": [{"type": "text", "text": f"sent {self.sent}"}]})


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("guard", "outcome", "said"),
    [
        (Guard(), Outcome.UNSTORED, "sent 1"),
        (Guard(after_crash="rerun"), Outcome.UNKNOWN, "could not be recorded"),
    ],
    ids=["nobody takes it over", "it may be run again"],
)
async def test_an_answer_that_could_not_be_stored_says_so(
    monkeypatch: pytest.MonkeyPatch, guard: Guard, outcome: Outcome, said: str
) -> None:
    """Chaos run, SQLite, seed 7, w00572: a success that no store knew of, and a retry that was sent once more."""
    monkeypatch.setattr(holding, "PATIENCE", 0.05)
    store, send = Full(), Sending()
    policy = DeskPolicy(lease=30, grace=0, join=5)
    desk = Desk(store, policy, Keeping(10_000), Keyring([b"0123456789abcdef0123456789abcdef"]).digest)

    first = asyncio.create_task(desk.call(SEND, guard, send))
    other = asyncio.create_task(desk.call(SEND, guard, send))
    send.may_end.set()
    told = [await first, await other]
    store.has_room = True
    await desk.aclose()
    later = await desk.call(SEND, guard, send)

    assert [reply.outcome for reply in told] == [outcome, outcome]
    assert [reply.result["_meta"]["ballast/idempotency"]["outcome"] for reply in told] == [outcome.value] * 2
    assert all(said in reply.result["content"][0]["text"] for reply in told)
    assert later.outcome is Outcome.REPLAYED
    assert send.sent == 1
