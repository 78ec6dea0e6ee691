"""Puts a connector's ASGI app together: the endpoint, the SDK's own routes beside it, health, and a JSON 404 for the
rest.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from mcp.server.auth.middleware.bearer_auth import RequireAuthMiddleware
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..settings import Settings
from .door import Door, Endpoint
from .kernel import Kernel

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def assemble(server: MCPServer, kernel: Kernel, settings: Settings, lifespan: Lifespan) -> ASGIApp:
    """The app for one connector. Custom routes and OAuth routes are the SDK's own; its endpoint is replaced by ours."""
    path = settings.access.path
    sdk = MCPServer.streamable_http_app(server, streamable_http_path=path)
    endpoint: ASGIApp = Endpoint(kernel, settings)
    routes = [Route("/health", _health), *(r for r in sdk.routes if getattr(r, "path", None) != path)]
    guard = next((r.endpoint for r in sdk.routes if isinstance(r, Route) and r.path == path), None)
    is_guarded = isinstance(guard, RequireAuthMiddleware)
    if isinstance(guard, RequireAuthMiddleware):
        guard.app = endpoint
        routes += [Route(path, guard), Route(path.rstrip("/") + "/", guard)]
    others = Starlette(
        routes=routes, middleware=sdk.user_middleware, lifespan=lifespan, exception_handlers={404: _not_found}
    )
    others.router.redirect_slashes = False  # a redirect drops Authorization (incident T-10)
    others.state.endpoint = path
    return others if is_guarded else Door(endpoint, others, path=path)


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _not_found(request: Request, _: Exception) -> Response:
    return JSONResponse({"error": "not found", "endpoint": request.app.state.endpoint}, status_code=404)
