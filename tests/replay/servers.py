"""Servers to judge: a tolerant one by hand, of which a test changes one answer; and the SDK's own."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

SUPPORTED = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
FIND: Mapping[str, Any] = {
    "name": "find",
    "annotations": {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False},
    "inputSchema": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    "outputSchema": {"type": "object", "properties": {"found": {"type": "string"}}, "required": ["found"]},
}
FOUND = {"content": [{"type": "text", "text": "it"}], "structuredContent": {"found": "it"}}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as the server sees it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    message: Any

    @property
    def kind(self) -> str:
        """The JSON-RPC method, or one of get, probe, notification, elsewhere."""
        if self.path != "/mcp":
            return "elsewhere"
        if self.method != "POST":
            return "get"
        if not isinstance(self.message, dict) or "method" not in self.message:
            return "probe"
        return str(self.message["method"]) if "id" in self.message else "notification"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One reply: the body in pieces, each after a pause in seconds."""

    status: int = 200
    media: str = "application/json"
    pieces: Sequence[tuple[float, bytes]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks: bool = False


Change = Callable[[Asked], Answer | None]


def result(asked: Asked, value: Any) -> Answer:
    """A JSON-RPC result."""
    return said({"jsonrpc": "2.0", "id": asked.message["id"], "result": value})


def refusal(asked: Asked, code: int, *, status: int = 200) -> Answer:
    """A JSON-RPC error."""
    return said({"jsonrpc": "2.0", "id": asked.message["id"], "error": {"code": code, "message": "no"}}, status=status)


def said(value: Any, *, status: int = 200, **more: Any) -> Answer:
    """A JSON body."""
    return Answer(status=status, pieces=[(0, json.dumps(value).encode())], **more)


class Tolerant:
    """Speaks every revision without sessions. `changes` replace the answer to one kind of request; None keeps it."""

    def __init__(
        self, changes: Mapping[str, Change] | None = None, *, tools: Sequence[Mapping[str, Any]] = (FIND,)
    ) -> None:
        self.asked: list[Asked] = []
        self._changes = changes or {}
        self._tools = tools

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        assert scope["type"] == "http", "this server has no lifespan"
        body = b""
        while (event := await receive())["type"] == "http.request":
            body += event["body"]
            if not event.get("more_body"):
                break
        asked = _asked(scope, body)
        self.asked.append(asked)
        change = self._changes.get(asked.kind)
        answer = (change(asked) if change else None) or self._answer(asked)
        head = [(b"content-type", answer.media.encode())] if answer.media else []
        head += [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": head})
        for pause, piece in answer.pieces:
            await anyio.sleep(pause)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if answer.breaks:
            raise ConnectionAbortedError
        await send({"type": "http.response.body", "body": b""})

    def _answer(self, asked: Asked) -> Answer:
        if asked.kind in FIXED:
            return FIXED[asked.kind]
        results: dict[str, Any] = {
            "server/discover": {
                "resultType": "complete",
                "supportedVersions": ["2026-07-28", *SUPPORTED],
                "capabilities": {"tools": {}},
            },
            "initialize": {
                "protocolVersion": _negotiated(asked),
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "tolerant", "version": "1"},
            },
            "tools/list": {"tools": self._tools},
            "tools/call": FOUND,
        }
        return result(asked, results[asked.kind]) if asked.kind in results else refusal(asked, -32601)


FIXED = {
    "elsewhere": said({"error": "not found"}, status=404),
    "get": Answer(status=405, media="", headers={"allow": "POST"}),
    "probe": Answer(status=202, media=""),
    "notification": Answer(status=202, media=""),
}


def _negotiated(asked: Asked) -> str:
    wanted = asked.message.get("params", {}).get("protocolVersion")
    return wanted if wanted in SUPPORTED else SUPPORTED[0]


def _asked(scope: Any, body: bytes) -> Asked:
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    try:
        message = json.loads(body)
    except ValueError:
        message = None
    return Asked(method=scope["method"], path=scope["path"], headers=headers, body=body, message=message)


def plain_sdk() -> MCPServer[Any]:
    """The SDK's server with one read-only tool."""
    server = MCPServer("plain")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False))
    def find(query: str) -> str:
        return f"found {query}"

    return server
