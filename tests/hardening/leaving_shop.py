"""Two apps with sessions, each in a process of its own: `uvicorn tests.hardening.leaving_shop:app`, or `:hardened`."""

import asyncio
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connector import Connector, DrainSettings, Settings, StreamSettings, harden, tool

SETTINGS = Settings(
    stream=StreamSettings(first_byte=0.05, interval=0.05),
    drain=DrainSettings(notice=0.2, within=20),
)


async def change(until: str) -> str:
    """Wait until the file is there."""
    while not Path(until).exists():  # noqa: ASYNC110, ASYNC240  # another process makes it
        await asyncio.sleep(0.02)
    return "changed"


class Shop(Connector):
    """One tool that waits for a file."""

    name = "shop"
    version = "1"

    @tool
    async def change(self, until: str) -> str:
        """Wait until the file is there."""
        return await change(until)


app = Shop(
    sessions="sticky",
    settings=SETTINGS,
).app()

server = MCPServer("plain")
server.add_tool(change)


async def health(_: Request) -> Response:
    """Say that the server is there."""
    return JSONResponse({"status": "ok"})


server.custom_route("/health", methods=["GET"])(health)
hardened = harden(server.streamable_http_app(), settings=SETTINGS)
