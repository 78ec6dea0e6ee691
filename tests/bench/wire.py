"""The bytes of one benchmark call and of its answer.

Decides what each case sends, literally, and when a reply is complete and right. Knows HTTP/1.1 framing
(Content-Length and chunked, which is how SSE arrives) and nothing about sockets, time or servers.
"""

import json
from dataclasses import dataclass

# Every call carries another text of the same width: a server that answered from a cache, or mixed two replies
# up, would be found out, and Content-Length stays the same for all of them.
_NUMBER_WIDTH = 9
_MARK = "ballast-"

BOTH = "application/json, text/event-stream"
JSON_ONLY = "application/json"
LEGACY = "2025-11-25"
MODERN = "2026-07-28"


class MalformedReplyError(Exception):
    """What the server sent is not an HTTP/1.1 response with a length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One complete HTTP response, and how many bytes of the buffer it took."""

    status: int
    body: bytes
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBytes:
    """A `tools/call` of the echo tool with two holes for the number of the call."""

    before_id: bytes
    between: bytes
    after_text: bytes

    def numbered(self, number: int) -> tuple[bytes, bytes]:
        """Return the request for call `number` and the text that its answer must contain."""
        digits = b"%0*d" % (_NUMBER_WIDTH, number)
        # A leading 1 keeps the id a JSON number without leading zeros.
        request = self.before_id + b"1" + digits + self.between + digits + self.after_text
        return request, _MARK.encode() + digits


def echo_call(*, era: str, accept: str) -> CallBytes:
    """Prepare the call of the echo tool as a client of protocol version `era` sends it."""
    params: dict[str, object] = {"name": "echo", "arguments": {"text": _MARK + "TEXT"}}
    headers = [f"Accept: {accept}", f"MCP-Protocol-Version: {era}"]
    if era == MODERN:
        params["_meta"] = _envelope()
        headers += ["Mcp-Method: tools/call", "Mcp-Name: echo"]
    message = {"jsonrpc": "2.0", "id": "ID", "method": "tools/call", "params": params}
    text = json.dumps(message, separators=(",", ":"))
    before_id, rest = text.split('"ID"')
    between, after_text = rest.split("TEXT")
    length = len(before_id) + 1 + _NUMBER_WIDTH + len(between) + _NUMBER_WIDTH + len(after_text)
    return CallBytes(
        before_id=_head(headers, length) + before_id.encode(),
        between=between.encode(),
        after_text=after_text.encode(),
    )


def handshake(step: str, *, session: str | None = None) -> bytes:
    """Return the `initialize` or `notifications/initialized` request of a 2025-11-25 client."""
    message: dict[str, object] = {"jsonrpc": "2.0", "method": step}
    headers = [f"Accept: {BOTH}"]
    if step == "initialize":
        client = {"name": "bench", "version": "1"}
        message |= {"id": 0, "params": {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client}}
    else:
        headers.append(f"MCP-Protocol-Version: {LEGACY}")
    if session is not None:
        headers.append(f"Mcp-Session-Id: {session}")
    body = json.dumps(message).encode()
    return _head(headers, len(body)) + body


def _envelope() -> dict[str, object]:
    prefix = "io.modelcontextprotocol/"
    return {
        prefix + "protocolVersion": MODERN,
        prefix + "clientInfo": {"name": "bench", "version": "1"},
        prefix + "clientCapabilities": {},
    }


def _head(headers: list[str], length: int) -> bytes:
    lines = [
        "POST /mcp HTTP/1.1",
        "Host: 127.0.0.1:8000",  # the SDK answers 421 to a loopback host without a port
        "Content-Type: application/json",
        f"Content-Length: {length}",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def take_reply(data: bytes) -> Reply | None:
    """Return the response at the start of `data`, or None while bytes are missing.

    Raises:
        MalformedReplyError: the response says neither its length nor that it is chunked.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    status = int(data[9:12])
    head = data[:end].lower() + b"\r\n"
    start = end + 4
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        size = start + int(head[at + 17 : head.find(b"\r\n", at + 2)])
        return Reply(status=status, body=data[start:size], size=size) if len(data) >= size else None
    if b"\r\ntransfer-encoding: chunked\r\n" in head:
        return _take_chunks(status, data, start)
    raise MalformedReplyError(f"status {status} without Content-Length or chunks; the server must keep the connection")


def _take_chunks(status: int, data: bytes, at: int) -> Reply | None:
    chunks = []
    while (line_end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:line_end].split(b";")[0], 16)
        at = line_end + 2
        if len(data) < at + size + 2:
            return None
        chunks.append(data[at : at + size])
        at += size + 2
        if size == 0:
            return Reply(status=status, body=b"".join(chunks), size=at)
    return None


def header(data: bytes, name: str) -> str | None:
    """Return the value of the response header `name`, or None."""
    head = data[: data.find(b"\r\n\r\n")].decode("latin-1")
    for line in head.split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name.lower():
            return value.strip()
    return None


def fault_of(reply: Reply, text: bytes) -> str | None:
    """Say what is wrong with the answer to a call that sent `text`, or None if it is right."""
    if reply.status != 200:
        return f"HTTP {reply.status}"
    if b'"isError":true' in reply.body or b'"result"' not in reply.body:
        return "an error instead of a result"
    if text not in reply.body:
        return "another text than was sent"
    return None
