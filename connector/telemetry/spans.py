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
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from pydantic import ValidationError

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
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider):
            return await call_next(ctx)  # nobody listens, and looking costs a tenth of a whole call
        target = self._target(ctx)
        parent, links = _parentage(ctx)
        span = self._tracer.start_span(
            f"{ctx.method} {target}" if target else ctx.method, kind=SpanKind.SERVER, context=parent, links=links
        )
        if span.is_recording():
            span.set_attributes(self._describe(ctx, target))
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            return await _observed(span, ctx, call_next)

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
        return said | _network(ctx)


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


def _parentage(ctx: ServerRequestContext[Any, Any]) -> tuple[Context | None, list[Link]]:
    """The parent comes from `_meta` (SEP-414); the HTTP request then becomes a link, and the parent where `_meta` has
    none.
    """
    ambient = trace.get_current_span().get_span_context()
    headers = getattr(ctx.request, "headers", None)
    http = None if ambient.is_valid or headers is None or "traceparent" not in headers else extract(headers)
    meta = (ctx.params or {}).get("_meta")
    if not isinstance(meta, Mapping) or not isinstance(meta.get("traceparent"), str):
        return http, []
    parent = extract({k: v for k, v in meta.items() if isinstance(v, str)})
    if not trace.get_current_span(parent).get_span_context().is_valid:
        return http, []
    other = ambient if http is None else trace.get_current_span(http).get_span_context()
    return parent, [Link(other)] if other.is_valid else []


def _network(ctx: ServerRequestContext[Any, Any]) -> dict[str, str | int]:
    scope = getattr(ctx.request, "scope", None)
    if scope is None:
        return {TRANSPORT: "pipe"}
    said: dict[str, str | int] = {
        TRANSPORT: "tcp", PROTOCOL: "http", PROTOCOL_VERSION: scope.get("http_version", "1.1")
    }  # fmt: skip
    if scope.get("client"):
        said[CLIENT_ADDRESS], said[CLIENT_PORT] = scope["client"]
    return said
