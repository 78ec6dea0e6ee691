"""One SERVER span for every request and notification, by the OpenTelemetry conventions for MCP.

The conventions moved to semantic-conventions-genai (status: development) and their constants are deprecated where
they were, so the names stand here. A middleware of the SDK's chain, so it sees every transport. No argument, result
or exception text is recorded.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, time_ns
from typing import Any, Final, Protocol

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult
from mcp_types.version import KNOWN_PROTOCOL_VERSIONS
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from pydantic import ValidationError
from starlette.types import Scope

from ..tracing import Spans
from .meters import ERROR_TYPE, METHOD, OPERATION, PROMPT, TOOL, TRANSPORT, VERSION, Meters

REQUEST_ID: Final = "jsonrpc.request.id"
STATUS_CODE: Final = "rpc.response.status_code"
PROTOCOL: Final = "network.protocol.name"
PROTOCOL_VERSION: Final = "network.protocol.version"
CLIENT_ADDRESS: Final = "client.address"
CLIENT_PORT: Final = "client.port"
PSEUDONYM: Final = "enduser.pseudo.id"

CANCELLED: Final = "cancelled"
TOOL_ERROR: Final = "tool_error"
OTHER: Final = "_OTHER"
"""For methods that nobody knows, as the HTTP conventions have it for theirs."""

STREAM_CUT: Final = "ballast.stream.cut"
"""The event of a client that went away before its answer was complete, at the moment at which that was seen."""

REPLY_MODE: Final = "ballast.reply.mode"


class Replying(Protocol):
    """The reply on its way to whoever asked. `gone_at` is when the client was seen to go away, on the monotonic
    clock.
    """

    gone_at: float | None

    @property
    def was_streamed(self) -> bool:
        """Whether it was committed as an event stream."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """What went wrong, in words that hold nothing of the caller's. `code` is the JSON-RPC error code, if there is
    one.
    """

    kind: str
    description: str | None = None
    code: str | None = None


class RequestSpans:
    """Middleware that wraps each message in its span, and records how long it took.

    `is_method`, `is_tool` and `is_prompt` tell known names from invented ones: only a known name may name a span or a
    series, or a caller could make as many as it likes. `pseudonym` says whose request it is without saying who that is.
    `reply_of` finds the reply to a request, if there is one. `mode` keeps two SERVER spans from being made for one
    request where something else makes one too.
    """

    def __init__(
        self,
        meters: Meters,
        *,
        is_method: Callable[[str], bool],
        is_tool: Callable[[str], bool],
        is_prompt: Callable[[str], bool],
        pseudonym: Callable[[Scope], str | None] = lambda _: None,
        reply_of: Callable[[Scope], Replying | None] = lambda _: None,
        mode: Spans = "auto",
    ) -> None:
        self._meters = meters
        self._mode = mode
        self._reply_of = reply_of
        self._live: set[Span] = set()
        self._pseudonym = pseudonym
        self._is_method = is_method
        self._targets: Mapping[str, tuple[str, Callable[[str], bool]]] = {
            "tools/call": (TOOL, is_tool),
            "prompts/get": (PROMPT, is_prompt),
        }
        self._tracer = trace.get_tracer("mcp-ballast")

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Run the rest of the chain inside the span."""
        method, target, began = self._known(ctx.method), self._target(ctx), monotonic()
        span = None if self._is_quiet() else self._open(ctx, method, target)
        failure: _Failure | None = None
        try:
            if span is not None:
                with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                    result = await call_next(ctx)
            elif self._mode == "propagate":
                with _within_callers_trace(ctx):
                    result = await call_next(ctx)
            else:  # no empty context: every quiet stream would keep it
                result = await call_next(ctx)
            failure = _TOOL_FAILED if ctx.method == "tools/call" and _is_tool_error(result) else None
        except BaseException as raised:
            failure = _failure_of(raised)
            raise
        else:
            return result
        finally:
            if span is not None:
                self._note_reply(ctx, span)
                self._live.discard(span)
                _close(span, failure)
            self._record(ctx, method, target, seconds=monotonic() - began, failure=failure, span=span)

    def tell(self, event: str, attributes: Mapping[str, float] | None = None) -> None:
        """Write an event that concerns every request under way onto its span."""
        for span in tuple(self._live):
            span.add_event(event, attributes)

    def refused(self, method: str, version: str, code: int, message: str, scope: Scope) -> None:
        """The span of a request that is refused before the chain."""
        known, version = self._known(method), version if version in KNOWN_PROTOCOL_VERSIONS else OTHER
        if not self._is_quiet():
            span = self._start(known, None, scope)
            span.set_attributes({METHOD: known, VERSION: version, **_network(scope)})
            _close(span, _Failure(str(code), message, str(code)))
        self._meters.operation(0.0, method=known, version=version, error=str(code))

    def _is_quiet(self) -> bool:
        return self._mode in {"off", "propagate"} or _nobody_listens()

    def _note_reply(self, ctx: ServerRequestContext[Any, Any], span: Span) -> None:
        scope = getattr(ctx.request, "scope", None)
        reply = None if scope is None else self._reply_of(scope)
        if reply is None:
            return
        if reply.was_streamed:
            span.set_attribute(REPLY_MODE, "events")
        if reply.gone_at is not None:
            span.add_event(STREAM_CUT, timestamp=time_ns() - int((monotonic() - reply.gone_at) * 1e9))

    def _known(self, method: str) -> str:
        return method if self._is_method(method) else OTHER

    def _open(self, ctx: ServerRequestContext[Any, Any], method: str, target: str | None) -> Span:
        scope = getattr(ctx.request, "scope", None)
        span = self._start(f"{method} {target}" if target else method, (ctx.params or {}).get("_meta"), scope)
        span.set_attributes(self._describe(ctx, method, target) | _network(scope))
        if scope is not None and (pseudonym := self._pseudonym(scope)) is not None:
            span.set_attribute(PSEUDONYM, pseudonym)
        self._live.add(span)
        return span

    def _start(self, name: str, meta: Any, scope: Scope | None) -> Span:
        parent, links = _parentage(meta, {} if scope is None else _text_headers(scope))
        return self._tracer.start_span(name, kind=self._kind(), context=parent, links=links)

    def _kind(self) -> SpanKind:
        """SERVER, unless an instrumentation of this process has made one for this very request already."""
        is_second = self._mode == "auto" and _is_server(trace.get_current_span())
        return SpanKind.INTERNAL if is_second or self._mode == "internal" else SpanKind.SERVER

    def _record(
        self,
        ctx: ServerRequestContext[Any, Any],
        method: str,
        target: str | None,
        *,
        seconds: float,
        failure: _Failure | None,
        span: Span | None,
    ) -> None:
        self._meters.operation(
            seconds,
            method=method,
            version=ctx.protocol_version if ctx.protocol_version in KNOWN_PROTOCOL_VERSIONS else OTHER,
            tool=target if method == "tools/call" else None,
            prompt=target if method == "prompts/get" else None,
            error=None if failure is None else failure.kind,
            transport="pipe" if getattr(ctx.request, "scope", None) is None else "tcp",
            within=None if span is None else trace.set_span_in_context(span),
        )

    def _target(self, ctx: ServerRequestContext[Any, Any]) -> str | None:
        known = self._targets.get(ctx.method)
        name = (ctx.params or {}).get("name")
        return name if known is not None and isinstance(name, str) and known[1](name) else None

    def _describe(self, ctx: ServerRequestContext[Any, Any], method: str, target: str | None) -> dict[str, str | int]:
        said: dict[str, str | int] = {METHOD: method, VERSION: ctx.protocol_version}
        if ctx.request_id is not None:
            said[REQUEST_ID] = str(ctx.request_id)
        if ctx.method == "tools/call":
            said[OPERATION] = "execute_tool"
        if target is not None:
            said[self._targets[ctx.method][0]] = target
        return said


