"""Traffic as ChatGPT sends it, with identifiers of its own, and a connector to send it to."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx2

from connector import Call, Connector, Settings, StreamSettings, tool
from tests.wire import ENVELOPE, headers, request

SUBJECT = "v1/9Gk2hQwZ71xYbT4RmPd0sLfV3nUcJe8A"
CONVERSATION = "v1/q8Zt5XvB2nLr7KdW0yHs3MfJc6GpTe1U"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyLTQ4MTUxNjIzNDIifQ.b3BhcXVlLXNpZ25hdHVyZS1ieXRlcw"
QUERY = "invoices of Mr Ingolf Quenneville since 2021"
SECRETS = (SUBJECT, CONVERSATION, TOKEN, QUERY, "37.7953544", "-122.3936621", "Ingolf", "San Carlos", "user-4815162342")

META: Mapping[str, Any] = {
    "timezone": "America/Los_Angeles",
    "openai/locale": "en-US",
    "openai/session": CONVERSATION,
    "openai/subject": SUBJECT,
    "openai/userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/537.36",
    "openai/userLocation": {"city": "San Carlos", "latitude": "37.7953544", "longitude": "-122.3936621"},
    "openai/unheard_of": {"trace": ["9f86d081884c7d659a2feaa0c55ad015"], "level": 4815162342},
    **ENVELOPE,
}


class Archive(Connector):
    """A connector with a tool that reads and one that reads slowly."""

    name = "archive"

    @tool(read_only=True)
    async def search(self, query: str, limit: int = 3) -> dict[str, Any]:
        """Find documents."""
        return {"results": [{"id": f"doc-{number}", "title": query} for number in range(limit)]}

    @tool(read_only=True)
    async def walk(self, call: Call) -> str:
        """Report progress and wait a little."""
        for step in range(3):
            await call.progress(step, 3)
            await asyncio.sleep(0.1)
        return "arrived"


EAGER = Settings(stream=StreamSettings(first_byte=0.05, interval=0.05))


def modern_headers(method: str, name: str = "", **more: str) -> dict[str, str]:
    """Headers of a 2026-07-28 request with a token."""
    said = headers(version="2026-07-28", Mcp_Method=method, **({"Mcp_Name": name} if name else {}), **more)
    return said | {"User-Agent": "openai-mcp/1.0.0 (Codex)", "Authorization": f"Bearer {TOKEN}"}


def chatgpt(url: str) -> list[int]:
    """A creation and a call, sent to an MCP endpoint; the statuses that came."""
    statuses = []
    discover = request("server/discover", {"_meta": dict(ENVELOPE)}, id_="openai-mcp-discover")
    listing = request("tools/list", {"_meta": dict(ENVELOPE)}, id_=1)
    arguments = {"query": QUERY, "limit": 2}
    call = request("tools/call", {"name": "search", "arguments": arguments, "_meta": dict(META)}, id_=2)
    identity = {"X-Openai-Session": CONVERSATION, "X-Openai-Subject": SUBJECT}
    with httpx2.Client() as client:
        for body, said in (
            (discover, modern_headers("server/discover")),
            (listing, modern_headers("tools/list")),
            (call, modern_headers("tools/call", "search") | identity),
        ):
            content = json.dumps(body, separators=(",", ":")).encode()
            statuses.append(client.post(url, content=content, headers=said, timeout=20).status_code)
    return statuses
