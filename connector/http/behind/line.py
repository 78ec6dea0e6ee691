"""The way back to one client: heads, pieces of a reply, and a beat whenever it has been silent for too long.

The head is sent once, and the beat never falls into a piece. Knows ASGI and the clock; does not know who speaks, nor
what is said. (`exchange` does the same for answers that are made here.)
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final

from starlette.types import Message, Send

from ...settings import StreamSettings
from ..exchange import EVENTS, HEARTBEAT_COMMENT, HEARTBEAT_SPACE, JSON, OK, UNBUFFERED, Exchange, Framing, pause_of
from ..request.cors import Lines
from .events import as_event

_FRAME: Final = frozenset({b"content-type", b"content-length", b"cache-control", b"x-accel-buffering"})
"""Header lines that say how a reply is framed: the app's no longer hold when it is framed here."""

_NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """A whole reply that is known beforehand."""

    status: int
    lines: Lines = ()
    body: bytes = b""


class Stage(Enum):
    """How far a reply has got."""

    WAITING = "nothing was sent"
    KEPT = "the head is out and ours"
    PASSED = "the head is out and the app's"
    ENDED = "complete"
    BROKEN = "its client is gone"


class Line:
    """The way back to the client, kept warm when the reply is late. Where several speak, none interrupts another."""

    def __init__(self, send: Send, framing: Framing, policy: StreamSettings, lines: Lines) -> None:
        self.lines = lines
        self.stage = Stage.WAITING
        self.is_stream = False
        """Whether the head that went out is that of an event stream framed here."""
        self._framing = framing
        self._send = send
        self._policy = policy
        self._lock = asyncio.Lock()
        self._said_at = -float("inf")
        self._timer: asyncio.TimerHandle | None = None
        self._pulse: asyncio.Task[None] | None = None

    async def say(self, what: bytes, *, more: bool = True) -> None:
        """Send whole events or a JSON text in a reply framed here. Of nothing at all, only the head goes out."""
        async with self._lock:
            if self.stage is Stage.WAITING:
                self.stage = Stage.KEPT
                self.is_stream = self._framing is not Framing.JSON_ONLY
                frame = (JSON, *UNBUFFERED) if self._framing is Framing.JSON_ONLY else EVENTS
                await self._head(OK, (*frame, *self._kept()))
            if self.stage is Stage.KEPT and (what or not more):
                self._said_at = asyncio.get_running_loop().time()
                await self.pass_on(what, more=more)

    async def answer(self, message: bytes, status: int) -> None:
        """Send the final JSON text. An error keeps its status unless the reply was committed."""
        if self.stage is Stage.WAITING and (status != OK or self._framing is not Framing.EVENTS_ONLY):
            await self.reply(Canned(status=status, lines=(JSON,), body=message))
        else:
            await self.say(message if self._framing is Framing.JSON_ONLY else as_event(message), more=False)

    async def reply(self, canned: Canned) -> None:
        """Send a whole reply, with those of the app's header lines that say nothing else about it."""
        length = () if canned.status == _NO_CONTENT else ((b"content-length", b"%d" % len(canned.body)),)
        said = frozenset(name for name, _ in canned.lines)
        await self.begin(canned.status, (*canned.lines, *length, *self._kept(said)))
        await self.pass_on(canned.body, more=False)

    async def begin(self, status: int, lines: Lines) -> None:
        """Send a head as it is. From here on only `pass_on` speaks."""
        self.stage = Stage.PASSED
        await self._head(status, lines)

    async def pass_on(self, body: bytes, *, more: bool) -> None:
        """Send a piece of the body."""
        self.stage = self.stage if more else Stage.ENDED
        await self._put({"type": "http.response.body", "body": body, "more_body": more})

    def keep_warm(self) -> None:
        """Beat whenever nothing was said for an interval, from now until the reply is complete."""
        if self.stage not in {Stage.WAITING, Stage.KEPT}:
            return
        loop = asyncio.get_running_loop()
        pause = pause_of(self._policy)
        due = self._said_at + pause - loop.time()
        if due <= 0:
            due = pause
            if self._pulse is None or self._pulse.done():  # for a client that does not read, none are piled up
                self._pulse = asyncio.create_task(self._beat())
        self._timer = loop.call_later(due, self.keep_warm)

    def rest(self) -> None:
        """Stop beating."""
        if self._timer is not None:
            self._timer.cancel()
        if self._pulse is not None:
            self._pulse.cancel()

    async def _beat(self) -> None:
        Exchange.heartbeats += 1  # one count, whoever sends them
        with suppress(OSError):  # the app hears of it too, and decides
            await self.say(HEARTBEAT_SPACE if self._framing is Framing.JSON_ONLY else HEARTBEAT_COMMENT)

    async def _head(self, status: int, lines: Lines) -> None:
        await self._put({"type": "http.response.start", "status": status, "headers": lines})

    async def _put(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError:  # so some servers say that the client is gone (ASGI, "Disconnected Client - send exception")
            self.stage = Stage.BROKEN
            raise

    def _kept(self, said: frozenset[bytes] = frozenset()) -> Lines:
        return tuple(line for line in self.lines if line[0].lower() not in _FRAME | said)
