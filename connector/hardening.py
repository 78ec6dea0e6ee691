"""`harden`: the connector's door in front of any other ASGI MCP app, FastMCP's and the plain SDK's included.

Beside the door it brings what such an app refuses though it could be served: a public name that its own guard was
never told, and a call that came without a session. Both are tried again only when the app has refused by itself, so
nothing runs twice.
"""

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .http.behind.foreign import SESSION_ID, ForeignEndpoint
from .http.behind.sticky import streams_left_to_us
from .http.door import Door, closing_while_leaving
from .http.drain import Drain
from .http.exchange import Answer, encode, send_json
from .http.load.refusing import CLOSING
from .http.request.reading import HANDSHAKE_VERSIONS
from .recorder.book import Book, open_book
from .recorder.visits import visits
from .settings import Settings
from .stores.opening import open_store
from .stores.port import Store


def harden(
    app: ASGIApp,
    *,
    settings: Settings | None = None,
    public_url: str | None = None,
    path: str | None = None,
    name: str = "",
    store: str | Store | None = None,
) -> ASGIApp:
    """`app` behind the door: no Accept header is refused, both spellings of the path are served without a redirect,
    quiet replies are kept warm, strangers, oversized bodies and what is too much at once stay outside, and SIGTERM lets
    calls in flight finish. Everything but the endpoint goes to `app` as it comes, its lifespan included; only while
    the process leaves, `/ready` says so whoever else would answer it.

    Args:
        app: An ASGI app that serves MCP over Streamable HTTP.
        settings: Default: `Settings.from_environment()`.
        public_url: The origin people and platforms use. Default: the settings', else loopback only.
        path: Where `app` has its endpoint. Default: the settings', else `/mcp`.
        name: What the visitors' book calls it. Default: the host of its public address.
        store: Where the visitors' book is kept, as a URL or a store of your own. Default: `BALLAST_STORE`; without
            either there is no book.

    Raises:
        DeclarationError: A setting that cannot be read or used. The sentence says what to change.
    """
    settings = settings or Settings.from_environment()
    access = settings.access
    access = replace(access, public_url=public_url or access.public_url, path=path or access.path)
    settings, known = replace(settings, access=access), _KnownByName(app)
    endpoint, drain = ForeignEndpoint(known, settings, lender=_LentSessions(known)), Drain(settings.drain)
    drain.when_leaving(endpoint.end_streams)
    drain.when_closing(endpoint.traffic.capacity.close)
    drain.when_overdue(endpoint.traffic.stop_all)
    place = store if store is not None else settings.store.url
    records = open_store(place) if isinstance(place, str) else place
    name = name or urlsplit(access.public_url or "").hostname or "hardened"
    book = None if records is None else open_book(name, records, settings)
    others = _OtherPaths(
        app, endpoint=access.path, drain=drain, book=book, own=records if isinstance(place, str) else None
    )
    guarded = closing_while_leaving(endpoint, drain)
    return Door(guarded, others, path=access.path, visits=None if book is None else visits(book))


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A whole reply that says no before anything has run: one of these statuses, one of these words in its body."""

    statuses: frozenset[int]
    words: tuple[bytes, ...]

    async def meets(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> bool:
        """Let `app` reply. True if it refused so; then nothing was sent."""
        held: list[Message] = []

        async def take(message: Message) -> None:
            if held or (message["type"] == "http.response.start" and message["status"] in self.statuses):
                held.append(message)
            else:
                await send(message)

        await app(scope, receive, take)
        said = b"".join(message.get("body", b"") for message in held).lower()
        if any(word in said for word in self.words):
            return True
        for message in held:
            await send(message)
        return False


_SESSION_LINE: Final = SESSION_ID.encode()

_OF_NAME: Final = _Refusal(frozenset({403, 421}), (b"host", b"origin", b"misdirected"))
"""The SDK says "Invalid Host header" and "Invalid Origin header", FastMCP "Misdirected Request", "Forbidden Origin"."""

_OF_MISSING_SESSION: Final = _Refusal(frozenset({400, 404}), (b"session",))
"""The SDK says "Missing session ID", others "No valid session ID provided" (incidents P-01, P-22)."""


class _KnownByName:
    """An app whose own guard is shown a loopback name from the first time that it refuses one the door has admitted
    (incident G-02: the SDK's guard, which knows no public name, refused every request of a deployment).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._refuses_names = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._refuses_names:
            heard = _Heard(receive)
            if not await _OF_NAME.meets(self._app, scope, heard, send):
                return
            self._refuses_names, receive = True, heard.again()
        host = f"127.0.0.1:{(scope.get('server') or ('', 80))[1]}"
        await self._app(_with(scope, {b"host": host.encode(), b"origin": None}), receive, send)


class _LentSessions:
    """An app with sessions, for a request that came without one: it is lent one of its own, which is ended when the
    answer is complete (incident P-01: ChatGPT calls tools without the id it was given).

    If the client leaves before, the session is left to the app's own idle limit: ending it would end a write half-way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._insists = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._insists:
            heard = _Heard(receive)
            if not await _OF_MISSING_SESSION.meets(self._app, scope, heard, send):
                return
            receive = heard.again()
        session = await self._open(scope)
        self._insists = session is not None
        lent = _with(scope, {_SESSION_LINE: session})
        sent = _Sent(send)
        await self._app(lent, receive, sent)
        if session is not None and sent.is_complete:
            await _ask(self._app, {**lent, "method": "DELETE"}, b"")

    async def _open(self, scope: Scope) -> bytes | None:
        headers = dict(scope["headers"])
        version = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
        params = {
            "protocolVersion": version if version in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1],
            "capabilities": {},  # what the client can do is not known, and it could not be asked without a session
            "clientInfo": {"name": "mcp-ballast", "version": "1"},
        }
        opening = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        session = (await _ask(self._app, scope, encode(opening))).get(_SESSION_LINE)
        if session is not None:
            told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
            await _ask(self._app, _with(scope, {_SESSION_LINE: session}), encode(told))
        return session


_LEAVING: Final = Answer(encode({"status": "leaving"}), 503)


class _OtherPaths:
    """What is not the endpoint, as the app serves it; but where OAuth documents would be, a page that says 404 becomes
    JSON: hosts took it for a document (incidents O-13, P-17). As long as the app lives, signals come here first.
    """

    def __init__(self, app: ASGIApp, *, endpoint: str, drain: Drain, book: Book | None, own: Store | None) -> None:
        self._app = app
        self._book = book
        self._own = own
        self._drain = drain
        self._not_found = Answer(encode({"error": "not found", "endpoint": endpoint}), 404)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            async with self._own or nullcontext(), nullcontext() if self._book is None else self._book.running():
                with self._drain.on_signals(), streams_left_to_us():
                    await self._app(scope, receive, send)
        elif scope["type"] == "http" and "/.well-known/" in scope["path"]:
            await self._well_known(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/ready" and self._drain.is_leaving:
            await send_json(send, _LEAVING, CLOSING)
        else:
            await self._app(scope, receive, send)

    async def _well_known(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def take(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == self._not_found.status:
                replaced = (
                    not dict(message.get("headers", ())).get(b"content-type", b"").startswith(b"application/json")
                )
                if replaced:
                    await send_json(send, self._not_found)
            if not replaced:
                await send(message)

        await self._app(scope, receive, take)


class _Heard:
    """A `receive` that can be heard again from the beginning."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []

    async def __call__(self) -> Message:
        self._messages.append(await self._receive())
        return self._messages[-1]

    def again(self) -> Receive:
        """What was heard, then what comes."""
        messages = iter(self._messages)

        async def hear() -> Message:
            return next(messages, None) or await self._receive()

        return hear


class _Sent:
    """A `send` that knows whether the reply is complete."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_complete = False

    async def __call__(self, message: Message) -> None:
        await self._send(message)
        self.is_complete = message["type"] == "http.response.body" and not message.get("more_body")


async def _ask(app: ASGIApp, scope: Scope, body: bytes) -> dict[bytes, bytes]:
    """The header lines of the app's reply to a request of our own, when the reply is complete."""
    lines: dict[bytes, bytes] = {}
    unread = [body]

    async def hear() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        return await never  # nobody disconnects

    async def take(message: Message) -> None:
        lines.update({name.lower(): value for name, value in message.get("headers", ())})

    await app(_with(scope, {b"content-length": b"%d" % len(body)}), hear, take)
    return lines


def _with(scope: Scope, wording: Mapping[bytes, bytes | None]) -> Scope:
    kept = [line for line in scope["headers"] if line[0] not in wording]
    return {**scope, "headers": [*kept, *((name, value) for name, value in wording.items() if value is not None)]}
