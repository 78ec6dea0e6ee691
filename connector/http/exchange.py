"""One POST in, one reply out: JSON if the answer is quick, otherwise a reply that is committed early and kept warm.

    waiting ──answer──────────────────────────────► JSON, done
       └──first_byte passed, or something to say──► streaming ──answer──► last frame, done

A quick answer costs one timer and no task: the work runs in the request's own task, and only when it is late do a
heart and a watch on the client start beside it. (A task group per request was measured at 160 to 230 microseconds,
more than a third of a whole exchange.) This module knows asyncio and ASGI; it does not know MCP, nor the SDK.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import pydantic_core
from starlette.types import Receive, Send

from ..settings import StreamSettings

OK: Final = 200

JSON: Final = (b"content-type", b"application/json")

UNBUFFERED: Final = (
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)
"""What nginx and other proxies need to pass every byte on at once (incident T-04)."""

EVENTS: Final = ((b"content-type", b"text/event-stream"), *UNBUFFERED)

HEARTBEAT_COMMENT: Final = b": still working\n\n"
"""An SSE comment: every client drops it (WHATWG HTML, "Interpreting an event stream")."""

HEARTBEAT_SPACE: Final = b" "
"""White space before a JSON text is allowed (RFC 8259 section 2)."""


class Framing(Enum):
    """How a late reply is framed. An answer that is quick is JSON in the first two."""

    JSON_OR_EVENTS = "json or events"
    JSON_ONLY = "json only"
    EVENTS_ONLY = "events only"


@dataclass(frozen=True, slots=True)
class Answer:
    """The final JSON text and the HTTP status it deserves. The status is lost if the reply was already committed."""

    body: bytes
    status: int = OK


class ClientGone(Exception):
    """The client went away and the work was ended because of it."""


class Exchange:
    """The reply to one POST."""

    __slots__ = (
        "_beat", "_ended", "_framing", "_gone", "_lock", "_policy", "_receive", "_send", "_started", "_task", "_watch",
    )  # fmt: skip

    def __init__(self, receive: Receive, send: Send, *, framing: Framing, policy: StreamSettings) -> None:
        self._receive = receive
        self._send = send
        self._framing = framing
        self._policy = policy
        self._started = False
        self._ended = False
        self._gone = False
        self._lock: asyncio.Lock | None = None
        self._beat: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._task: asyncio.Task[Any] | None = None

    @property
    def is_abandoned(self) -> bool:
        """Whether the client was seen to go away before the answer was complete."""
        return self._gone

    async def run(self, work: Callable[[], Awaitable[Answer]], *, ends_with_client: bool) -> None:
        """Run `work`, keep the line warm meanwhile, deliver its answer.

        With `ends_with_client` the work is cancelled when the client goes away; without, it runs to its end and the
        answer is dropped here.

        Raises:
            ClientGone: The client went away and the work was cancelled.
        """
        task = self._task = asyncio.current_task() if ends_with_client else None
        timer = asyncio.get_running_loop().call_later(self._policy.first_byte, self._keep_warm)
        try:
            answer = await work()
        except asyncio.CancelledError:
            if self._gone and task is not None and task.uncancel() == 0:
                raise ClientGone from None
            raise
        else:
            self._task = None
            await self._deliver(answer)
        finally:
            self._task = None
            timer.cancel()
            self._stop_warming()

    async def say(self, message: bytes) -> None:
        """Send a message before the answer, if the client reads events; this commits the reply as a stream."""
        if self._framing is Framing.JSON_ONLY or self._gone:
            return
        self._keep_warm()
        await self._write(_event(message))

    async def commit(self) -> None:
        """Commit the reply as a stream without saying anything yet."""
        if self._framing is not Framing.JSON_ONLY and not self._started:
            self._keep_warm()
            await self._write(HEARTBEAT_COMMENT)

    def _keep_warm(self) -> None:
        if self._beat is None:
            self._beat = asyncio.create_task(self._heart())
            self._watch = asyncio.create_task(self._watch_client())

    async def _heart(self) -> None:
        beat = HEARTBEAT_SPACE if self._framing is Framing.JSON_ONLY else HEARTBEAT_COMMENT
        with suppress(OSError):  # some servers raise at a dead socket; the watch says that the client is gone
            while not self._gone:
                await self._write(beat)
                await asyncio.sleep(self._policy.interval)

    async def _watch_client(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._task is not None:
            self._task.cancel()

    def _stop_warming(self) -> None:
        for task in (self._beat, self._watch):
            if task is not None:
                task.cancel()

    async def _write(self, body: bytes, *, more: bool = True) -> None:
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:  # the heart and the work both write; the head must be out before any body
            if self._ended:
                return
            if not more:
                self._ended = True
                self._stop_warming()  # under the lock, so that no heartbeat is cancelled half-way through its send
            if not self._started:
                self._started = True
                head = (JSON, *UNBUFFERED) if self._framing is Framing.JSON_ONLY else EVENTS
                await self._send({"type": "http.response.start", "status": OK, "headers": head})
            await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _deliver(self, answer: Answer) -> None:
        if self._gone:
            return
        if self._started or self._beat is not None:
            await self._write(answer.body if self._framing is Framing.JSON_ONLY else _event(answer.body), more=False)
        elif self._framing is Framing.EVENTS_ONLY and answer.status == OK:
            await self._write(_event(answer.body), more=False)
        else:
            await send_json(self._send, answer)


async def send_json(send: Send, answer: Answer, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Send a whole JSON reply."""
    length = (b"content-length", str(len(answer.body)).encode())
    await send({"type": "http.response.start", "status": answer.status, "headers": (JSON, length, *headers)})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def encode(value: Any) -> bytes:
    """JSON on one line, as UTF-8. NaN and the infinities, which JSON lacks, become null; lone surrogates stay
    escaped.
    """
    try:
        return pydantic_core.to_json(value, inf_nan_mode="null")
    except pydantic_core.PydanticSerializationError:
        return json.dumps(value, separators=(",", ":")).encode()


def _event(message: bytes) -> bytes:
    return b"event: message\ndata: " + message + b"\n\n"
