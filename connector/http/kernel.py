"""The SDK's kernel, driven one request at a time. The only module that knows the SDK's internals.

`mcp.server.runner.serve_one` answers a single request over a `Connection` that is born ready. The SDK itself uses it
for 2026-07-28 only; a handshake revision is served the same way here, because ChatGPT needs nothing that a session
would keep (incidents P-01, P-03, T-07). When the SDK moves these names, this file moves with it and nothing else
does.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, cast

import anyio
from mcp.server._otel import OpenTelemetryMiddleware
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.mcpserver import MCPServer
from mcp.server.runner import ServerRunner, aclose_shielded
from mcp.server.subscriptions import ListenHandler
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    InboundLadderRejection,
    classify_inbound_request,
    find_duplicated_routing_header,
    validate_mcp_param_headers,
)
from mcp.shared.jsonrpc_dispatcher import progress_token_from_params
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from ..settings import LimitSettings, Settings
from ..telemetry.failures import fields_of, log_crash
from .exchange import Answer, Exchange, encode
from .request.reading import HANDSHAKE_VERSIONS, Asked, Era, Refused, Told, error_body
from .request.revisions import as_of

_HEADER_MARK: Final = "x-mcp-header"
_NEXT_TO_NOTHING: Final = 2.0**-20
"""By how much a heartbeat moves progress: a million of them are one step, and binary fractions add up exactly."""


OnRefusal = Callable[[str, str, int, str, Scope], None]
"""Told of a request that never reaches the chain: its method, revision, error code, message, and its ASGI scope."""


def core_of(server: MCPServer[Any]) -> Server[Any]:
    """The low-level server behind the public face."""
    return server._lowlevel_server  # noqa: SLF001  # no public way to it in mcp 2.3


def without_sdk_spans(middleware: list[ServerMiddleware[Any]]) -> list[ServerMiddleware[Any]]:
    """The chain less the SDK's own tracing: two SERVER spans for one request would count every call twice."""
    return [each for each in middleware if not isinstance(each, OpenTelemetryMiddleware)]


