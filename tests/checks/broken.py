"""A connector that keeps every contract, behind something that breaks one: one promise each, named by a test."""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from connector import Connector, tool

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BAD_TOOL = b'{"name":"bad name","inputSchema":{"type":"object"}},'
HINTS = b'"annotations":{"readOnlyHint":false,"destructiveHint":false,"openWorldHint":false}'
UNSAID = b'{"name":"u","inputSchema":{"type":"object"},"annotations":{"openWorldHint":false}},'
LOST_WIDGET = b'{"name":"w","inputSchema":{"type":"object"},' + HINTS + b',"_meta":{"ui":{"resourceUri":"ui://gone"}}},'
KNOWN = {"name", "arguments", "_meta"}


class Notes(Connector):
    """One tool that reads."""

    name = "notes"

    def __init__(self, answer: str = "") -> None:
        super().__init__()
        self.answer = answer

    @tool(read_only=True, budget=0)
    def find(self, query: str) -> str:
        """Find a note."""
        return self.answer or query


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as the thing in front sees it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    message: Any

    @property
    def kind(self) -> str:
        """The JSON-RPC method; empty for anything else."""
        return str(self.message.get("method", "")) if isinstance(self.message, dict) else ""

    @property
    def params(self) -> Mapping[str, Any]:
        """The params; empty for anything else."""
        found = self.message.get("params") if isinstance(self.message, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def revision(self) -> str:
        """What the version header says."""
        return self.headers.get("mcp-protocol-version", "")


@dataclass
class Broken:
    """Passes everything on, but for what `fault` says."""

    fault: str = ""
    inner: Any = None
    is_dead: bool = False
    sessions: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.inner = Notes("x" * 9000 if self.fault == "results of 9 KB" else "").app()
        self.router = self.inner  # it has a lifespan: targets are looked at for this

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        body = await self._body(receive)
        if body is None:
            self.is_dead = self.fault == "dies of a disconnect"
            return
        asked = _asked(scope, body)
        if (refusal := self._refusal(asked)) is not None:
            await _answer(send, *refusal)
            return

        async def again() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            found, body = body, None
            return {"type": "http.request", "body": found, "more_body": False}

        await self.inner(scope, again, self._changing(asked, send))

    async def _body(self, receive: Receive) -> bytes | None:
        body = b""
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                return None
            body += bytes(event.get("body", b""))
            if not event.get("more_body"):
                return body

    def _refusal(self, asked: Asked) -> tuple[int, Any] | None:
        if self.is_dead:
            return 500, {"detail": "TaskGroup"}
        found = REFUSALS.get(self.fault)
        if found is None:
            return self._of_sessions(asked)
        return found(asked)

    def _of_sessions(self, asked: Asked) -> tuple[int, Any] | None:
        session = asked.headers.get("mcp-session-id")
        is_legacy_call = asked.kind == "tools/call" and asked.revision < "2026"
        if self.fault == "needs a session id" and is_legacy_call and session is None:
            return 400, _error(-32600)
        if self.fault == "400 for unknown sessions" and session is not None and session not in self.sessions:
            return 400, _error(-32600)
        if self.fault == "closes after a ping":
            if isinstance(asked.message, dict) and "error" in asked.message and session:
                self.sessions.discard(session)
            elif is_legacy_call and session is not None and session not in self.sessions:
                return 404, _error(-32600)
        if self.fault == "falls over after fifty sessions" and len(self.sessions) >= 50:
            return 500, {"detail": "memory"}
        return None

    def _changing(self, asked: Asked, send: Send) -> Send:
        change = CHANGES.get(self.fault)

        async def sending(event: Message) -> None:
            if event["type"] == "http.response.start":
                event["headers"] = [*self._headers(asked, event["headers"], is_changed=change is not None)]
            elif change is not None and event["type"] == "http.response.body":
                event["body"] = change(asked, event.get("body", b""))
            await send(event)

        return sending

    def _headers(self, asked: Asked, headers: Any, *, is_changed: bool) -> list[tuple[bytes, bytes]]:
        dropped = {b"content-length"} if is_changed else set()
        dropped |= {b"x-accel-buffering"} if self.fault == "lets proxies buffer" else set()
        kept = [(name, value) for name, value in headers if name.lower() not in dropped]
        kept += [(b"connection", b"close")] if self.fault == "closes connections" else []
        if asked.kind == "initialize" and self.fault in GIVES_SESSIONS:
            given = secrets.token_hex(8)
            self.sessions.add(given)
            kept.append((b"mcp-session-id", given.encode()))
        return kept


GIVES_SESSIONS = {
    "needs a session id", "400 for unknown sessions", "closes after a ping", "falls over after fifty sessions",
    "one session id for all",
}  # fmt: skip


def _old_version(asked: Asked) -> bool:
    return asked.kind == "initialize" and str(asked.params.get("protocolVersion", "")) > "2027"


REFUSALS: Mapping[str, Callable[[Asked], tuple[int, Any] | None]] = {
    "refuses new versions": lambda asked: (400, _error(-32602)) if _old_version(asked) else None,
    "422 for unknown members": lambda asked: (
        (422, {"detail": []})
        if isinstance(asked.message, dict)
        and not asked.message.keys() <= {"jsonrpc", "id", "method", "params", "error"}
        else None
    ),
    "strict params": lambda asked: (
        (200, {**_error(-32602), "id": 1}) if asked.kind == "tools/call" and not asked.params.keys() <= KNOWN else None
    ),
    "a body for notifications": lambda asked: (202, {}) if asked.kind == "notifications/zzz" else None,
    "no prompts": lambda asked: (200, {**_error(-32601), "id": 1}) if asked.kind == "prompts/list" else None,
    "406 without JSON": lambda asked: (
        (406, _error(-32600))
        if asked.method == "POST" and asked.kind and "application/json" not in asked.headers.get("accept", "")
        else None
    ),
    "redirects": lambda asked: (307, {}) if asked.path == "/mcp/" else None,
    "refuses an origin": lambda asked: (403, {}) if "claude.ai" in asked.headers.get("origin", "") else None,
    "a firewall": lambda asked: (403, {}) if b"<script>" in asked.body else None,
    "nothing at /sse": lambda asked: (404, {}) if asked.path == "/sse" else None,
    "404 on GET": lambda asked: (404, {}) if asked.path == "/mcp" and asked.method == "GET" else None,
}


def _listing(prefix: bytes, *, since: str = "", until: str = "2026") -> Callable[[Asked, bytes], bytes]:
    def change(asked: Asked, body: bytes) -> bytes:
        is_meant = asked.kind == "tools/list" and since <= asked.revision < until
        return (
            body.replace(
                b'"tools":[',
                prefix + b'"tools":[' if prefix.endswith(b",") and b"{" not in prefix else b'"tools":[' + prefix,
            )
            if is_meant
            else body
        )

    return change


def _only_events(asked: Asked, body: bytes) -> bytes:
    is_meant = asked.kind == "tools/list" and asked.headers.get("accept") == "text/event-stream"
    return body.replace(b'"Find a note."', b'"Find a nut."') if is_meant else body


CHANGES: Mapping[str, Callable[[Asked, bytes], bytes]] = {
    "a bad tool name": _listing(BAD_TOOL),
    "members of tomorrow": _listing(b'"ttlMs":5,'),
    "a hint that is not said": _listing(UNSAID, since="2025-06-18", until="9"),
    "a widget that is gone": _listing(LOST_WIDGET, since="2025-06-18", until="9"),
    "events say something else": _only_events,
    "forgets id zero": lambda asked, body: (
        body.replace(b'"id":0', b'"id":null') if asked.kind == "tools/list" else body
    ),
}


def _error(code: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": "no"}}


def _asked(scope: Message, body: bytes) -> Asked:
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    try:
        message = json.loads(body)
    except ValueError:
        message = None
    return Asked(method=scope["method"], path=scope["path"], headers=headers, body=body, message=message)


async def _answer(send: Send, status: int, value: Any) -> None:
    body = json.dumps(value).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    head += [(b"location", b"/mcp")] if status == 307 else []
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
