"""The one thread that a file is used from, and the queue before it.

What waits in the queue goes into one transaction: with many callers the disk is flushed once for all of them. It may be
asked from any number of event loops; who is cancelled while waiting is not told, and what it asked for is done.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from .file import File

T = TypeVar("T")

MOST_TOGETHER = 128
"""Operations in one transaction: enough to share a flush, few enough that another process gets its turn."""


@dataclass(slots=True, eq=False)
class Waiting(Generic[T]):
    """An operation somebody waits for."""

    does: Callable[[sqlite3.Connection, float], T]
    writes: bool
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[T]"
    result: T | None = None
    failure: Exception | None = None

    def run(self, connection: sqlite3.Connection, now: float) -> None:
        """Do it, and keep the result."""
        self.result = self.does(connection, now)

    def fail(self, raised: Exception) -> None:
        """Keep the reason."""
        self.failure = raised

    def settle(self) -> None:
        """Tell who waits, in its own loop; nobody, if it was cancelled."""
        if self.future.done():
            return
        if self.failure is not None:
            self.future.set_exception(self.failure)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]  # `run` has set what `does` gave


@dataclass(slots=True, eq=False)
class FileThread:
    """A running thread for a file. `ended` is set when the file is closed."""

    file: File
    queue: "SimpleQueue[Waiting[Any] | None]" = field(default_factory=SimpleQueue)
    ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin. A daemon: a process may end without closing its store, since what was answered is on the disk."""
        threading.Thread(target=self._serve, name="ballast-sqlite", daemon=True).start()

    def ask(self, does: Callable[[sqlite3.Connection, float], T], *, writes: bool) -> "asyncio.Future[T]":
        """Put an operation into the queue of the running loop's thread."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self.queue.put(Waiting(does, writes, loop, future))
        return future

    def stop(self) -> None:
        """End after what has been asked so far."""
        self.queue.put(None)

    def _serve(self) -> None:
        goes_on = True
        try:
            while goes_on:
                waiting, goes_on = self._next()
                if waiting:
                    self.file.transact(waiting)
                    _answer(waiting)
        finally:
            self.file.close()
            self.ended.set()

    def _next(self) -> tuple[list[Waiting[Any]], bool]:
        """What waits, at least one; and whether there may be more later."""
        waiting: list[Waiting[Any]] = []
        one = self.queue.get()
        try:
            while one is not None:
                waiting.append(one)
                if len(waiting) == MOST_TOGETHER:
                    return waiting, True
                one = self.queue.get_nowait()
        except Empty:
            return waiting, True
        return waiting, False


def _answer(waiting: Sequence[Waiting[Any]]) -> None:
    """Wake each loop once."""
    loops: dict[asyncio.AbstractEventLoop, list[Waiting[Any]]] = {}
    for one in waiting:
        loops.setdefault(one.loop, []).append(one)
    for loop, answered in loops.items():
        with suppress(RuntimeError):  # The loop is closed: nobody waits there any more.
            loop.call_soon_threadsafe(_settle, answered)


def _settle(answered: Sequence[Waiting[Any]]) -> None:
    for one in answered:
        one.settle()
