"""The endpoint where another ASGI app answers: what the door refuses never reaches it, what the door tolerates reaches
it in words it takes.

Decides what the app gets and what it is not asked; `relay` sees to its reply. Knows MCP's wire; does not know the SDK.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...settings import Settings
from ...telemetry.meters import Meters
from ..exchange import JSON, Framing, encode
from ..load.breaker import Permit
from ..load.busy import Busy
from ..load.refusing import refuse, turn_away
from ..load.traffic import Traffic, framing_of, tool_of
from ..request.admission import Admission
from ..request.arrival import texts_of, trimmed, whole_body
from ..request.cors import Lines, for_preflight, for_reply
from ..request.reading import (
    INVALID_REQUEST,
    VERSION_KEY,
    Asked,
    Era,
    NothingAsked,
    Refused,
    Told,
    error_body,
    read_body,
    readable_by,
)
from .line import Canned, Line
from .relay import Expected, Relay, is_answer, message_in

Read = Asked | Told | NothingAsked

Wording = Mapping[bytes, bytes | None]
"""Header lines for the app; None is a line that is left out."""

SESSION_ID: Final = "mcp-session-id"

_BOTH: Final = b"application/json, text/event-stream"

_REWORDED: Final = frozenset({b"accept", b"accept-encoding", b"content-type", b"content-length", b"transfer-encoding"})
"""Request lines that are worded here. The app must not compress: events could not be told apart, and would wait for
each other (T-04).
"""

_ACKNOWLEDGEMENT: Final = Canned(status=202)

_ACKNOWLEDGED: Final = dict.fromkeys((200, 202, 204, 400), _ACKNOWLEDGEMENT)
"""A notification is acknowledged, without a body, whatever the app thinks of it (incident P-36). Who may not come in
(401, 403) or lost the session (404) is told so.
"""

_NO_STREAM: Final = dict.fromkeys(
    (400, 404, 406),
    Canned(
        status=405,
        lines=(JSON, (b"allow", b"POST")),
        body=encode(error_body(Refused(405, INVALID_REQUEST, "Without a session this endpoint answers POST only"))),
    ),
)
"""To a client that asks for a stream without a session, 405 says that there is none, 404 that its session is lost
(incident P-23).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Posted:
    """A POST that was read and may be served."""

    read: Read
    headers: Mapping[str, str]
    body: bytes

    @property
    def opens_session(self) -> bool:
        """Whether it is a handshake. An envelope that calls its method `initialize` is none."""
        read = self.read
        return isinstance(read, Asked) and read.method == "initialize" and read.era is Era.HANDSHAKE

    @property
    def needs_session(self) -> bool:
        """Whether only a server that keeps sessions can answer it."""
        if isinstance(self.read, Asked) and self.read.era is Era.ENVELOPE:
            return False
        return self.opens_session or SESSION_ID in self.headers

    @property
    def lacks_session(self) -> bool:
        """Whether it came without a session though its revision has them."""
        is_request = isinstance(self.read, Asked) and self.read.era is Era.HANDSHAKE and not self.opens_session
        return is_request and SESSION_ID not in self.headers

    @property
    def asks_nothing(self) -> bool:
        """Whether it is a probe; a client's answer to the server is none, though nothing is owed for it."""
        return isinstance(self.read, NothingAsked) and not is_answer(message_in(self.body))

    def expected(self, framing: Framing) -> Expected:
        """What is taken for an answer to it, if the reply may be framed so."""
        read, lines = self.read, _lines(self.headers)
        unsaid = frozenset[bytes]() if self.opens_session else _unsaid(self.headers)
        if not isinstance(read, Asked):
            return Expected(instead=_ACKNOWLEDGED, lines=lines, unsaid=unsaid)
        return Expected(framing=framing, asked=read, lines=lines, unsaid=unsaid)

    def body_for_app(self) -> bytes:
        """The body as it came, unless the door had to mend its params."""
        if isinstance(self.read, NothingAsked):
            return self.body
        message = json.loads(self.body)
        params = message.pop("params", None)
        return self.body if params == self.read.params else encode({**message, "params": self.read.params})

    def wording(self, length: int) -> Wording:
        """The header lines an app wants, which a request may come without."""
        wording: dict[bytes, bytes | None] = {b"content-type": b"application/json", b"content-length": b"%d" % length}
        read = self.read
        if not isinstance(read, Asked):
            return wording
        if self.opens_session:  # it names its revision itself; the SDK would believe a header of another
            return {**wording, b"mcp-protocol-version": None}
        if read.era is Era.ENVELOPE and not read.has_routing_headers:
            params = read.params or {}
            version, name = params.get("_meta", {}).get(VERSION_KEY), params.get("name", params.get("uri"))
            said = {b"mcp-protocol-version": version, b"mcp-method": read.method, b"mcp-name": name}
            return {**wording, **{line: _line_value(text) for line, text in said.items() if isinstance(text, str)}}
        return wording


