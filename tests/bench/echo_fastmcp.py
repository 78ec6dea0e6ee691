"""The echo tool on a FastMCP server, in the same modes as on the plain SDK."""

from fastmcp import FastMCP


def app(mode: str) -> object:
    """Build the ASGI app in `mode`."""
    server = FastMCP("echo", version="1")

    @server.tool
    async def echo(text: str) -> str:
        """Return the text."""
        return text

    return server.http_app(path="/mcp", json_response=mode == "json", stateless_http=mode != "sessions")
