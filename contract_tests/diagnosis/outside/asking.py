"""Asks one address the questions of a diagnosis, as a host words them. Knows HTTP and MCP's framing; judges nothing."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from ...judging.reply import read_reply
from ...notation.session import JsonBody
from ...offer.catalogue import CallableTool
from ...outcome import Received
from ...replay.wire import Request, Wire, encode

CHATGPT: Final = "openai-mcp/1.0.0"
_CONTENT: Final = ("Content-Type", "application/json")
_EVENTS: Final = ("Accept", "text/event-stream")
_BOTH: Final = ("Accept", "application/json, text/event-stream")
_COMPRESSED: Final = ("Accept-Encoding", "gzip, deflate, br")

_CLIENT: Final = {"name": "openai-mcp", "version": "1.0.0"}
_ENVELOPE: Final = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": _CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}

_SMALL_LIMIT: Final = 20.0
CALL_LIMIT: Final = 65.0
"""Seconds: above the 59.8 s of the Responses API, the shortest limit of a large host."""

_SLOW_LIMIT: Final = 150.0  # above ChatGPT's 119.8 s: what it would have given up, a person may still want to see

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Asks one address. `is_modern` says that 2026-07-28 is spoken there; `headers` go with every request.

    `agent` is the client's name, as in User-Agent.
    """

    wire: Wire
    url: str
    headers: Headers = ()
    is_modern: bool = False
    agent: str = CHATGPT

    @property
    def _agent(self) -> tuple[str, str]:
        return ("User-Agent", self.agent)

    def named(self, agent: str) -> Self:
        """The same under another name."""
        return replace(self, agent=agent)

    async def small(self, *, events_only: bool = False) -> Received:
        """List the tools."""
        return await self._ask("tools/list", {}, (_EVENTS if events_only else _BOTH,), limit=_SMALL_LIMIT)

    async def call(self, tool: CallableTool, *, limit: float = CALL_LIMIT) -> Received:
        """Call a tool that should answer soon."""
        params = {"name": tool.name, "arguments": dict(tool.arguments)}
        return await self._ask("tools/call", params, (_BOTH,), limit=limit)

    async def slow(self, tool: CallableTool) -> Received:
        """Call a tool and wait for it; asks for progress."""
        params = {"name": tool.name, "arguments": dict(tool.arguments), "_meta": {"progressToken": 1}}
        return await self._ask("tools/call", params, (_BOTH,), limit=_SLOW_LIMIT)

    async def stream(self, patience: float, *, may_be_compressed: bool) -> Received:
        """Open the stream of a 2025-11-25 session and listen for so many seconds."""
        packed = (_COMPRESSED,) if may_be_compressed else ()
        async with self._session() as session:
            headers = (*self.headers, self._agent, _EVENTS, *packed, *session)
            return await self.wire.exchange(Request(method="GET", url=self.url, headers=headers, cut_after=patience))

    async def _ask(self, method: str, params: Mapping[str, Any], accept: Headers, *, limit: float) -> Received:
        if self.is_modern:
            meta = {**_ENVELOPE, **params.get("_meta", {})}
            named = (("Mcp-Name", str(params["name"])),) if "name" in params else ()
            said = (*accept, ("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method), *named)
            return await self._post(_request(method, {**params, "_meta": meta}), said, limit)
        async with self._session() as session:
            return await self._post(_request(method, params), (*accept, *session), limit)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Headers]:
        """The headers of a 2025-11-25 session; it is ended again where the server keeps one."""
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": _CLIENT}
        reply = read_reply(await self._post(_request("initialize", params), (_BOTH,), _SMALL_LIMIT))
        key = reply.header("mcp-session-id")
        version = ("MCP-Protocol-Version", "2025-11-25")
        said: Headers = (version,) if key is None else (version, ("Mcp-Session-Id", key))
        if key is not None:
            told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
            await self._post(told, (_BOTH, *said), _SMALL_LIMIT)
        try:
            yield said
        finally:
            if key is not None:
                headers = (*self.headers, self._agent, *said)
                await self.wire.exchange(Request(method="DELETE", url=self.url, headers=headers, limit=_SMALL_LIMIT))

    async def _post(self, message: Mapping[str, Any], said: Headers, limit: float) -> Received:
        headers = (*self.headers, self._agent, _CONTENT, *said)
        body = encode(JsonBody(value=message))
        return await self.wire.exchange(Request(method="POST", url=self.url, headers=headers, body=body, limit=limit))


def _request(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": dict(params)}