class ForeignEndpoint:
    """The MCP endpoint as an ASGI app, answered by `app`.

    Args:
        app: The app.
        settings: All settings of the door.
        otherwise: Serves what needs no session, if given; `app` then gets only what does.
        lender: Serves, if given, requests that came without a session though their revision has sessions.
        traffic: Gives requests their places, and hears what became of the replies. Default: its own.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        *,
        otherwise: ASGIApp | None = None,
        lender: ASGIApp | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._otherwise = otherwise
        self._lender = lender or app
        self.traffic = traffic or Traffic(settings, Meters())
        self._streams: set[Relay] = set()
        self._admission = Admission.of(settings.access)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        scope = trimmed(scope)
        headers = texts_of(scope)
        stranger = self._admission.decide(headers.get("host"), headers.get("origin"))
        if stranger is not None:
            await refuse(send, Refused(stranger.status, INVALID_REQUEST, stranger.reason))
        elif scope["method"] == "POST":
            await self._post(headers, scope, receive, send)
        elif self._otherwise is not None and SESSION_ID not in headers:
            await self._otherwise(scope, receive, send)
        else:
            instead = _instead(scope["method"], headers)
            expected = Expected(instead=instead, lines=_lines(headers), unsaid=_unsaid(headers))
            relay = Relay(receive, send, expected=expected, policy=self._settings.stream)
            with _among(self._streams, relay):
                await relay.run(self._app, self._worded(scope, {}))

    def end_streams(self) -> None:
        """End every stream on which no answer is owed."""
        for relay in self._streams:
            relay.stop()

    async def _post(self, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        body = await whole_body(headers, receive, self._settings.limits.max_body)
        read = read_body(headers, body) if isinstance(body, bytes) else body
        if isinstance(read, Refused):
            await refuse(send, read, _lines(headers))
        elif read is not None and isinstance(body, bytes):  # else the client hung up while it was sending
            if "content-encoding" in headers:
                scope = {**scope, "headers": [line for line in scope["headers"] if line[0] != b"content-encoding"]}
            await self._serve(_Posted(read=read, headers=headers, body=body), scope, receive, send)

    async def _serve(self, posted: _Posted, scope: Scope, receive: Receive, send: Send) -> None:
        if self._otherwise is not None and not posted.needs_session:
            await self._otherwise(scope, _again(posted.body, receive), send)
        elif posted.asks_nothing:
            line = Line(send, Framing.JSON_ONLY, self._settings.stream, _lines(posted.headers))
            await line.reply(_ACKNOWLEDGEMENT)
        else:
            try:
                slot = await self.traffic.admit(posted.read, scope) if isinstance(posted.read, Asked) else None
            except Busy as busy:
                await _turn_away(busy, posted, send)
                return
            with slot or nullcontext():
                await self._relay(posted, scope, receive, send)

    async def _relay(self, posted: _Posted, scope: Scope, receive: Receive, send: Send) -> None:
        body, since = posted.body_for_app(), time.monotonic()
        framing, permit = self._way_out(posted)
        relay = Relay(receive, send, expected=posted.expected(framing), policy=self._settings.stream)
        self.traffic.started(relay)
        try:
            app = self._lender if posted.lacks_session else self._app
            await relay.run(app, self._worded(scope, posted.wording(len(body))), body)
        finally:
            self.traffic.ended(relay, permit, since)

    def _way_out(self, posted: _Posted) -> tuple[Framing, Permit | None]:
        """How the reply goes out. In a session it is streamed even where streams break: the app may ask the client
        something in it, which nothing but a stream carries.
        """
        if not isinstance(posted.read, Asked):
            return Framing.EVENTS_ONLY, None
        readable = readable_by(posted.headers.get("accept"))
        framing, permit = self.traffic.way_out(posted.read, readable, posted.headers)
        return (framing_of(posted.read, readable) if posted.needs_session else framing), permit

    def _worded(self, scope: Scope, wording: Wording) -> Scope:
        """The request's scope with its path spelled as the app spells it, and in these words."""
        path = scope["path"].rstrip("/") + ("/" if self._settings.access.path.endswith("/") else "")
        kept = [line for line in scope["headers"] if line[0] not in _REWORDED and line[0] not in wording]
        said = [(name, value) for name, value in {b"accept": _BOTH, **wording}.items() if value is not None]
        return {**scope, "path": path, "raw_path": quote(path).encode(), "headers": kept + said, "extensions": {}}


async def _turn_away(busy: Busy, posted: _Posted, send: Send) -> None:
    if isinstance(posted.read, Asked):
        await turn_away(send, busy, posted.read, tool=tool_of(posted.read), lines=_lines(posted.headers))


@contextmanager
def _among(running: set[Relay], relay: Relay) -> Iterator[None]:
    running.add(relay)
    try:
        yield
    finally:
        running.discard(relay)


def _instead(verb: str, headers: Mapping[str, str]) -> Mapping[int, Canned]:
    """What is said instead of an app's reply to a request that is no POST."""
    if verb == "OPTIONS" and "origin" in headers:
        wanted = headers.get("access-control-request-headers", "")
        return dict.fromkeys((400, 404, 405, 406), Canned(status=204, lines=for_preflight(headers["origin"], wanted)))
    return _NO_STREAM if verb == "GET" and SESSION_ID not in headers else {}


def _lines(headers: Mapping[str, str]) -> Lines:
    return for_reply(headers["origin"]) if "origin" in headers else ()


def _unsaid(headers: Mapping[str, str]) -> frozenset[bytes]:
    """A session id that a client neither has nor asked for names a session that is as good as gone."""
    return frozenset() if SESSION_ID in headers else frozenset({SESSION_ID.encode()})


def _line_value(text: str) -> bytes:
    """`text` as MCP 2026-07-28 puts it into a routing header (transports, "Custom Headers")."""
    if text.isascii() and text.isprintable() and text == text.strip() and not text.startswith("=?base64?"):
        return text.encode()
    return b"=?base64?%b?=" % base64.b64encode(text.encode("utf-8", "surrogatepass"))


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that begins with a body which was read already."""
    unread = [body]

    async def hear() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return hear
