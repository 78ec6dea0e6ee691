"""One call as a host makes it, seen as readable bytes over time.

Says what came and when; judges nothing. Compressed replies are inflated as they come, because bytes that cannot be
read yet keep nobody waiting for less.
"""

import json
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import httpx2

from tests.wire import call, headers, messages, modern

HANDSHAKE: Final = "2025-11-25"
ENVELOPE: Final = "2026-07-28"

ACCEPTS: Final = {
    "both": "application/json, text/event-stream",
    "JSON only": "application/json",
    "events only": "text/event-stream",
}

PROGRESS_TOKEN: Final = "climb"


@dataclass(slots=True)
class Seen:
    """What a client saw of one reply. Moments are seconds since the request was sent."""

    status: int | None = None
    media: str = ""
    encoding: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    moments: list[float] = field(default_factory=list)
    total: float = 0.0
    trouble: str = ""

    @property
    def first(self) -> float | None:
        """When the first readable byte of the body came."""
        return self.moments[0] if self.moments else None

    @property
    def longest_gap(self) -> float:
        """The longest time without a readable byte, from the request to the end of the reply."""
        moments = [0.0, *self.moments, self.total]
        return max(later - earlier for earlier, later in pairwise(moments))

    @property
    def answer(self) -> Any:
        """The JSON-RPC message that answers the call; None if it never came whole."""
        try:
            if self.media == "text/event-stream":
                return next((said for said in messages(self.body) if "id" in said), None)
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def result(self) -> Any:
        """The structured result of the answer, if there is one."""
        answer = self.answer
        return answer["result"]["structuredContent"]["result"] if answer and "result" in answer else None


def request_for(era: str, tool: str, arguments: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and body of a tools/call in either era, with a progress token."""
    meta = {"progressToken": PROGRESS_TOKEN}
    if era == ENVELOPE:
        return modern("tools/call", {"name": tool, "arguments": dict(arguments), "_meta": meta})
    return headers(), call(tool, dict(arguments), meta=meta)


def new_client(*, limit: float = 120.0) -> httpx2.AsyncClient:
    """A client for any number of calls at once, each on a connection of its own, that waits `limit` seconds."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx2.AsyncClient(timeout=limit, limits=limits, trust_env=False, verify=False)


@asynccontextmanager
async def calling(
    client: httpx2.AsyncClient, port: int, tool: str, arguments: Mapping[str, Any], *, era: str, accept: str = "both"
) -> AsyncIterator[tuple[Seen, AsyncIterator[bytes]]]:
    """Call a tool through a port; gives what is seen, growing while the pieces are read.

    Raises:
        httpx2.TransportError: The connection failed or the reply broke off.
    """
    said, body = request_for(era, tool, arguments)
    said |= {"Accept": ACCEPTS[accept], "Accept-Encoding": "gzip, deflate, br"}
    content = json.dumps(body, separators=(",", ":")).encode()
    since = time.monotonic()
    async with client.stream("POST", f"http://127.0.0.1:{port}/mcp", content=content, headers=said) as reply:
        media = reply.headers.get("content-type", "").partition(";")[0]
        encoding = reply.headers.get("content-encoding", "")
        seen = Seen(reply.status_code, media, encoding, dict(reply.headers))
        yield seen, _pieces(reply, seen, lambda: time.monotonic() - since)


async def call_through(
    client: httpx2.AsyncClient, port: int, tool: str, arguments: Mapping[str, Any], *, era: str, accept: str = "both"
) -> Seen:
    """Call a tool through a port and read the reply to its end, whatever becomes of it. Never raises."""
    seen, since = Seen(), time.monotonic()
    try:
        async with calling(client, port, tool, arguments, era=era, accept=accept) as (seen, pieces):
            async for _ in pieces:
                pass
    except (httpx2.TransportError, zlib.error) as problem:
        seen.trouble = f"{type(problem).__name__} {problem}".strip()
    seen.total = time.monotonic() - since
    return seen


async def _pieces(reply: httpx2.Response, seen: Seen, now: Callable[[], float]) -> AsyncIterator[bytes]:
    inflate = zlib.decompressobj(wbits=31).decompress if seen.encoding == "gzip" else bytes
    async for raw in reply.aiter_raw():
        if piece := inflate(raw):
            seen.body += piece
            seen.moments.append(now())
            yield piece
