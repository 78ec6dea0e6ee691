"""One SERVER span for every request and notification, by the OpenTelemetry conventions for MCP.

The conventions moved to semantic-conventions-genai (status: development) and their constants are deprecated where
they were, so the names stand here. A middleware of the SDK's chain, so it sees every transport. No argument, result
or exception text is recorded.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult
from mcp_types.methods import SPEC_CLIENT_METHODS
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from pydantic import ValidationError
from starlette.types import Scope

METHOD: Final = "mcp.method.name"
VERSION: Final = "mcp.protocol.version"
REQUEST_ID: Final = "jsonrpc.request.id"
ERROR_TYPE: Final = "error.type"
STATUS_CODE: Final = "rpc.response.status_code"
OPERATION: Final = "gen_ai.operation.name"
TOOL: Final = "gen_ai.tool.name"
PROMPT: Final = "gen_ai.prompt.name"
TRANSPORT: Final = "network.transport"
PROTOCOL: Final = "network.protocol.name"
PROTOCOL_VERSION: Final = "network.protocol.version"
CLIENT_ADDRESS: Final = "client.address"
CLIENT_PORT: Final = "client.port"

CANCELLED: Final = "cancelled"
TOOL_ERROR: Final = "tool_error"


class RequestSpans:
    """Middleware that wraps each message in its span.

    `is_tool` and `is_prompt` tell declared names from invented ones: only a declared name may name a span, or a
    caller could make as many names as it likes.
    """

    def __init__(self, *, is_tool: Callable[[str], bool], is_prompt: Callable[[str], bool]) -> None:
        self._targets: Mapping[str, tuple[str, Callable[[str], bool]]] = {
            "tools/call": (TOOL, is_tool),
            "prompts/get": (PROMPT, is_prompt),
        }
        self._tracer = trace.get_tracer("mcp-ballast")

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Run the rest of the chain inside the span."""
        if _nobody_listens():
            return await call_next(ctx)
        target, scope = self._target(ctx), getattr(ctx.request, "scope", None)
        meta = (ctx.params or {}).get("_meta")
        span = self._start(f"{ctx.method} {target}" if target else ctx.method, meta, scope)
        span.set_attributes(self._describe(ctx, target) | _network(scope))
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            return await _observed(span, ctx, call_next)

    def refused(self, method: str, version: str, code: int, message: str, scope: Scope) -> None:
        """The span of a request that is refused before the chain. An invented method may not name it either."""
        if _nobody_listens():
            return
        known = method if method in SPEC_CLIENT_METHODS else "request"
        span = self._start(known, None, scope)
        span.set_attributes({METHOD: known, VERSION: version, **_network(scope)})
        _fail(span, str(code), message, code=str(code))
        span.end()

    def _start(self, name: str, meta: Any, scope: Scope | None) -> Span:
        parent, links = _parentage(meta, {} if scope is None else _text_headers(scope))
        return self._tracer.start_span(name, kind=SpanKind.SERVER, context=parent, links=links)

    def _target(self, ctx: ServerRequestContext[Any, Any]) -> str | None:
        known = self._targets.get(ctx.method)
        name = (ctx.params or {}).get("name")
        return name if known is not None and isinstance(name, str) and known[1](name) else None

    def _describe(self, ctx: ServerRequestContext[Any, Any], target: str | None) -> dict[str, str | int]:
        said: dict[str, str | int] = {METHOD: ctx.method, VERSION: ctx.protocol_version}
        if ctx.request_id is not None:
            said[REQUEST_ID] = str(ctx.request_id)
        if ctx.method == "tools/call":
            said[OPERATION] = "execute_tool"
        if target is not None:
            said[self._targets[ctx.method][0]] = target
        return said


def _nobody_listens() -> bool:
    """Whether no provider is installed; making the spans all the same was measured at a tenth of a whole call."""
    return isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider)


def _text_headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def _observed(span: Span, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    try:
        result = await call_next(ctx)
    except MCPError as error:
        _fail(span, str(error.error.code), error.error.message, code=str(error.error.code))
        raise
    except ValidationError:
        _fail(span, str(INVALID_PARAMS), "Invalid request parameters", code=str(INVALID_PARAMS))
        raise
    except Exception as raised:
        _fail(span, type(raised).__qualname__)
        raise
    except BaseException:  # the client went away, the deadline came, the server stops: no success in any case
        _fail(span, CANCELLED)
        raise
    if ctx.method == "tools/call" and _is_tool_error(result):
        _fail(span, TOOL_ERROR)
    return result


def _fail(span: Span, kind: str, description: str | None = None, *, code: str | None = None) -> None:
    span.set_attribute(ERROR_TYPE, kind)
    if code is not None:
        span.set_attribute(STATUS_CODE, code)
    span.set_status(StatusCode.ERROR, description)


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
