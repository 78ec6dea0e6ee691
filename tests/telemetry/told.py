"""A connector to be traced, served from a process of its own because a tracer provider can be installed only once."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Final

import anyio
import uvicorn
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from opentelemetry import trace
from opentelemetry.propagate import extract
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connector import Call, Connector, Guard, Settings, StoreSettings, StreamSettings, ToolFailed, tool
from connector.tracing import Spans, TelemetrySettings

MODES: Final[tuple[Spans, ...]] = ("auto", "server", "internal", "propagate", "off")


class Told(Connector):
    """Tools that end in every way."""

    name = "told"
    version = "3.1"
    _released: anyio.Event

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Answer."""
        return text

    @tool(read_only=True)
    async def fail(self, text: str) -> str:
        """Fail on purpose."""
        raise ToolFailed(f"no {text}")

    @tool(read_only=True)
    async def crash(self, text: str) -> str:
        """Fail by mistake."""
        raise RuntimeError(f"no {text}")

    @tool(read_only=True)
    async def hold(self, call: Call) -> str:
        """Begin to answer and never end."""
        await call.progress(1)
        await anyio.sleep_forever()
        return "never"

    @tool(guard=Guard(after_crash="rerun"))
    async def book(self, seat: str, call: Call) -> str:
        """Write at once; in a further attempt too."""
        if seat == "slow" and call.attempt == 1:
            await call.progress(1)
            await anyio.sleep(2)
        if seat == "stuck" and call.attempt == 1:
            await call.progress(1)
            await anyio.sleep_forever()
        return f"booked {seat}"


class AnyName:
    """Takes every token for the name of a person."""

    async def verify_token(self, token: str) -> AccessToken:
        """Believe it."""
        return AccessToken(token=token, client_id="host", scopes=[], subject=token, claims={"iss": "https://id.test"})


class Instrumented:
    """Makes a SERVER span for each HTTP request, as OpenTelemetry's instrumentation for ASGI does."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve inside the span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        server, parent = trace.SpanKind.SERVER, extract(headers)
        with trace.get_tracer("asgi").start_as_current_span("POST /mcp", kind=server, context=parent):
            await self._app(scope, receive, send)


def in_every_mode() -> ASGIApp:
    """One connector for each way of making spans, each under its name, all beneath one instrumentation."""
    each = {mode: Told(store="memory:", settings=Settings(telemetry=TelemetrySettings(spans=mode))) for mode in MODES}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for one in each.values():
                await stack.enter_async_context(one.running())
            yield

    routes = [Mount(f"/{mode}", one.app()) for mode, one in each.items()]
    healthy = Route("/health", lambda _: Response("ok"))
    return Instrumented(Starlette(routes=[healthy, *routes], lifespan=lifespan))


def settings_from(words: list[str]) -> Settings:
    """The settings that the command line asks for: `store=...`."""
    stored = [word.removeprefix("store=") for word in words if word.startswith("store=")]
    store = StoreSettings(secrets=("a secret of the tests",), url=stored[0] if stored else None, lease=1.0)
    return replace(Settings.from_environment(), stream=StreamSettings(interval=0.1), store=store)


if __name__ == "__main__":
    port = int(sys.argv[1])
    told = Told(
        settings=settings_from(sys.argv),
        auth=AuthSettings(issuer_url=AnyHttpUrl("https://id.test"), resource_server_url=None)
        if "private" in sys.argv
        else None,
        token_verifier=AnyName() if "private" in sys.argv else None,
    )
    if "instrumented" in sys.argv:
        uvicorn.run(in_every_mode(), port=port, log_level="error")
    else:
        told.serve(port=port)
