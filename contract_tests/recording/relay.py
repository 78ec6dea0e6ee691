"""A reverse proxy as an ASGI application: bytes are passed on as they come, both ways, and so is going away.

Knows HTTP only. The request's body is streamed to the target, the reply's to the client; nothing is waited for, nothing
is decoded, there is no timeout. Whoever leaves takes the other connection with them.
"""

import logging
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import Final, Self

import anyio
import httpx2

from .middleware import UNREACHED, Message, Receive, Scope, Send
from .origins import Origins

_HOP_BY_HOP: Final = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
        b"trailer", b"transfer-encoding", b"upgrade", b"expect",
    }
)  # fmt: skip
"""RFC 9110, section 7.6.1: of one connection, so never passed on."""

_SECONDS_TO_CLOSE = 5.0
_log = logging.getLogger("ballast.recording")

Pairs = list[tuple[bytes, bytes]]


class TargetBroke(Exception):
    """The target broke off in the middle of its reply. So does the relay: no client may take it for complete."""


class Relay:
    """Passes requests on to the origin of a target: `async with Relay(origins) as app`."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        self._transport = httpx2.AsyncHTTPTransport(retries=0, trust_env=False, limits=limits)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.move_on_after(_SECONDS_TO_CLOSE, shield=True):
            await self._transport.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Relay one request."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        body = _Body(receive, is_empty=not _has_body(scope["headers"]))
        async with anyio.create_task_group() as group:
            group.start_soon(_leave_with_the_client, body, group.cancel_scope)
            await self._relay(scope, body, send)
            group.cancel_scope.cancel()

    async def _relay(self, scope: Scope, body: "_Body", send: Send) -> None:
        seen = self._origins.seen_by(scope)
        request = await self._request(scope, body, seen)
        try:
            response = await self._transport.handle_async_request(request)
        except httpx2.TransportError as problem:
            scope[UNREACHED] = True
            _log.warning("The target at %s did not answer: %s.", self._origins.target, type(problem).__name__)
            await _refuse(send)
            return
        try:
            await self._pass_back(scope, response, send, seen)
        finally:
            with anyio.move_on_after(_SECONDS_TO_CLOSE, shield=True):
                await response.aclose()

    async def _request(self, scope: Scope, body: "_Body", seen: str) -> httpx2.Request:
        raw = scope.get("raw_path") or scope["path"].encode()
        query = self._origins.to_target(scope.get("query_string", b""), seen)
        url = httpx2.URL(self._origins.target).copy_with(raw_path=raw + (b"?" + query if query else b""))
        headers = _end_to_end(scope["headers"])
        if not self._origins.keeps_host:
            headers = [pair for pair in headers if pair[0] != b"host"]
        content: bytes | AsyncIterator[bytes] | None = None if body.is_empty else body.stream()
        if content is not None and self._origins.is_form(headers):
            content = self._origins.to_target(await body.whole(), seen)
            headers = [pair for pair in headers if pair[0] != b"content-length"]
        return httpx2.Request(scope["method"], url, headers=headers, content=content, extensions={"timeout": {}})

    async def _pass_back(self, scope: Scope, response: httpx2.Response, send: Send, seen: str) -> None:
        headers = self._origins.headers_to_client(_end_to_end(response.headers.raw), seen)
        stream = response.stream
        if not isinstance(stream, httpx2.AsyncByteStream):
            raise TypeError(stream)
        if scope["method"] == "GET" and self._origins.is_document(scope, headers):
            whole = b"".join([piece async for piece in stream])
            whole = self._origins.to_client(whole, seen)
            headers = [*(pair for pair in headers if pair[0].lower() != b"content-length"), _length(whole)]
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            await send({"type": "http.response.body", "body": whole})
            return
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        try:
            async for piece in stream:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except httpx2.TransportError as problem:
            raise TargetBroke(type(problem).__name__) from problem
        await send({"type": "http.response.body", "body": b""})


class _Body:
    """The body of a request, read by one and awaited by another, who wants to know when the client leaves."""

    def __init__(self, receive: Receive, *, is_empty: bool) -> None:
        self._receive = receive
        self._is_read = anyio.Event()
        self._is_left = False
        self.is_empty = is_empty
        if is_empty:
            self._is_read.set()

    async def stream(self) -> AsyncIterator[bytes]:
        """The pieces as they come."""
        while True:
            message: Message = await self._receive()
            if message["type"] == "http.disconnect":
                self._is_left = True
                self._is_read.set()
                await anyio.sleep_forever()  # a body cut short must not look complete; the relay is being cancelled
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                self._is_read.set()
                return

    async def whole(self) -> bytes:
        """All of it."""
        return b"".join([piece async for piece in self.stream()])

    async def client_left(self) -> None:
        """Return when the client has left."""
        await self._is_read.wait()
        while not self._is_left:
            self._is_left = (await self._receive())["type"] == "http.disconnect"


async def _leave_with_the_client(body: _Body, scope: anyio.CancelScope) -> None:
    await body.client_left()
    scope.cancel()


async def _refuse(send: Send) -> None:
    text = b"The recorder could not reach its target.\n"
    headers = [(b"content-type", b"text/plain"), _length(text)]
    await send({"type": "http.response.start", "status": 502, "headers": headers})
    await send({"type": "http.response.body", "body": text})


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(body)).encode()


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Pairs:
    """The headers that are not of one connection, nor named by `Connection`."""
    pairs = list(headers)
    connection = b",".join(value for name, value in pairs if name.lower() == b"connection")
    dropped = _HOP_BY_HOP | {part.strip().lower() for part in connection.split(b",")}
    return [(name, value) for name, value in pairs if name.lower() not in dropped]


def _has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """RFC 9112, section 6: one of these headers says that a body follows."""
    names = {name.lower(): value for name, value in headers}
    return b"transfer-encoding" in names or names.get(b"content-length", b"0").strip() != b"0"
