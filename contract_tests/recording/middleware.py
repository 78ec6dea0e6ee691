"""`Recorder`: an ASGI application that passes everything on to another and keeps a copy for the notebook.

Nothing waits for more than a copy: a piece of a body is passed on first and copied then. What fails in here never
reaches the traffic.
"""

import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from time import monotonic
from typing import Any, Final

from anyio import get_cancelled_exc_class

from ..outcome import Ending
from .exchange import MOST_BYTES, Exchange, Headers
from .notebook import Notebook

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

DEFAULT_FOLDER: Final = ".ballast/recordings"

UNREACHED: Final = "ballast.unreached"
"""Set in the scope by who answers for a target that could not be reached."""

_SESSION: Final = "mcp-session-id"
_MOST_WAITING: Final = 50
"""Exchanges that wait for the end of one reply: a stream that never ends must not keep them all in memory."""


class Recorder:
    """Wraps an application and writes what passes through as sessions: `Recorder(app, out="recordings")`.

    Secrets and arguments are replaced before anything is written. Promised: every event is passed on as it comes, and a
    failing disk does not fail a request. Not promised: that everything can be played again (docs/recording.md).
    """

    def __init__(
        self,
        app: Application,
        out: Path | str | None = None,
        *,
        path: str = "/mcp",
        allow_arguments: Iterable[str] = (),
        notebook: Notebook | None = None,
    ) -> None:
        """Wrap `app` and write into the folder `out`.

        Args:
            app: an ASGI application.
            out: the folder; `.ballast/recordings` unless told.
            path: where the MCP endpoint is.
            allow_arguments: tools whose arguments may be written.
            notebook: writes instead of one for `out`.

        Raises:
            CannotRecord: the folder cannot be made.
        """
        folder = Path(out if out is not None else DEFAULT_FOLDER)
        self._app = app
        self._notebook = notebook or Notebook(folder, path=path, allowed=allow_arguments)
        self._began = monotonic()
        self._open: list[_Take] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        take = _Take(scope, self._began)

        async def receiving() -> Message:
            message = await receive()
            take.asked(message)
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.body" and not take.ends_with(message):
                await send(message)
                take.answered(message)
                return
            # Before the client has it: with the head or the end of a reply in hand it asks for the next, which must
            # find what this one gave, a session's id for one. The app may take its time to return.
            take.answered(message)
            if message["type"] == "http.response.body":
                self._file(take)
            await send(message)

        self._open.append(take)
        try:
            await self._app(scope, receiving, sending)
        except get_cancelled_exc_class():
            take.leave()
            raise
        finally:
            self._file(take)

    def _file(self, take: "_Take") -> None:
        """Write an exchange that has ended, once, and then those that waited for it."""
        if take not in self._open:
            return
        self._open.remove(take)
        exchange = take.exchange()
        opening = next((other for other in self._open if other.opens(exchange)), None)
        if opening and len(opening.waiting) < _MOST_WAITING:
            # Its client read the answer in a stream that goes on; written now, it would use an id that nobody gave.
            opening.waiting += [exchange, *take.waiting]
            return
        for each in (exchange, *take.waiting):
            self._notebook.add(each)

    def files(self) -> list[tuple[Path, int]]:
        """Every file written so far, with its number of steps."""
        return self._notebook.files()


class _Take:
    """One exchange in progress."""

    def __init__(self, scope: Scope, began: float) -> None:
        self._scope = scope
        self._started = monotonic()
        self._offset = self._started - began
        self._asked_at = self._started
        self._body = bytearray()
        self._reply = bytearray()
        self._received = 0
        self._status: int | None = None
        self._headers: Headers = ()
        self._first: float | None = None
        self._last = self._started
        self._gap = 0.0
        self._is_asked = self._is_answered = self._is_left = False
        self.waiting: list[Exchange] = []

    def asked(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self._is_left = True
        elif message["type"] == "http.request":
            _keep(self._body, message.get("body", b""))
            if not message.get("more_body", False) and not self._is_asked:
                self._is_asked, self._asked_at, self._last = True, monotonic(), monotonic()

    def leave(self) -> None:
        self._is_left = True

    def opens(self, exchange: Exchange) -> bool:
        """Whether its reply gave the session that an exchange is of. Servers repeat the id to who sends it: no gift."""
        given = {value for name, value in self._headers if name.lower() == _SESSION}
        carried = {value for name, value in _texts(self._scope.get("headers", ())) if name.lower() == _SESSION}
        return exchange.header(_SESSION) in given - carried

    def ends_with(self, message: Message) -> bool:
        """Whether the client has the whole reply with this piece: that is said now, only afterwards, or by length."""
        if not message.get("more_body", False):
            return True
        length = next((value for name, value in self._headers if name.lower() == "content-length"), "")
        return length.isdecimal() and self._received + len(message.get("body", b"")) >= int(length)

    def answered(self, message: Message) -> None:
        now = monotonic()
        self._gap, self._last = max(self._gap, now - self._last), now
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], _texts(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            if self._first is None and body:
                self._first = now - self._asked_at
            self._is_answered = self.ends_with(message)
            self._received += len(body)
            _keep(self._reply, body)

    def exchange(self) -> Exchange:
        headers, body = _unpacked(_texts(self._scope.get("headers", ())), _whole(self._body))
        return Exchange(
            method=self._scope["method"],
            target=_target(self._scope),
            headers=headers,
            body=body,
            status=self._status,
            reply_headers=self._headers,
            reply_body=decoded(_whole(self._reply), self._headers),
            ending=self._ending(),
            started=self._offset,
            duration=monotonic() - self._started,
            first_byte=self._first,
            longest_gap=max(self._gap, monotonic() - self._last),
            client=":".join(map(str, self._scope.get("client") or ())),
        )

    def _ending(self) -> Ending:
        if self._scope.get(UNREACHED):
            return Ending.UNREACHABLE
        if self._is_answered:
            return Ending.COMPLETE
        return Ending.CUT_BY_CLIENT if self._is_left else Ending.BROKEN


def decoded(body: bytes | None, headers: Headers) -> bytes | None:
    """A body without its content coding; None if that is unknown or broken."""
    coding = next((value.strip().lower() for name, value in headers if name.lower() == "content-encoding"), "identity")
    if not body or coding in {"identity", ""}:
        return body
    try:
        if coding == "gzip":
            return zlib.decompressobj(wbits=31).decompress(body, MOST_BYTES)
        return zlib.decompressobj().decompress(body, MOST_BYTES) if coding == "deflate" else None
    except zlib.error:
        return None


def _unpacked(headers: Headers, body: bytes | None) -> tuple[Headers, bytes | None]:
    """A request as it would be without a content coding, so that what it says can be redacted and played again."""
    plain = decoded(body, headers)
    if plain is None or plain is body:
        return headers, body
    return tuple(pair for pair in headers if pair[0].lower() != "content-encoding"), plain


def _keep(kept: bytearray, data: bytes) -> None:
    """Keep one byte more than the most, which tells that there were more."""
    kept += data[: MOST_BYTES + 1 - len(kept)]


def _whole(kept: bytearray) -> bytes | None:
    return bytes(kept) if len(kept) <= MOST_BYTES else None


def _texts(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in headers)


def _target(scope: Scope) -> str:
    raw = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else scope["path"]
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{path}?{query}" if query else path
