"""The documents under `/.well-known/` that a resource serves: its own metadata, and a mirror of its issuer's.

They need no token (incident O-14), are JSON always, and can be read by pages of any origin.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .remembered import RETRY_AFTER, IssuerUnavailable

_READABLE: Final = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT: Final = {
    **_READABLE,
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",  # hosts send MCP-Protocol-Version here too
    "Access-Control-Max-Age": "600",
}
_KEPT: Final = {"Cache-Control": "public, max-age=300"}
"""As long as ChatGPT lets its own client document be kept."""

Document = Callable[[], Awaitable[Mapping[str, Any]]]
"""Makes a document; raises `IssuerUnavailable` when it cannot."""


def document_routes(paths: Iterable[str], document: Document) -> list[Route]:
    """Routes that serve one document on several paths."""

    async def serve(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_PREFLIGHT)
        try:
            return as_json(await document(), headers={**_READABLE, **_KEPT})
        except IssuerUnavailable:
            body = {"error": "temporarily_unavailable", "error_description": "The authorization server does not answer"}
            return as_json(body, status=503, headers={**_READABLE, "Retry-After": str(RETRY_AFTER)})

    return [Route(path, serve, methods=["GET", "HEAD", "OPTIONS"]) for path in paths]


def as_json(body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON reply. Texts go out as they are; nothing is spelt anew."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, dict(headers or {}), media_type="application/json")


def resource_metadata(
    resource: str,
    authorization_servers: Iterable[str],
    scopes: Iterable[str],
    *,
    name: str | None = None,
    documentation: str | None = None,
) -> dict[str, Any]:
    """Protected resource metadata (RFC 9728, section 2). What is not known is left out, never null or empty."""
    said = {
        "resource": resource,
        "authorization_servers": list(authorization_servers),
        "scopes_supported": sorted(set(scopes)),
        "bearer_methods_supported": ["header"],
        "resource_name": name,
        "resource_documentation": documentation,
    }
    return {member: value for member, value in said.items() if value}
