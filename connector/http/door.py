"""The ASGI app in front of a connector: which path, may it come in, how much may it send, and what kind of reply it
gets.

The endpoint is served here directly; every other path goes to the SDK's own routes (custom routes, OAuth metadata),
then to a JSON 404, because an HTML page or a 200 on an unknown path makes hosts think that OAuth is on (incidents
O-13, P-17).
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..settings import Settings
from ..telemetry.meters import Meters
from .drain import Drain
from .exchange import REPLY, ClientGone, Exchange, Framing, Stopped
from .kernel import Kernel
from .load.busy import Busy
from .load.refusing import CLOSING, adding, answer_of, refuse, restarting, turn_away
from .load.traffic import Traffic
from .load.watchdog import RUNNING_TOOL
from .request.admission import Admission
from .request.arrival import texts_of, trimmed, whole_body
from .request.cors import for_preflight, for_reply
from .request.reading import (
    ENVELOPE_VERSIONS,
    INVALID_REQUEST,
    Asked,
    NothingAsked,
    Refused,
    Told,
    read_body,
    readable_by,
)

logger = logging.getLogger("ballast.http")

_ALLOW: Final = ((b"allow", b"POST, OPTIONS"),)


class Endpoint:
    """The MCP endpoint as an ASGI app."""

    def __init__(self, kernel: Kernel, settings: Settings, drain: Drain, meters: Meters) -> None:
        self._kernel = kernel
        self._settings = settings
        self._drain = drain
        self._admission = Admission.of(settings.access)
        self.traffic = traffic = Traffic(settings, meters)
        drain.when_leaving(traffic.idle.end)
        drain.when_leaving(kernel.end_listening)
        drain.when_closing(traffic.capacity.close)
        drain.when_overdue(traffic.stop_all)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one HTTP request."""
        scope = trimmed(scope)
        headers = texts_of(scope)
        stranger = self._admission.decide(headers.get("host"), headers.get("origin"))
        if stranger is not None:
            return refuse(send, Refused(stranger.status, INVALID_REQUEST, stranger.reason))
        if "origin" in headers and scope["method"] != "OPTIONS":
            send = adding(for_reply(headers["origin"]), send)
        if scope["method"] == "POST":
            return self._post(headers, scope, receive, send)
        return self._other_verb(scope["method"], headers, receive, send)

    async def _post(self, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        read = await self._read(headers, receive)
        if not isinstance(read, Asked):
            await self._acknowledge(read, scope, receive, send)
            return
        try:
            slot = await self.traffic.admit(read, scope)
        except Busy as busy:
            await turn_away(send, busy, read, tool=self._kernel.declared_tool(read))
            return
        since = time.monotonic()
        framing, permit = self.traffic.way_out(read, readable_by(headers.get("accept")), headers)
        exchange = Exchange(receive, send, framing=framing, heart=self.traffic.heart)
        del headers  # thousands of these frames may be waiting at once; what was read is not held by any
        RUNNING_TOOL.set(self._kernel.declared_tool(read))
        self.traffic.started(exchange)
        scope[REPLY] = exchange
        try:
            with exchange.working(ends_with_client=not self._kernel.is_write(read)):
                answer = await self._kernel.answer(read, scope, exchange)
            await exchange.deliver(answer)
        except ClientGone:
            logger.info("The client went away from %s before the answer", read.method)
        except Stopped:
            await exchange.deliver(answer_of(restarting(read.id)))
        finally:
            del scope[REPLY]  # or the two would hold each other until a collection of garbage
            exchange.end()
            self.traffic.ended(exchange, permit, since)
            if slot is not None:
                slot.release()

    async def _read(self, headers: Mapping[str, str], receive: Receive) -> Asked | Told | NothingAsked | Refused:
        body = await whole_body(headers, receive, self._settings.limits.max_body)
        if body is None:  # the client hung up while it was sending
            return NothingAsked()
        return read_body(headers, body) if isinstance(body, bytes) else body

    async def _other_verb(self, verb: str, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        if verb == "GET" and _wants_stream(headers) and not self._drain.is_leaving:
            with suppress(Busy), self.traffic.capacity.open_stream():
                await self.traffic.idle.serve(receive, send)
                return
        if verb == "OPTIONS":
            wanted = headers.get("access-control-request-headers", "")
            lines = for_preflight(headers["origin"], wanted) if "origin" in headers else ()
            await send({"type": "http.response.start", "status": 204, "headers": (*_ALLOW, *lines)})
            await send({"type": "http.response.body", "body": b""})
        else:
            await refuse(send, Refused(405, INVALID_REQUEST, "This endpoint answers POST"), _ALLOW)

    async def _acknowledge(
        self, read: Told | NothingAsked | Refused, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if isinstance(read, Refused):
            await refuse(send, read)
            return
        await send({"type": "http.response.start", "status": 202, "headers": ((b"content-length", b"0"),)})
        await send({"type": "http.response.body", "body": b""})
        if isinstance(read, Told):
            exchange = Exchange(receive, send, framing=Framing.JSON_ONLY, heart=self.traffic.heart)
            await self._kernel.take_note(read, scope, exchange)


def _wants_stream(headers: Mapping[str, str]) -> bool:
    """Whether a client of a handshake revision asks for the stream by name. `*/*` asks for nothing in particular."""
    is_named = "text/event-stream" in headers.get("accept", "").lower()
    return is_named and headers.get("mcp-protocol-version") not in ENVELOPE_VERSIONS


def closing_while_leaving(endpoint: ASGIApp, drain: Drain) -> ASGIApp:
    """`endpoint`, whose replies ask for a new connection while the process leaves. No frame stays around it."""

    def serve(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return endpoint(scope, receive, adding(CLOSING, send) if drain.is_leaving else send)

    return serve


class Visit(Protocol):
    """One request as somebody sees it pass who changes nothing: the app hears and says everything through it."""

    async def receive(self) -> Message:
        """The next message from the client."""

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message to the client."""

    def end(self) -> None:
        """The app has returned, or raised."""


Visits = Callable[[Scope, Receive, Send], Visit | None]
"""Begins to see one HTTP request; None if it passes unseen."""


class Door:
    """The endpoint on its path and on its twin with a slash; everything else behind it. `visits` sees all of it."""

    def __init__(self, endpoint: ASGIApp, others: ASGIApp, *, path: str, visits: Visits | None = None) -> None:
        self._endpoint = endpoint
        self._others = others
        self._paths = frozenset({path.rstrip("/"), path.rstrip("/") + "/"})
        self._visits = visits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one ASGI scope. No redirect between the two spellings: it would drop Authorization (incident T-10)."""
        app = self._endpoint if self._is_endpoint(scope) else self._others
        visit = self._visits(scope, receive, send) if self._visits is not None and scope["type"] == "http" else None
        if visit is None:
            await app(scope, receive, send)
            return
        try:
            await app(scope, visit.receive, visit.send)
        finally:
            visit.end()

    def _is_endpoint(self, scope: Scope) -> bool:
        if scope["type"] != "http":
            return False
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        return path in self._paths or bool(root and path.removeprefix(root) in self._paths)
