"""The store of one process, for tests and for servers that may forget.

What a crash of the process loses: everything. A second process sees nothing of it. Its clock is the host's at
construction, and from then on steady: setting the host's clock moves no lease. It may be used from several event loops
and threads. It keeps itself small: what has expired is deleted while other things are written.
"""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from . import rules
from .port import Claim, Claimed, Entry, Record, State
from .rules import Kept

SWEPT_EVERY = 256
"""Writes between two sweeps: each then costs what a write does, and a store holds at most that much too much."""


class MemoryStore:
    """A store in the memory of this process. `clock` gives seconds since 1970; tests may set their own."""

    def __init__(self, *, clock: Callable[[], float] | None = None) -> None:
        begun = time.time() - time.monotonic()
        self._now = clock or (lambda: begun + time.monotonic())
        self._lock = threading.Lock()
        self._calls: dict[str, Kept] = {}
        self._records: dict[tuple[str, str], Record] = {}
        self._versions = itertools.count(1)
        self._writes = itertools.count(1)

    def __repr__(self) -> str:
        return f"MemoryStore(calls={len(self._calls)}, records={len(self._records)})"

    async def claim(self, claim: Claim) -> Claimed:
        """See `Calls.claim`."""
        with self._lock:
            now = self._writing()
            verdict, kept = rules.claimed(self._calls.get(claim.key), claim, now)
            self._calls[claim.key] = kept
            return rules.answered(verdict, kept, now)

    async def look(self, key: str) -> Entry | None:
        """See `Calls.look`."""
        with self._lock:
            now, kept = self._now(), self._calls.get(key)
            return rules.entry(kept, now) if kept and kept.expires_at > now else None

    async def renew(self, key: str, *, epoch: int, holder: str, lease: float) -> bool:
        """See `Calls.renew`."""
        with self._lock:
            now = self._writing()
            mine = rules.held(self._calls.get(key), epoch, holder, now)
            return self._changed(mine and rules.renewed(mine, lease, now))

    async def complete(
        self, key: str, *, epoch: int, holder: str, state: State, result: bytes | None, window: float
    ) -> bool:
        """See `Calls.complete`."""
        rules.require_end(state)
        with self._lock:
            now = self._writing()
            mine = rules.held(self._calls.get(key), epoch, holder, now)
            return self._changed(mine and rules.completed(mine, state, result, window, now))

    async def release(self, key: str, *, epoch: int, holder: str) -> bool:
        """See `Calls.release`."""
        with self._lock:
            mine = rules.held(self._calls.get(key), epoch, holder, self._now())
            if mine is None or not rules.can_be_released(mine):
                return False
            del self._calls[key]
            return True

    async def delivered(self, key: str, *, epoch: int) -> bool:
        """See `Calls.delivered`."""
        with self._lock:
            return self._changed(rules.delivered(self._calls.get(key), epoch, self._now()))

    async def get(self, kind: str, key: str) -> Record | None:
        """See `Records.get`."""
        with self._lock:
            return self._living(kind, key, self._now())

    async def put(
        self, kind: str, key: str, value: bytes, *, expires_in: float | None = None, version: int | None = None
    ) -> int | None:
        """See `Records.put`."""
        with self._lock:
            now = self._writing()
            there = self._living(kind, key, now)
            if version is not None and version != (there.version if there else 0):
                return None
            expires_at = None if expires_in is None else now + expires_in
            record = Record(key=key, value=bytes(value), version=next(self._versions), expires_at=expires_at)
            self._records[kind, key] = record
            return record.version

    async def take(self, kind: str, key: str) -> Record | None:
        """See `Records.take`."""
        with self._lock:
            there = self._living(kind, key, self._now())
            self._records.pop((kind, key), None)
            return there

    async def page(self, kind: str, *, prefix: str = "", after: str = "", limit: int = 100) -> Sequence[Record]:
        """See `Records.page`."""
        with self._lock:
            now = self._now()
            keys = sorted(key for of, key in self._records if of == kind and key.startswith(prefix) and key > after)
            living = (record for key in keys if (record := self._living(kind, key, now)))
            return list(itertools.islice(living, limit))

    async def check(self) -> None:
        """There is nothing to reach."""

    async def sweep(self, *, limit: int = 1000) -> int:
        """See `Store.sweep`."""
        with self._lock:
            return self._swept(limit, self._now())

    async def aclose(self) -> None:
        """There is nothing to close; what it holds lives as long as the object."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _writing(self) -> float:
        """The time of a write; every so many writes, what has expired is deleted first."""
        now = self._now()
        if next(self._writes) % SWEPT_EVERY == 0:
            self._swept(len(self._calls) + len(self._records), now)
        return now

    def _changed(self, kept: Kept | None) -> bool:
        if kept is not None:
            self._calls[kept.key] = kept
        return kept is not None

    def _living(self, kind: str, key: str, now: float) -> Record | None:
        record = self._records.get((kind, key))
        return record if record and _is_living(record, now) else None

    def _swept(self, limit: int, now: float) -> int:
        calls = list(itertools.islice((key for key, kept in self._calls.items() if kept.expires_at <= now), limit))
        records = list(itertools.islice((key for key, of in self._records.items() if not _is_living(of, now)), limit))
        for call in calls:
            del self._calls[call]
        for record in records:
            del self._records[record]
        return len(calls) + len(records)


def _is_living(record: Record, now: float) -> bool:
    return record.expires_at is None or record.expires_at > now
