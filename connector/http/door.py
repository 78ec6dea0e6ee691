"""The ASGI app in front of a connector: which path, may it come in, how much may it send, and what kind of reply it
gets.

The endpoint is served here directly; every other path goes to the SDK's own routes (custom routes, OAuth metadata),
then to a JSON 404, because an HTML page or a 200 on an unknown path makes hosts think that OAuth is on (incidents
O-13, P-17).
"""

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..settings import Settings
from ..telemetry.meters import Meters
from .drain import Drain
from .exchange import Answer, ClientGone, Exchange, Framing, Stopped, encode, send_json
from .kernel import Kernel
from .load.busy import Busy, refuse
from .load.traffic import Traffic
from .load.watchdog import RUNNING_TOOL
from .request.admission import Admission
from .request.cors import Lines, for_preflight, for_reply
from .request.reading import (
    ENVELOPE_VERSIONS,
    INVALID_REQUEST,
    Asked,
    Era,
    NothingAsked,
    Refused,
    Told,
    error_body,
    read_body,
    readable_by,
)

logger = logging.getLogger("ballast.http")

_ALLOW: Final = ((b"allow", b"POST, OPTIONS"),)

_CLOSING: Final = ((b"connection", b"close"),)

RESTARTING: Final = 19_503
"""Our own error code: outside JSON-RPC's -32768..-32000, as MCP 2026-07-28 asks of codes that are not its own."""


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        scope = trimmed(scope)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        stranger = self._admission.decide(headers.get("host"), headers.get("origin"))
        if self._drain.is_leaving:
            send = _adding(_CLOSING, send)
        if stranger is not None:
            await _refuse(send, Refused(stranger.status, INVALID_REQUEST, stranger.reason))
            return
        if "origin" in headers and scope["method"] != "OPTIONS":
            send = _adding(for_reply(headers["origin"]), send)
        if scope["method"] == "POST":
            await self._post(headers, scope, receive, send)
        else:
            await self._other_verb(scope["method"], headers, receive, send)

    async def _post(self, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._body(headers, receive)
        read = read_body(headers, body) if isinstance(body, bytes) else body
        if isinstance(read, Asked):
            await self._answer(read, headers, scope, receive, send)
        else:
            await self._acknowledge(read, headers, scope, receive, send)

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
            await _refuse(send, Refused(405, INVALID_REQUEST, "This endpoint answers POST"), _ALLOW)

    async def _answer(
        self, asked: Asked, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            slot = await self.traffic.admit(asked, scope)
        except Busy as busy:
            # While draining a status, so that a balancer tries another worker; otherwise words, for the model to read.
            tool = None if busy.is_draining else self._kernel.declared_tool(asked)
            refusal = refuse(busy, id_=asked.id, tool=tool, is_envelope=asked.era is Era.ENVELOPE)
            await send_json(send, Answer(encode(refusal.body), refusal.status), refusal.headers)
            return
        try:
            await self._serve(asked, headers, scope, receive, send)
        finally:
            if slot is not None:
                slot.release()

    async def _serve(
        self, asked: Asked, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        traffic, since = self.traffic, time.monotonic()
        framing, permit = traffic.way_out(asked, readable_by(headers.get("accept")), headers)
        exchange = Exchange(receive, send, framing=framing, policy=self._settings.stream)
        RUNNING_TOOL.set(self._kernel.declared_tool(asked))

        async def work() -> Answer:
            return await self._kernel.answer(asked, headers, scope, exchange)

        traffic.started(exchange)
        try:
            await exchange.run(work, ends_with_client=not self._kernel.is_write(asked))
        except ClientGone:
            logger.info("The client went away from %s before the answer", asked.method)
        except Stopped:
            await exchange.deliver(_restarting(asked))
        finally:
            traffic.ended(exchange, permit, since)

    async def _acknowledge(
        self,
        read: Told | NothingAsked | Refused,
        headers: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        if isinstance(read, Refused):
            await _refuse(send, read)
            return
        await send({"type": "http.response.start", "status": 202, "headers": ((b"content-length", b"0"),)})
        await send({"type": "http.response.body", "body": b""})
        if isinstance(read, Told):
            exchange = Exchange(receive, send, framing=Framing.JSON_ONLY, policy=self._settings.stream)
            await self._kernel.take_note(read, headers, scope, exchange)

    async def _body(self, headers: Mapping[str, str], receive: Receive) -> bytes | Refused | NothingAsked:
        most = self._settings.limits.max_body
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > most:
            return _too_large(most)
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body: bytes = message.get("body", b"")
            return body if len(body) <= most else _too_large(most)
        return await _rest_of_body(message, receive, most)


async def _rest_of_body(message: Any, receive: Receive, most: int) -> bytes | Refused | NothingAsked:
    parts, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            return NothingAsked()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return _too_large(most)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def trimmed(scope: Scope) -> Scope:
    """The scope with header values as RFC 9110, section 5.5, defines them: without white space around them.

    httptools, which uvicorn prefers, leaves it behind them (h11 does not), and routing headers are compared by value.
    """
    pairs = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
    return scope if pairs == scope["headers"] else {**scope, "headers": pairs}


def _too_large(most: int) -> Refused:
    return Refused(413, INVALID_REQUEST, f"The body is larger than the {most} bytes that are read (BALLAST_MAX_BODY)")


def _restarting(asked: Asked) -> Answer:
    said = "The connector is being restarted and stopped this call. Whether it had an effect is not known; look first."
    refused = Refused(503, RESTARTING, said, asked.id, {"retryAfterSeconds": 5})
    return Answer(encode(error_body(refused)), refused.status)


def _wants_stream(headers: Mapping[str, str]) -> bool:
    """Whether a client of a handshake revision asks for the stream by name. `*/*` asks for nothing in particular."""
    is_named = "text/event-stream" in headers.get("accept", "").lower()
    return is_named and headers.get("mcp-protocol-version") not in ENVELOPE_VERSIONS


def _adding(lines: Lines, send: Send) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": (*message.get("headers", ()), *lines)}
        await send(message)

    return add


async def _refuse(send: Send, refused: Refused, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    await send_json(send, Answer(encode(error_body(refused)), refused.status), headers)


class Door:
    """The endpoint on its path and on its twin with a slash; everything else behind it."""

    def __init__(self, endpoint: ASGIApp, others: ASGIApp, *, path: str) -> None:
        self._endpoint = endpoint
        self._others = others
        self._paths = frozenset({path.rstrip("/"), path.rstrip("/") + "/"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one ASGI scope. No redirect between the two spellings: it would drop Authorization (incident T-10)."""
        if scope["type"] == "http":
            path: str = scope["path"]
            root: str = scope.get("root_path", "")
            if path in self._paths or (root and path.removeprefix(root) in self._paths):
                await self._endpoint(scope, receive, send)
                return
        await self._others(scope, receive, send)
