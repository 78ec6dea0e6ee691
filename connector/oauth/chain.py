"""The lock inside the server: tools are listed with their `securitySchemes`, and asked about once more where they run.

One middleware of the SDK. The gate in front has decided before; this holds also if something between the two reads a
request differently than the gate did.
"""

from typing import Any, Final

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from starlette.requests import Request

from .lock import Inside

_ENVELOPES_SINCE: Final = "2026-07-28"


def at_the_lock(lock: Inside) -> ServerMiddleware[Any]:
    """The middleware for a fitted lock. What does not come over HTTP (stdio, Python) passes as it is."""

    async def chain(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        request: Any = ctx.request
        if not isinstance(request, Request):
            return await call_next(ctx)
        if ctx.method == "tools/call":
            name = (ctx.params or {}).get("name")
            challenge = lock.challenge(name if isinstance(name, str) else "", request.scope)
            if challenge is not None:
                is_envelope = ctx.protocol_version >= _ENVELOPES_SINCE
                return challenge.in_band() | ({"resultType": "complete"} if is_envelope else {})
        result = await call_next(ctx)
        if ctx.method == "tools/list" and isinstance(result, dict):
            return {**result, "tools": [lock.describe(tool) for tool in result.get("tools", ())]}
        return result

    return chain
