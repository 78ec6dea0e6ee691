"""The SDK's sessions behind our door, for hosts that need server-to-client requests (`sessions="sticky"`).

What needs no session is served by the default engine beside it. Knows the SDK's public session manager; of the
kernel only the server's lifespan, which is entered once for both.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from copy import copy
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.streamable_http import EventStore
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from sse_starlette.sse import AppStatus
from starlette.types import ASGIApp, Receive, Scope, Send

from ...settings import Settings
from ...telemetry.meters import Meters
from ..kernel import Kernel, core_of
from ..load.traffic import Traffic
from .foreign import ForeignEndpoint
from .lifetimes import Lifetimes


def sticky_endpoint(
    server: MCPServer[Any],
    kernel: Kernel,
    settings: Settings,
    otherwise: ASGIApp,
    *,
    event_store: EventStore | None = None,
    retry_interval: int | None = None,
    traffic: Traffic | None = None,
) -> tuple[ForeignEndpoint, Callable[[], AbstractAsyncContextManager[None]]]:
    """The endpoint with the SDK's sessions behind it, and what must be entered, inside the kernel's own lifespan,
    while it serves.

    `otherwise`, the default engine, serves what carries no session id but is no handshake: ChatGPT calls tools so
    (incident P-01). An id that is not known gets the SDK's 404, on which hosts open a new session (2025-11-25,
    transports, "Session Management"). `event_store` and `retry_interval` (milliseconds) are the SDK's.
    `traffic` gives calls in a session their places, and hears what became of their replies.
    """
    running: list[StreamableHTTPSessionManager] = []

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        await running[-1].handle_request(scope, receive, send)

    meters = Meters() if traffic is None else traffic.meters
    sessions = Lifetimes(handle, lambda seconds, version: meters.session(seconds, version=version))

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        core, state = copy(core_of(server)), kernel.lifespan_state()
        core.lifespan = lambda _: nullcontext(state)  # the manager would enter the server's a second time
        manager = StreamableHTTPSessionManager(
            core,
            event_store=event_store,
            retry_interval=retry_interval,
            max_request_body_size=settings.limits.max_body,
        )
        with streams_left_to_us():
            async with manager.run():
                running.append(manager)
                try:
                    yield
                finally:
                    sessions.end()
                    running.remove(manager)

    return ForeignEndpoint(sessions, settings, otherwise=otherwise, traffic=traffic), lifespan


@contextmanager
def streams_left_to_us() -> Iterator[None]:
    """sse_starlette, which writes the SDK's streams, cuts them all within half a second of the server's being told to
    end, calls in flight included. Whoever holds the endpoint ends them: `end_streams`, then `Traffic.stop_all`.
    """
    before = AppStatus.enable_automatic_graceful_drain
    AppStatus.enable_automatic_graceful_drain = False
    try:
        yield
    finally:
        AppStatus.enable_automatic_graceful_drain = before
