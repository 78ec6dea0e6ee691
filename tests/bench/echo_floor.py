"""What a quiet stream costs before anybody answers it: an ASGI app that sends a head, and a comment now and then."""

import asyncio
from typing import Any

HEAD = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache, no-transform"))


def app(_: str) -> object:
    """Build the ASGI app."""
    return _serve


async def _serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": HEAD})
    while True:
        await send({"type": "http.response.body", "body": b": still working\n\n", "more_body": True})
        await asyncio.sleep(5)
