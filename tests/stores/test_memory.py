"""The store of one process: a clock of its own, and bounded."""

import asyncio
import threading
from dataclasses import dataclass

import pytest

from connector.stores.memory import MemoryStore
from connector.stores.port import Claim, State, Verdict


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def _claim(key: str, holder: str = "first", *, lease: float = 10, window: float = 60) -> Claim:
    return Claim(key=key, fingerprint="print", holder=holder, lease=lease, window=window)


@pytest.mark.asyncio
async def test_time_is_what_the_clock_says() -> None:
    """Guarantee 2, to the second: the lease, then the window after it, end when they end."""
    clock = Clock()
    store = MemoryStore(clock=clock)
    begun = await store.claim(_claim("key"))
    assert (begun.entry.begun_at, begun.entry.lease_left) == (1_000_000.0, 10.0)
    clock.now += 9.9
    assert (await store.claim(_claim("key", "second"))).verdict is Verdict.IN_FLIGHT
    clock.now += 60.0
    assert await store.look("key") is not None
    clock.now += 0.1
    assert await store.look("key") is None


@pytest.mark.asyncio
async def test_grace_ends_after_its_seconds_and_not_with_them() -> None:
    """Port: "more than `grace` seconds ago"."""
    clock = Clock()
    store = MemoryStore(clock=clock)
    again = Claim(key="key", fingerprint="print", holder="second", lease=10, window=60, grace=2.0)
    await store.claim(_claim("key"))
    await store.complete("key", epoch=1, holder="first", state=State.DONE, result=None, window=60)
    await store.delivered("key", epoch=1)
    clock.now += 2.0
    assert (await store.claim(again)).verdict is Verdict.ENDED
    clock.now += 0.5
    assert (await store.claim(again)).verdict is Verdict.CLAIMED


@pytest.mark.asyncio
async def test_a_store_nobody_sweeps_does_not_grow() -> None:
    """A server that runs for months holds what is alive, and a few hundred more."""
    clock = Clock()
    store = MemoryStore(clock=clock)
    for number in range(5_000):
        clock.now += 1
        await store.claim(_claim(f"key-{number}", lease=1, window=1))
        await store.put("kind", f"key-{number}", b"", expires_in=1)
    calls, records = (int(part.split("=")[1]) for part in repr(store)[len("MemoryStore(") : -1].split(", "))
    assert 1 <= calls <= 300
    assert 1 <= records <= 300


@pytest.mark.asyncio
async def test_a_value_that_its_writer_changes_later_is_kept_as_it_was() -> None:
    """Ours: a store of another process would not see the change either."""
    store = MemoryStore()
    value = bytearray(b"first")
    await store.put("kind", "key", value)  # type: ignore[arg-type]  # what a caller might do
    value[:] = b"other"
    record = await store.get("kind", "key")
    assert record is not None
    assert record.value == b"first"


def test_threads_with_loops_of_their_own_share_it() -> None:
    """Ours: of 8 loops that claim 200 keys each, every key has one holder."""
    store, verdicts = MemoryStore(), list[Verdict]()

    async def claim_all(holder: str) -> None:
        for number in range(200):
            verdicts.append((await store.claim(_claim(f"key-{number}", holder))).verdict)

    threads = [threading.Thread(target=asyncio.run, args=(claim_all(f"holder-{one}"),)) for one in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts.count(Verdict.CLAIMED) == 200
    assert verdicts.count(Verdict.IN_FLIGHT) == 1400


@pytest.mark.asyncio
async def test_a_call_cannot_be_completed_as_running() -> None:
    """Port: a completion is an end."""
    with pytest.raises(ValueError, match="renew it instead"):
        await MemoryStore().complete("key", epoch=1, holder="h", state=State.RUNNING, result=None, window=1)
