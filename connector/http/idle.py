"""Streams that a client opens and on which nothing is ever said: `GET` with `Accept: text/event-stream`.

ChatGPT's older builds and availability probes open one and take silence, 404 or a slow first byte for a dead
connector (incidents P-07, P-08, P-23). They get heartbeats, take no call's place, and end properly when the process
leaves.
"""

import asyncio
from contextlib import suppress
from typing import ClassVar, Final

from starlette.types import Receive, Send

from ..settings import StreamSettings
from .exchange import EVENTS, HEARTBEAT_COMMENT, OK, pause_of

OPENED: Final = b": open\n\n"


class IdleStreams:
    """All open idle streams of one process."""

    heartbeats: ClassVar[int] = 0

    def __init__(self, policy: StreamSettings) -> None:
        self._policy = policy
        self._open: set[asyncio.Future[None]] = set()

    async def serve(self, receive: Receive, send: Send) -> None:
        """Keep one stream open until its client goes away or `end` is called."""
        watch = asyncio.ensure_future(_disconnect(receive))
        self._open.add(watch)
        try:
            await send({"type": "http.response.start", "status": OK, "headers": EVENTS})
            await send({"type": "http.response.body", "body": OPENED, "more_body": True})
            while not await _ends(watch, pause_of(self._policy)):
                IdleStreams.heartbeats += 1
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


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _ends(watch: asyncio.Future[None], within: float) -> bool:
    ended, _ = await asyncio.wait((watch,), timeout=within)
    return bool(ended)
