"""Connections of one event loop: opened by who needs one, kept for the next, and closed when they are old or broken.

Knows no statement. On purpose no task runs in the background: the workers of `psycopg_pool` 3.3.3 swallow a
cancellation while they connect, and a loop that ends during an outage then never ends.
"""

import asyncio
import select
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from ..outage import Outages

Line = AsyncConnection[TupleRow]

_OLDEST: Final = 240.0
"""Seconds a connection may be idle: gateways of clouds forget those that are silent for 350 s, without a word."""

_OPTIONS: Final[dict[str, Any]] = {
    "autocommit": True,
    # Unprepared: behind a pooler the next statement may go to a connection that has not prepared it.
    "prepare_threshold": None,
    "connect_timeout": 2,
    "application_name": "ballast",
}


class Pool:
    """At most `most` connections at once. Made in the loop it serves."""

    def __init__(self, options: dict[str, Any], *, most: int) -> None:
        self._options = {**_OPTIONS, **options}
        self._places = asyncio.Semaphore(most)
        self._idle: list[tuple[float, Line]] = []
        self._outages = Outages()
        self._closed = False

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """A connection for as long as the block lasts. One that is not at rest in the end is closed.

        Raises:
            psycopg.OperationalError: None could be opened.
        """
        async with self._places:
            line = await self._kept() or await self._opened()
            try:
                yield line
            finally:
                await self._put_back(line)

    async def aclose(self) -> None:
        """Close what is idle now, and the others when they are put back."""
        self._closed = True
        await self._close(len(self._idle))

    async def _opened(self) -> Line:
        def connect() -> Awaitable[Line]:
            return AsyncConnection.connect(**self._options)

        return await self._outages.outlast(connect, psycopg.OperationalError)

    async def _kept(self) -> Line | None:
        """The connection used last, if the server has not closed it."""
        while self._idle:
            since, line = self._idle.pop()
            if time.monotonic() - since < _OLDEST and _at_rest(line):
                return line
            await line.close()
        return None

    async def _put_back(self, line: Line) -> None:
        now = time.monotonic()
        if self._closed or line.closed or line.info.transaction_status != TransactionStatus.IDLE:
            await line.close()
        else:
            self._idle.append((now, line))
        await self._close(sum(now - since >= _OLDEST for since, _ in self._idle))

    async def _close(self, oldest: int) -> None:
        closing, self._idle = self._idle[:oldest], self._idle[oldest:]
        for _, line in closing:
            await line.close()


def _at_rest(line: Line) -> bool:
    """Whether an idle connection is still good, without asking: one on which there is something to read was closed."""
    poll = select.poll()
    poll.register(line.fileno(), select.POLLIN)
    return not poll.poll(0)
