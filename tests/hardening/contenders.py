"""The apps that are hardened: the plain SDK's and FastMCP's, with the same tools."""

import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
import pytest
from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel
from starlette.types import ASGIApp

KINDS = ("sdk", "fastmcp")


class Size(BaseModel):
    size: int


class Tools:
    """Tools that wait until the test lets them go, and note what becomes of them."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()
        self.noticed = threading.Event()
        self.seen: list[str] = []

    def note(self, what: str) -> None:
        self.seen.append(what)
        self.noticed.set()

    async def wait(self) -> None:
        self.entered.set()
        await anyio.to_thread.run_sync(self.opened.wait, abandon_on_cancel=True)

    async def echo(self, text: str) -> str:
        """Answer at once."""
        return text

    async def look(self) -> str:
        """Wait, then answer."""
        try:
            await self.wait()
        except BaseException:
            self.note("cancelled")
            raise
        self.note("looked")
        return "looked"

    def add_to(self, add: Callable[[Callable[..., Awaitable[Any]]], Any], context: type) -> None:
        """Add the tools to a server; those that talk to the client name its `context` class."""

        async def walk(ctx: Any) -> str:
            for step in (1, 2, 3):
                await ctx.report_progress(step, 3, f"step {step}")
            return "arrived"

        async def fit(ctx: Any) -> str:
            answer = await ctx.elicit("Which size?", Size)
            return f"size {answer.data.size}"

        for tool in (walk, fit):
            tool.__annotations__["ctx"] = context
        for each in (self.echo, self.look, walk, fit):
            add(each)


def contender(kind: str, tools: Tools, **options: Any) -> ASGIApp:
    """The app of a `kind`, fresh, with these options of its own."""
    if kind == "sdk":
        server = MCPServer("plain")
        tools.add_to(server.add_tool, Context[Any, Any])
        return server.streamable_http_app(**options)
    return _fastmcp(tools, **options)


def _fastmcp(tools: Tools, **options: Any) -> ASGIApp:
    try:
        import fastmcp
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("FastMCP is not installed: pip install 'mcp-ballast[bench]'")
    server: Any = fastmcp.FastMCP("plain")
    tools.add_to(server.tool, fastmcp.Context)
    app: ASGIApp = server.http_app(**options)
    return app