@dataclass(slots=True)
class _OneExchange:
    """`DispatchContext` for one request: what the tool says on the way goes onto this request's own reply."""

    transport: TransportContext
    request_id: str | int
    message_metadata: ServerMessageMetadata
    exchange: Exchange
    progress_token: str | int | None = None
    reached: float = 0.0
    can_send_request: bool = False
    _cancel_requested: anyio.Event | None = None

    @property
    def cancel_requested(self) -> anyio.Event:
        """Never set: a request is cancelled by closing its stream. Made only if somebody looks."""
        if self._cancel_requested is None:
            self._cancel_requested = anyio.Event()
        return self._cancel_requested

    async def send_raw_request(
        self,
        method: str,
        params: Mapping[str, Any] | None,  # noqa: ARG002  # the SDK's protocol
        opts: CallOptions | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(
        self,
        method: str,
        params: Mapping[str, Any] | None,
        opts: CallOptions | None = None,  # noqa: ARG002
    ) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = dict(params)
        await self.exchange.say(encode(message))

    def beat(self) -> bytes:
        """A progress notification that reports next to nothing, for hosts whose timer only those reset."""
        self.reached += _NEXT_TO_NOTHING
        params = {"progressToken": self.progress_token, "progress": self.reached}
        return encode({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        if self.progress_token is None:
            await self.exchange.commit()
            return
        if progress <= self.reached and self.reached % 1:  # after a beat: the revisions want it to increase
            progress = self.reached + _NEXT_TO_NOTHING
        self.reached = progress
        said = {"progressToken": self.progress_token, "progress": progress, "total": total, "message": message}
        await self.notify("notifications/progress", {k: v for k, v in said.items() if v is not None})


def answer_courtesies(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> Coroutine[Any, Any, HandlerResult]:
    """`logging/setLevel` is answered though no server here filters by it: hosts send it unasked (CT-11)."""
    if ctx.method == "logging/setLevel" and ctx.protocol_version in HANDSHAKE_VERSIONS:
        return _answered_anyhow(ctx, call_next)
    return cast("Coroutine[Any, Any, HandlerResult]", call_next(ctx))  # no frame of ours stays around a quiet call


async def _answered_anyhow(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    try:
        return await call_next(ctx)
    except MCPError as error:
        if error.error.code != METHOD_NOT_FOUND:
            raise
        return {}


class _BornReady(Connection):
    """A connection for one request, whose scratch room and clean-up are made only if somebody asks for them."""

    @cached_property
    def state(self) -> dict[str, Any]:  # type: ignore[override]
        return {}

    @cached_property
    def exit_stack(self) -> AsyncExitStack:  # type: ignore[override]
        return AsyncExitStack()


class _Clients:
    """Connections for envelopes. A host sends the same client description with every call; it is validated once."""

    _MOST: Final = 64
    _LONGEST: Final = 4096

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Any]] = {}

    def connect(self, version: str, info: Any, capabilities: Any) -> Connection:
        """A fresh connection that carries this client's description."""
        key = repr((version, info, capabilities))
        known = self._known.get(key)
        if known is None:
            known = vars(Connection.from_envelope(version, info, capabilities)).copy()
            del known["state"], known["exit_stack"]
            if len(key) <= self._LONGEST:
                if len(self._known) >= self._MOST:
                    self._known.clear()
                self._known[key] = known
        connection = _BornReady.__new__(_BornReady)  # the constructor makes an Event, which looks for the running loop
        for name, value in known.items():  # not by `vars`, which would give each connection a dict of its own
            setattr(connection, name, value)
        return connection


class Kernel:
    """Answers requests of both eras over one SDK server."""

    def __init__(self, server: MCPServer[Any], *, on_refusal: OnRefusal, settings: Settings) -> None:
        self._server = server
        self._on_refusal = on_refusal
        self._limits = settings.limits
        self._beats_with_progress = settings.stream.progress_frames
        self._core = core_of(server)
        self._state: Any = None
        self._runs = False
        self._clients = _Clients()
        self._header_schemas: dict[str, tuple[Any, bool]] = {}

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """The server's own lifespan, entered once for all requests."""
        async with self._core.lifespan(self._core) as state:
            self._state, self._runs = state, True
            try:
                yield
            finally:
                self._state, self._runs = None, False

    def end_listening(self) -> None:
        """End every `subscriptions/listen` stream with its result, as the revision wants it (2026-07-28,
        subscriptions).
        """
        entry = self._core.get_request_handler("subscriptions/listen")
        if entry is not None and isinstance(entry.handler, ListenHandler):
            entry.handler.close()

    def declared_tool(self, asked: Asked) -> str | None:
        """The tool that a request calls, if there is one of that name. Invented names go into no log and no metric."""
        name = (asked.params or {}).get("name") if asked.method == "tools/call" else None
        known = self._server._tool_manager.get_tool(name) if isinstance(name, str) else None  # noqa: SLF001
        return None if known is None else known.name

    def is_write(self, asked: Asked) -> bool:
        """Whether ending this request half-way could leave an effect half-done: a call of a tool not declared
        read-only.
        """
        if asked.method != "tools/call":
            return False
        name = (asked.params or {}).get("name")
        tool = self._server._tool_manager.get_tool(name) if isinstance(name, str) else None  # noqa: SLF001
        return tool is not None and not (tool.annotations is not None and tool.annotations.read_only_hint)

    async def answer(self, asked: Asked, scope: Scope, exchange: Exchange) -> Answer:
        """Serve one request. Never raises what a tool raised; cancellation passes through."""
        connection = self._connect(asked, Headers(raw=scope["headers"]))
        if isinstance(connection, Refused):
            self._on_refusal(asked.method, asked.version, connection.code, connection.message, scope)
            return Answer(encode(error_body(connection)), connection.status)
        context = _context(asked.id, scope, exchange)
        context.progress_token = progress_token_from_params(asked.params)
        if self._beats_with_progress and context.progress_token is not None:
            exchange.beat_with(context.beat)
        try:
            runner = ServerRunner(self._core, connection, self.lifespan_state())
            result = await runner.on_request(context, asked.method, asked.params)
            if asked.states_version:
                result = as_of(asked.version, asked.method, result)
            body = encode({"jsonrpc": "2.0", "id": asked.id, "result": result})
            return Answer(body) if len(body) <= self._limits.max_result else _too_long(asked, len(body), self._limits)
        except Exception as raised:  # noqa: BLE001  # the boundary: whatever a handler raises becomes a JSON-RPC error
            return _failed(asked, raised)
        finally:
            await _tear_down(connection)

    async def take_note(self, told: Told, scope: Scope, exchange: Exchange) -> None:
        """Hand a notification to its handler, if the server has one."""
        if self._core.get_notification_handler(told.method) is None:
            return
        connection = self._clients.connect(told.version, None, None)
        context = _context(None, scope, exchange)
        try:
            runner = ServerRunner(self._core, connection, self.lifespan_state())
            await runner.on_notify(context, told.method, told.params)
        finally:
            await _tear_down(connection)

    def lifespan_state(self) -> Any:
        """What the server's own lifespan gave.

        Raises:
            RuntimeError: The lifespan was not entered.
        """
        if not self._runs:
            raise RuntimeError(
                "the connector's lifespan was never started: serve .app() with lifespan on, "
                "or enter `async with connector.running():` where it is mounted"
            )
        return self._state

    def _connect(self, asked: Asked, headers: Headers) -> Connection | Refused:
        if asked.era is Era.HANDSHAKE:
            return self._clients.connect(asked.version, None, None)
        names = headers.keys()
        if len(names) != len(set(names)) and (twice := find_duplicated_routing_header(headers.items())):
            return Refused(400, -32020, f"The {twice} header appears more than once", asked.id)
        route = classify_inbound_request(
            {"method": asked.method, "params": asked.params}, headers=headers if asked.has_routing_headers else None
        )
        if isinstance(route, InboundLadderRejection):
            return _as_refusal(route, asked)
        if (rejection := self._check_param_headers(asked, headers)) is not None:
            return _as_refusal(rejection, asked)
        return self._clients.connect(route.protocol_version, route.client_info, route.client_capabilities)

    def _check_param_headers(self, asked: Asked, headers: Headers) -> InboundLadderRejection | None:
        params = asked.params or {}
        name, arguments = params.get("name"), params.get("arguments") or {}
        if asked.method != "tools/call" or not isinstance(name, str) or not isinstance(arguments, dict):
            return None
        lookup = self._core.get_tool_input_schema
        schema = None if lookup is None else lookup(name)
        if schema is None or not self._declares_headers(name, schema):
            return None
        return validate_mcp_param_headers(schema, arguments, headers)

    def _declares_headers(self, name: str, schema: Any) -> bool:
        known = self._header_schemas.get(name)
        if known is None or known[0] is not schema:
            known = self._header_schemas[name] = (schema, _HEADER_MARK in repr(schema))
        return known[1]


def _context(id_: str | float | None, scope: Scope, exchange: Exchange) -> _OneExchange:
    headers = Headers(raw=scope["headers"])  # a view: no line is copied
    return _OneExchange(
        transport=TransportContext(kind="streamable-http", can_send_request=False, headers=headers),
        request_id=id_,  # type: ignore[arg-type]  # None for a notification; 1.0 is an integer and is echoed as it came
        message_metadata=ServerMessageMetadata(request_context=Request(scope)),
        exchange=exchange,
    )


async def _tear_down(connection: Connection) -> None:
    """Unwind what handlers pushed, if one asked for the stack at all; the SDK's way costs a cancel scope every time."""
    if "exit_stack" in vars(connection):
        await aclose_shielded(connection)


def _failed(asked: Asked, raised: Exception) -> Answer:
    if isinstance(raised, MCPError):
        code, message, data = raised.error.code, raised.error.message, raised.error.data
    elif isinstance(raised, ValidationError):
        code, message, data = INVALID_PARAMS, f"Invalid request parameters: {fields_of(raised)}", None
    else:
        log_crash(f"{asked.method} failed", raised)
        code, message, data = INTERNAL_ERROR, "Internal server error", None
    status = ERROR_CODE_HTTP_STATUS.get(code, 200) if asked.era is Era.ENVELOPE else 200
    return Answer(encode(error_body(Refused(status, code, message, asked.id, data))), status)


def _too_long(asked: Asked, size: int, limits: LimitSettings) -> Answer:
    said = f"The result has {size} bytes and at most {limits.max_result} are sent. Ask for less at once."
    if asked.method != "tools/call":
        return Answer(encode(error_body(Refused(200, INTERNAL_ERROR, said, asked.id))))
    result: dict[str, Any] = {"content": [{"type": "text", "text": said}], "isError": True}
    if asked.era is Era.ENVELOPE:
        result["resultType"] = "complete"
    return Answer(encode({"jsonrpc": "2.0", "id": asked.id, "result": result}))


def _as_refusal(rejection: InboundLadderRejection, asked: Asked) -> Refused:
    status = ERROR_CODE_HTTP_STATUS.get(rejection.code, 400)
    return Refused(status, rejection.code, rejection.message, asked.id, rejection.data)
