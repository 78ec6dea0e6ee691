"""Puts a connector's ASGI app together: the endpoint, the SDK's own routes beside it, health, and a JSON 404 for the
rest.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from mcp.server.auth.middleware.bearer_auth import RequireAuthMiddleware
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ..settings import Settings
from ..telemetry.meters import Meters
from .behind.sticky import sticky_endpoint
from .door import Door, Endpoint, Visits, closing_while_leaving
from .drain import Drain
from .kernel import Kernel

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]
Running = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a connector's app is put together from."""

    server: MCPServer[Any]
    kernel: Kernel
    settings: Settings
    drain: Drain
    meters: Meters
    guard: Callable[[ASGIApp], ASGIApp] | None = None
    """What asks for a token in front of the endpoint, and `beside` it what such a lock serves itself."""
    beside: Sequence[BaseRoute] = ()
    visits: Visits | None = None
    """What sees every request pass."""


def assemble(house: House, *, is_sticky: bool, lifespan: Lifespan) -> tuple[ASGIApp, Running]:
    """The app for one connector, and what must be entered within the kernel's lifespan while it serves.

    Custom routes and OAuth routes are the SDK's own; its endpoint is replaced by ours.
    """
    path = house.settings.access.path
    endpoint, running = _endpoint(house, is_sticky=is_sticky)
    endpoint = closing_while_leaving(endpoint if house.guard is None else house.guard(endpoint), house.drain)
    sdk = MCPServer.streamable_http_app(house.server, streamable_http_path=path)
    own = [Route("/health", _health), Route("/ready", _ready), Route("/sse", _gone, methods=["GET", "POST"])]
    routes = [*own, *house.beside, *(r for r in sdk.routes if getattr(r, "path", None) != path)]
    guard = next((r.endpoint for r in sdk.routes if isinstance(r, Route) and r.path == path), None)
    is_guarded = isinstance(guard, RequireAuthMiddleware)
    if isinstance(guard, RequireAuthMiddleware):
        guard.app = endpoint
        routes += [Route(path, guard), Route(path.rstrip("/") + "/", guard)]
    others = Starlette(
        routes=routes, middleware=sdk.user_middleware, lifespan=lifespan, exception_handlers={404: _not_found}
    )
    others.router.redirect_slashes = False  # a redirect drops Authorization (incident T-10)
    others.state.endpoint, others.state.drain = path, house.drain
    others.state.public_url = (house.settings.access.public_url or "").rstrip("/")
    return Door(others if is_guarded else endpoint, others, path=path, visits=house.visits), running


def _endpoint(house: House, *, is_sticky: bool) -> tuple[ASGIApp, Running]:
    plain = Endpoint(house.kernel, house.settings, house.drain, house.meters)
    if not is_sticky:
        return plain, nullcontext
    sticky, sessions = sticky_endpoint(house.server, house.kernel, house.settings, plain, traffic=plain.traffic)
    house.drain.when_leaving(sticky.end_streams)
    return sticky, sessions


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _ready(request: Request) -> Response:
    if request.app.state.drain.is_leaving:
        return JSONResponse({"status": "leaving"}, status_code=503, headers={"Connection": "close"})
    return JSONResponse({"status": "ready"})


async def _gone(request: Request) -> Response:
    """The HTTP+SSE transport of 2024-11-05 is not served; hosts that still try it are told where to go (incident
    P-30).
    """
    origin = request.app.state.public_url or str(request.base_url).rstrip("/")
    endpoint = origin + request.app.state.endpoint
    said = f"The HTTP+SSE transport is gone. Use Streamable HTTP at {endpoint}"
    return JSONResponse({"error": said, "endpoint": endpoint}, status_code=410)


async def _not_found(request: Request, _: Exception) -> Response:
    return JSONResponse({"error": "not found", "endpoint": request.app.state.endpoint}, status_code=404)
