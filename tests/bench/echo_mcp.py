"""The echo tool on a plain MCPServer of the SDK: stateless with JSON or SSE replies, or with sessions."""

from mcp.server import MCPServer


def app(mode: str) -> object:
    """Build the ASGI app in `mode`."""
    server = MCPServer("echo", version="1", log_level="ERROR")

    @server.tool()
    async def echo(text: str) -> str:
        """Return the text."""
        return text

    return server.streamable_http_app(json_response=mode == "json", stateless_http=mode != "sessions")