_TOOL_FAILED: Final = _Failure(TOOL_ERROR)


def _nobody_listens() -> bool:
    """Whether no provider is installed; making the spans all the same was measured at a tenth of a whole call."""
    return isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider)


def _is_server(span: Span) -> bool:
    return span.is_recording() and getattr(span, "kind", None) is SpanKind.SERVER


@contextmanager
def _within_callers_trace(ctx: ServerRequestContext[Any, Any]) -> Iterator[None]:
    scope = getattr(ctx.request, "scope", None)
    parent, _ = _parentage((ctx.params or {}).get("_meta"), {} if scope is None else _text_headers(scope))
    if parent is None:
        yield
        return
    token = context.attach(parent)
    try:
        yield
    finally:
        context.detach(token)


def _text_headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _failure_of(raised: BaseException) -> _Failure:
    if isinstance(raised, MCPError):
        code = str(raised.error.code)
        return _Failure(code, raised.error.message, code)
    if isinstance(raised, ValidationError):
        return _Failure(str(INVALID_PARAMS), "Invalid request parameters", str(INVALID_PARAMS))
    if isinstance(raised, Exception):
        return _Failure(type(raised).__qualname__)
    return _Failure(CANCELLED)  # the client went away, the deadline came, the server stops: no success in any case


def _close(span: Span, failure: _Failure | None) -> None:
    if failure is not None:
        span.set_attribute(ERROR_TYPE, failure.kind)
        if failure.code is not None:
            span.set_attribute(STATUS_CODE, failure.code)
        span.set_status(StatusCode.ERROR, failure.description)
    span.end()


def _is_tool_error(result: HandlerResult) -> bool:
    if isinstance(result, CallToolResult):
        return bool(result.is_error)
    return isinstance(result, dict) and result.get("isError") is True


def _parentage(meta: Any, headers: Mapping[str, str]) -> tuple[Context | None, list[Link]]:
    """The parent comes from `_meta` (SEP-414), the HTTP request then is a link; without `_meta` it is the parent."""
    around = trace.get_current_span().get_span_context()
    http = None if around.is_valid else _valid(extract(headers))
    parent = (
        _valid(extract({k: v for k, v in meta.items() if isinstance(v, str)})) if isinstance(meta, Mapping) else None
    )
    if parent is None:
        return http, []
    other = around if http is None else trace.get_current_span(http).get_span_context()
    return parent, [Link(other)] if other.is_valid else []


def _valid(context: Context) -> Context | None:
    return context if trace.get_current_span(context).get_span_context().is_valid else None


def _network(scope: Scope | None) -> dict[str, str | int]:
    if scope is None:
        return {TRANSPORT: "pipe"}
    said: dict[str, str | int] = {
        TRANSPORT: "tcp",
        PROTOCOL: "http",
        PROTOCOL_VERSION: scope.get("http_version", "1.1"),
    }
    if scope.get("client"):
        said[CLIENT_ADDRESS], said[CLIENT_PORT] = scope["client"]
    return said
