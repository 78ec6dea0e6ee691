"""Tools and values with fixed content: every kind of content block, an error, progress, log messages.

Names and texts are the suite's (0.2.0-alpha.12, the descriptions of `tools-call-*`); nothing here may be renamed.
"""

import asyncio
from typing import Annotated, Final

from mcp_types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)
from pydantic import Field

from connector import Call, ToolFailed, tool

PNG: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
"""One red pixel, base64."""

WAV: Final = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA=="
"""One silent sample of 16 bits at 8 kHz, base64."""

_PAUSE: Final = 0.05
"""Seconds between messages, as the suite asks: each must arrive as one of its own."""


def embedded(uri: str, text: str, mime_type: str = "text/plain") -> EmbeddedResource:
    """A text resource as a content block."""
    return EmbeddedResource(resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


def answer(*blocks: ContentBlock | str) -> CallToolResult:
    """A tool's result of exactly these blocks."""
    return CallToolResult(content=[TextContent(text=block) if isinstance(block, str) else block for block in blocks])


class Contents:
    """To be mixed into a connector."""

    @tool(read_only=True)
    async def test_simple_text(self) -> CallToolResult:
        """Answer with one text block."""
        return answer("This is a simple text response for testing.")

    @tool(read_only=True)
    async def test_image_content(self) -> CallToolResult:
        """Answer with one image block."""
        return answer(ImageContent(data=PNG, mime_type="image/png"))

    @tool(read_only=True)
    def test_audio_content(self) -> CallToolResult:
        """Answer with one audio block, from a thread."""
        return answer(AudioContent(data=WAV, mime_type="audio/wav"))

    @tool(read_only=True)
    def test_embedded_resource(self) -> CallToolResult:
        """Answer with one embedded resource, from a thread."""
        return answer(embedded("test://embedded-resource", "This is an embedded resource content."))

    @tool(read_only=True)
    async def test_multiple_content_types(self) -> CallToolResult:
        """Answer with a text, an image and a resource."""
        return answer(
            "Multiple content types test:",
            ImageContent(data=PNG, mime_type="image/png"),
            embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
        )

    @tool(read_only=True)
    async def test_error_handling(self) -> CallToolResult:
        """Fail."""
        raise ToolFailed("This tool intentionally returns an error for testing")

    @tool(read_only=True)
    async def test_tool_with_progress(self, call: Call) -> CallToolResult:
        """Report 0, 50 and 100 of 100."""
        await call.progress(0, 100)
        for done in (50, 100):
            await asyncio.sleep(_PAUSE)
            await call.progress(done, 100)
        return answer("The tool reported its progress.")

    @tool(read_only=True)
    async def test_tool_with_logging(self, call: Call) -> CallToolResult:
        """Send three log messages at level info."""
        await call.context.info("Tool execution started")
        await asyncio.sleep(_PAUSE)
        await call.context.info("Tool processing data")
        await asyncio.sleep(_PAUSE)
        await call.context.info("Tool execution completed")
        return answer("The tool logged.")

    @tool(read_only=True)
    async def test_logging_tool(self, call: Call) -> CallToolResult:
        """Log, and let the server decide whether this client may see it."""
        await call.context.info("Only for a client that asked for log messages")
        return answer("The tool logged.")

    @tool(read_only=True)
    async def test_reconnection(self, call: Call) -> CallToolResult:
        """Close the stream before the answer. Does something only where events are stored for resumption."""
        await call.context.close_sse_stream()
        await asyncio.sleep(_PAUSE)
        return answer("The client came back for this.")

    @tool(read_only=True)
    async def test_custom_header(
        self,
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
    ) -> CallToolResult:
        """Take an argument that the client repeats as the header `Mcp-Param-Region`."""
        return answer(f"region={region}")
