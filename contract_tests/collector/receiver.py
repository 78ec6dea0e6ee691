"""The ASGI side of the collector: which request is an export, and how it is answered.

Knows neither the socket nor the thread it runs in; what an export looks like is known to `otlp`.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .otlp import JSON, LONGEST_BODY, PROTOBUF, Unreadable, acceptance, refusal, spans_in
from .shelf import Shelf

LONGEST_HANG = 60.0
"""Seconds an answer may be held back: every SDK's exporter has given up by then (10 s by default)."""

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


_Response = tuple[int, bytes, list[tuple[bytes, bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the collector answers an export of traces.

    `status` is the HTTP status; spans are kept only with 200. `retry_after` is the header's value in seconds.
    `rejected_spans` makes a 200 a partial success: so many spans, from the end of the batch, are not kept.
    `hang` is how many seconds the answer is held back, at most `LONGEST_HANG`; a stop ends it early.
    """

    status: int = 200
    retry_after: int | None = None
    rejected_spans: int = 0
    hang: float = 0.0


ACCEPT = Answer()
THROTTLE = Answer(status=429, retry_after=1)
UNAVAILABLE = Answer(status=503)
PARTIAL = Answer(rejected_spans=1)
HANG = Answer(status=503, hang=LONGEST_HANG)


class Receiver:
    """The ASGI side: takes exports, gives the answer that holds, and can be told to hold nothing back."""

    def __init__(self, shelf: Shelf, answer: Answer) -> None:
        self.answer = answer
        self.exports = 0
        self.ready = threading.Event()
        self._shelf = shelf
        self._paths = {"/v1/traces": self._take, "/v1/metrics": self._ignore, "/v1/logs": self._ignore}

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        kind = headers.get("content-type", PROTOBUF).partition(";")[0].strip().lower()
        status, body, extra = await self._respond(scope, receive, headers, kind)
        media_type = JSON if kind == JSON else PROTOBUF
        lines = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode()), *extra]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": body})

    def release(self) -> None:
        """Let go of every answer that is held back. May be called from any thread."""
        self._loop.call_soon_threadsafe(self._leaving.set)

    async def _live(self, receive: _Receive, send: _Send) -> None:
        await receive()
        self._loop, self._leaving = asyncio.get_running_loop(), asyncio.Event()
        await send({"type": "lifespan.startup.complete"})
        self.ready.set()
        await receive()
        self.ready.clear()
        await send({"type": "lifespan.shutdown.complete"})

    async def _respond(self, scope: _Message, receive: _Receive, headers: dict[str, str], kind: str) -> _Response:
        handle = self._paths.get(scope["path"])
        if handle is None:
            return 404, refusal(kind, "send traces to /v1/traces"), []
        if scope["method"] != "POST":
            return 405, refusal(kind, "exports are sent with POST"), [(b"allow", b"POST")]
        if kind not in {PROTOBUF, JSON}:
            return 415, refusal(kind, f"{kind!r} is not read here: send {PROTOBUF} or {JSON}"), []
        body = await _whole(receive)
        if body is None:
            return 413, refusal(kind, f"the body is over {LONGEST_BODY} bytes: send smaller batches"), []
        return await handle(body, kind, headers.get("content-encoding", "").strip().lower())

    async def _ignore(self, _body: bytes, kind: str, _encoding: str) -> _Response:
        return 200, acceptance(kind), []

    async def _take(self, body: bytes, kind: str, encoding: str) -> _Response:
        answer = self.answer
        self.exports += 1
        if answer.hang:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), min(answer.hang, LONGEST_HANG))
        if answer.status != 200:  # noqa: PLR2004 - the one status with which spans are kept
            extra = [] if answer.retry_after is None else [(b"retry-after", str(answer.retry_after).encode())]
            return answer.status, refusal(kind, f"answered {answer.status} as asked"), extra
        try:
            spans = spans_in(body, media_type=kind, encoding=encoding)
        except Unreadable as error:
            return 400, refusal(kind, str(error)), []
        rejected = min(answer.rejected_spans, len(spans))
        self._shelf.add(spans[: len(spans) - rejected])
        return 200, acceptance(kind, rejected=rejected), []


async def _whole(receive: _Receive) -> bytes | None:
    """The request's body, or None if it is over `LONGEST_BODY` (the rest is read and dropped) or was cut."""
    body, size = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece = message.get("body", b"")
        size += len(piece)
        if size <= LONGEST_BODY:
            body += piece
        if not message.get("more_body"):
            return bytes(body) if size <= LONGEST_BODY else None
