"""The store in a file: one host, any number of its processes.

What is lost: by a crash of a process, nothing that was answered. By a crash of the machine or a power cut, nothing
either with `synchronous=full`, the default, on a disk that flushes when told to; with `normal`, the last moments
(SQLite flushes its log at checkpoints only), never the integrity of the file. Its clock is the host's. The file must
be on a local disk: network file systems do not keep the locks.
"""

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from .. import rules
from ..port import Claim, Claimed, Entry, Record, State
from . import calls, records
from .file import File
from .thread import FileThread

T = TypeVar("T")

SWEPT_TOGETHER = 100
"""Rows deleted in one transaction: with results of a megabyte, what others wait for meanwhile."""
FREED_TOGETHER = 256
"""Pages given back to the disk with them: a megabyte."""


class SqliteStore:
    """A store in the file `path`. Nothing is opened before the first use.

    `synchronous` is "full" or "normal": see above. `patience` is how many seconds an operation waits for other
    processes before it raises `StoreUnavailable`. `clock` is for tests.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        synchronous: str = "full",
        patience: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if synchronous not in {"full", "normal"}:
            raise ValueError(f"synchronous={synchronous!r} must be 'full' or 'normal'")
        self._path = Path(path).absolute()
        self._synchronous, self._patience, self._clock = synchronous, patience, clock
        self._lock = threading.Lock()
        self._thread: FileThread | None = None
        self._process = os.getpid()

    def __repr__(self) -> str:
        return f"SqliteStore({str(self._path)!r}, synchronous={self._synchronous!r})"

    async def claim(self, claim: Claim) -> Claimed:
        """See `Calls.claim`."""
        return await self._write(partial(calls.claim, claim=claim))

    async def look(self, key: str) -> Entry | None:
        """See `Calls.look`."""
        return await self._read(partial(calls.look, key=key))

    async def renew(self, key: str, *, epoch: int, holder: str, lease: float) -> bool:
        """See `Calls.renew`."""
        return await self._write(partial(calls.renew, key=key, epoch=epoch, holder=holder, lease=lease))

    async def complete(
        self, key: str, *, epoch: int, holder: str, state: State, result: bytes | None, window: float
    ) -> bool:
        """See `Calls.complete`."""
        rules.require_end(state)
        return await self._write(
            partial(calls.complete, key=key, epoch=epoch, holder=holder, state=state, result=result, window=window)
        )

    async def release(self, key: str, *, epoch: int, holder: str) -> bool:
        """See `Calls.release`."""
        return await self._write(partial(calls.release, key=key, epoch=epoch, holder=holder))

    async def delivered(self, key: str, *, epoch: int) -> bool:
        """See `Calls.delivered`."""
        return await self._write(partial(calls.delivered, key=key, epoch=epoch))

    async def get(self, kind: str, key: str) -> Record | None:
        """See `Records.get`."""
        return await self._read(partial(records.get, kind=kind, key=key))

    async def put(
        self, kind: str, key: str, value: bytes, *, expires_in: float | None = None, version: int | None = None
    ) -> int | None:
        """See `Records.put`."""
        return await self._write(
            partial(records.put, kind=kind, key=key, value=value, expires_in=expires_in, version=version)
        )

    async def take(self, kind: str, key: str) -> Record | None:
        """See `Records.take`."""
        return await self._write(partial(records.take, kind=kind, key=key))

    async def page(self, kind: str, *, prefix: str = "", after: str = "", limit: int = 100) -> Sequence[Record]:
        """See `Records.page`."""
        return await self._read(partial(records.page, kind=kind, prefix=prefix, after=after, limit=limit))

    async def check(self) -> None:
        """See `Store.check`."""
        await self._read(_nothing)

    async def sweep(self, *, limit: int = 1000) -> int:
        """See `Store.sweep`. In small transactions, with others between them."""
        deleted = 0
        for begin in range(0, limit, SWEPT_TOGETHER):
            most = min(SWEPT_TOGETHER, limit - begin)
            swept = await self._write(partial(_sweep, limit=most))
            deleted += swept
            if swept < most:
                break
        return deleted

    async def aclose(self) -> None:
        """See `Store.aclose`. What has been asked before is still done."""
        if self._process != os.getpid():
            return
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                thread.stop()
        if thread is not None:
            await asyncio.to_thread(thread.ended.wait)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _read(self, does: Callable[[sqlite3.Connection, float], T]) -> T:
        return await self._ask(does, writes=False)

    async def _write(self, does: Callable[[sqlite3.Connection, float], T]) -> T:
        return await self._ask(does, writes=True)

    def _ask(self, does: Callable[[sqlite3.Connection, float], T], *, writes: bool) -> "asyncio.Future[T]":
        """Put it into the queue of the thread, which is started if there is none.

        A forked child has no thread, and must not touch its parent's connection: it begins anew.
        """
        if self._process != os.getpid():
            self._lock, self._thread, self._process = threading.Lock(), None, os.getpid()
        with self._lock:  # Nothing may come into the queue behind the word to stop.
            self._thread = self._thread or self._started()
            return self._thread.ask(does, writes=writes)

    def _started(self) -> FileThread:
        thread = FileThread(
            File(path=self._path, synchronous=self._synchronous, patience=self._patience, clock=self._clock)
        )
        thread.start()
        return thread


def _nothing(connection: sqlite3.Connection, now: float) -> None:
    """To have the file opened, and its schema brought up to date, is what was wanted."""


def _sweep(connection: sqlite3.Connection, now: float, limit: int) -> int:
    deleted = calls.sweep(connection, now, limit) + records.sweep(connection, now, limit)
    free = connection.execute("PRAGMA freelist_count").fetchone()[0]
    for _ in range(min(free, FREED_TOGETHER)):
        connection.execute("PRAGMA incremental_vacuum(1)")  # With more at once, the sqlite3 module stops after one.
    return deleted
