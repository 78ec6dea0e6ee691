"""Requests as ChatGPT words them, sent over a real socket."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2

BOTH = "application/json, text/event-stream"

ENVELOPE: Mapping[str, Any] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "openai-mcp", "version": "1.0.0"},
    "io.modelcontextprotocol/clientCapabilities": {
        "experimental": {"openai/visibility": {"enabled": True}},
        "extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}},
    },
}


def headers(*, accept: str = BOTH, version: str | None = "2025-11-25", **more: str) -> dict[str, str]:
    """Headers of a POST; keyword names become header names."""
    said = {"Content-Type": "application/json", "Accept": accept, "User-Agent": "openai-mcp/1.0.0"}
    if version is not None:
        said["MCP-Protocol-Version"] = version
    return said | {name.replace("_", "-"): value for name, value in more.items()}


def request(method: str, params: Any = None, *, id_: Any = 1) -> dict[str, Any]:
    """A JSON-RPC request; absent params stay absent."""
    message = {"jsonrpc": "2.0", "id": id_, "method": method}
    return message if params is None else message | {"params": params}


def call(tool: str, arguments: Any, *, id_: Any = 1, meta: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A tools/call request of a handshake revision."""
    params = {"name": tool, "arguments": arguments}
    return request("tools/call", params if meta is None else params | {"_meta": dict(meta)}, id_=id_)


def modern(
    method: str, params: Mapping[str, Any] | None = None, *, id_: Any = 1
) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and body of a 2026-07-28 request."""
    said = dict(params or {})
    name = said.get("name") or said.get("uri")
    more = {"Mcp_Method": method} | ({"Mcp_Name": name} if isinstance(name, str) else {})
    meta = {**ENVELOPE, **said.get("_meta", {})}
    return headers(version="2026-07-28", **more), request(method, said | {"_meta": meta}, id_=id_)


def post(url: str, body: Any, said: Mapping[str, str] | None = None) -> httpx2.Response:
    """POST to the endpoint. Bytes are sent as they are, everything else as compact JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    return httpx2.post(f"{url}/mcp", content=content, headers=dict(said or headers()), timeout=20)


@contextmanager
def streaming(
    url: str, body: Any, said: Mapping[str, str] | None = None
) -> Iterator[tuple[httpx2.Response, Iterator[bytes]]]:
    """POST and read the reply as it comes."""
    content = json.dumps(body).encode()
    with httpx2.stream("POST", f"{url}/mcp", content=content, headers=dict(said or headers()), timeout=20) as reply:
        yield reply, reply.iter_raw()


def messages(stream: bytes) -> list[dict[str, Any]]:
    """The JSON-RPC messages in a stream of events."""
    return [json.loads(line[6:]) for line in stream.decode().splitlines() if line.startswith("data: ")]
