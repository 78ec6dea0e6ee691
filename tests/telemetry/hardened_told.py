"""A FastMCP server behind `harden`, with a provider that exports: FastMCP makes its own spans."""

import sys

import uvicorn
from fastmcp import FastMCP
from starlette.requests import Request
from starlette.responses import Response

from connector import harden
from connector.telemetry.setup import export_from_environment

server = FastMCP("hardened")


@server.custom_route("/health", methods=["GET"])
async def health(_: Request) -> Response:
    """Say that it serves."""
    return Response("ok")


@server.tool
async def echo(text: str) -> str:
    """Answer."""
    return text


if __name__ == "__main__":
    export_from_environment(service="hardened", version="1")
    uvicorn.run(harden(server.http_app(path="/mcp")), port=int(sys.argv[1]), log_level="error")
