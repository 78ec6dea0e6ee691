"""The book at the door: sees every request pass and its answer go out, and changes nothing of either.

Knows ASGI and the book. No frame of its own stays around a request, so that thousands of quiet streams hold none.
"""

from collections.abc import Awaitable, MutableMapping
from time import monotonic
from typing import Any, Final

from .book import Book, Visit
from .register import LONGEST_BODY, Arrived

Message = MutableMapping[str, Any]

REHEARSAL: Final = b"ballast-test"
"""The header of what our own suite plays at night (`BALLAST_TEST`). Whoever else sends it hides nothing but itself."""

_REDIRECTS: Final = frozenset({302, 303})
_TOOL_ERROR: Final = b'"isError":true'
_RPC_ERROR: Final = b'"error":{"code":'
_LOOKED_AT: Final = 4096
"""Bytes at each end of an answer in which it may say that it failed. Quotes within a text are escaped, so these
words stand in JSON only where it says so itself."""


class Passing(Visit):
    """One request on its way. The app is given `receive` and `send`; `end` is called when it has returned."""

    __slots__ = ("_body", "_book", "_has_come", "_is_long", "_is_over", "_on_receive", "_on_send", "_scope", "_since")

    def __init__(self, book: Book, scope: Message, on_receive: Any, on_send: Any) -> None:
        # Every request that is seen pays for this: what `Visit` sets is said here again, and not asked for.
        self.arrived = self.entry = self.status = self.cut_after = None
        self.is_read = self.has_code = False
        self.said = ""
        self._book = book
        self._scope: Message | None = scope
        self._on_receive = on_receive
        self._on_send = on_send
        self._since = monotonic()
        self._body: bytes | None = None
        self._is_long = self._is_over = self._has_come = False

    async def receive(self) -> Message:
        """The next message from the client."""
        message: Message = await self._on_receive()
        if message["type"] == "http.disconnect":
            self._over(monotonic() - self._since)
        elif not self._has_come:
            self._hear(message)
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message to the client."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status in _REDIRECTS:
                self.has_code = any(map(_carries_code, message.get("headers", ())))
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            if _TOOL_ERROR in body[:_LOOKED_AT] or _TOOL_ERROR in body[-_LOOKED_AT:]:
                self.said = "tool error"
            elif _RPC_ERROR in body[:_LOOKED_AT]:
                self.said = "rpc error"
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
        self._has_come = True
        body, self._body = self._body, None
        client = scope.get("client")
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        self.arrived = Arrived(
            scope["method"],
            (path.removeprefix(root) or "/") if root else path,
            scope.get("query_string", b""),
            scope["headers"],
            None if is_partial else body,
            client[0] if client else "",
            is_partial,
        )
        self._book.arrive(self)

    def _over(self, cut_after: float | None = None) -> None:
        if not self._is_over:
            self._is_over = True
            if self._scope is not None:
                self._enter(is_partial=self._body is not None)
            self.cut_after = cut_after
            self._book.leave(self)


def _carries_code(line: tuple[bytes, bytes]) -> bool:
    return line[0].lower() == b"location" and (b"?code=" in line[1] or b"&code=" in line[1])


def visits(book: Book) -> Any:
    """What the door calls for each HTTP request."""

    def begin(scope: Message, receive: Any, send: Any) -> Passing | None:
        if not book.admits(scope["path"]) or any(line[0] == REHEARSAL for line in scope["headers"]):
            return None
        return Passing(book, scope, receive, send)

    return begin
