"""Streams that a client opens and on which nothing is ever said: `GET` with `Accept: text/event-stream`.

ChatGPT's older builds and availability probes open one and take silence, 404 or a slow first byte for a dead
connector (incidents P-07, P-08, P-23). They get heartbeats, take no call's place, and end properly when the process
leaves.
"""

import asyncio
import random
from contextlib import suppress
from typing import Final

from starlette.types import Receive, Send

from ..settings import StreamSettings
from .exchange import EVENTS, HEARTBEAT_COMMENT, OK

OPENED: Final = b": open\n\n"


class IdleStreams:
    """All open idle streams of one process."""

    def __init__(self, policy: StreamSettings, *, most: int) -> None:
        self._policy = policy
        self._most = most
        self._open: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        """Whether another stream would be one too many."""
        return len(self._open) >= self._most

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    async def serve(self, receive: Receive, send: Send) -> None:
        """Keep one stream open until its client goes away or `end` is called."""
        watch = asyncio.ensure_future(_disconnect(receive))
        self._open.add(watch)  # before the first byte: who has read it may count on being counted
        try:
            await send({"type": "http.response.start", "status": OK, "headers": EVENTS})
            await send({"type": "http.response.body", "body": OPENED, "more_body": True})
            while not await _ends(watch, self._pause()):
                with suppress(OSError):
                    await send({"type": "http.response.body", "body": HEARTBEAT_COMMENT, "more_body": True})
        finally:
            self._open.discard(watch)
        if watch.cancelled():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def end(self) -> None:
        """End every stream with a proper last chunk."""
        for watch in self._open:
            watch.cancel()

    def _pause(self) -> float:
        return self._policy.interval * (1 - self._policy.jitter * random.random())  # noqa: S311  # no secret


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _ends(watch: asyncio.Future[None], within: float) -> bool:
    ended, _ = await asyncio.wait((watch,), timeout=within)
    return bool(ended)
