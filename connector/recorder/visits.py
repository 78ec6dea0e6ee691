"""The book at the door: sees every request pass and its answer go out, and changes nothing of either.

Knows ASGI and the book. No frame of its own stays around a request, so that thousands of quiet streams hold none.
"""

from collections.abc import Awaitable, MutableMapping
from time import monotonic
from typing import Any, Final

from .book import LONGEST_BODY, Book
from .book import Visit as Entered
from .register import Arrived, CameTo

Message = MutableMapping[str, Any]

_REDIRECTS: Final = frozenset({302, 303})
_TOOL_ERROR: Final = b'"isError":true'
_RPC_ERROR: Final = b'"error":{"code":'
_LOOKED_AT: Final = 4096
"""Bytes at each end of an answer in which it may say that it failed. Quotes within a text are escaped, so these
words stand in JSON only where it says so itself."""


class Visit:
    """One request on its way. The app is given `receive` and `send`; `end` is called when it has returned."""

    __slots__ = (
        "_body", "_book", "_entered", "_has_code", "_is_long", "_is_over", "_on_receive", "_on_send", "_said", "_scope",
        "_since", "_status",
    )  # fmt: skip

    def __init__(self, book: Book, scope: Message, on_receive: Any, on_send: Any) -> None:
        self._book = book
        self._scope: Message | None = scope
        self._on_receive = on_receive
        self._on_send = on_send
        self._since = monotonic()
        self._entered: Entered | None = None
        self._body: bytes | None = None
        self._status: int | None = None
        self._said = ""
        self._is_long = self._has_code = self._is_over = False

    async def receive(self) -> Message:
        """The next message from the client."""
        message: Message = await self._on_receive()
        if message["type"] == "http.disconnect":
            self._over(cut_after=monotonic() - self._since)
        elif self._entered is None:
            self._hear(message)
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message to the client."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if self._status in _REDIRECTS:
                self._has_code = any(map(_carries_code, message.get("headers", ())))
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            if _TOOL_ERROR in body[:_LOOKED_AT] or _TOOL_ERROR in body[-_LOOKED_AT:]:
                self._said = "tool error"
            elif _RPC_ERROR in body[:_LOOKED_AT]:
                self._said = "rpc error"
            if not message.get("more_body"):
                self._over()
        sending: Awaitable[None] = self._on_send(message)
        return sending

    def end(self) -> None:
        """The app has returned, or raised."""
        self._over()

    def _hear(self, message: Message) -> None:
        part = message.get("body", b"")
        if self._body is None:
            self._body = part
        elif not self._is_long:
            self._body += part
        if len(self._body) > LONGEST_BODY:
            self._is_long, self._body = True, b""
        if not message.get("more_body"):
            self._enter(is_partial=self._is_long)

    def _enter(self, *, is_partial: bool) -> None:
        scope, self._scope = self._scope, None
        if scope is None:
            return
        body, self._body = self._body, None
        client = scope.get("client")
        arrived = Arrived(
            verb=scope["method"],
            path=scope["path"].removeprefix(scope.get("root_path", "")) or "/",
            query=scope.get("query_string", b""),
            lines=scope["headers"],
            body=None if is_partial else body,
            peer=client[0] if client else "",
            is_partial=is_partial,
        )
        self._entered = self._book.arrive(arrived)

    def _over(self, *, cut_after: float | None = None) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._enter(is_partial=self._body is not None)
        if self._entered is not None:
            said = CameTo(status=self._status, cut_after=cut_after, said=self._said, has_code=self._has_code)
            self._book.leave(self._entered, said)


def _carries_code(line: tuple[bytes, bytes]) -> bool:
    return line[0].lower() == b"location" and (b"?code=" in line[1] or b"&code=" in line[1])


def visits(book: Book) -> Any:
    """What the door calls for each HTTP request."""

    def begin(scope: Message, receive: Any, send: Any) -> Visit:
        return Visit(book, scope, receive, send)

    return begin
