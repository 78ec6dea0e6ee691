"""Targets that new shapes are tried against: a connector as it should be, and the same behind a door that is strict.

The strict door knows what is usual and refuses the rest, each in a way that real servers were seen to (S-01, P-01,
P-16, P-18, P-28, P-41, O-12, O-13).
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from connector import Connector, tool
from connector.oauth import AuthorizationServer

Refusal = tuple[int, str]

_AGENTS = re.compile(r"openai-mcp/[\d.]+( \((Codex|ChatGPT|Responses API)\))?|Mozilla/.*")
_META = {
    "openai/locale", "openai/session", "openai/subject", "openai/userAgent", "openai/organization",
    "openai/userLocation", "timezone", "sessionId", "windowId", "callId", "progressToken",
}  # fmt: skip
_METHODS = {
    "initialize", "notifications/initialized", "server/discover", "tools/list", "tools/call", "resources/list",
    "resources/read",
}  # fmt: skip
_AUTHORIZE = {
    "response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "resource",
    "scope",
}  # fmt: skip
_TOKEN = {
    "grant_type", "code", "redirect_uri", "client_id", "code_verifier", "resource", "refresh_token", "client_secret",
}  # fmt: skip
_REGISTRATION = {
    "client_name", "redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method", "scope",
}  # fmt: skip


class Invoices(Connector):
    """Look up invoices."""

    name = "invoices"
    version = "1.0.0"

    @tool(read_only=True)
    async def find_invoice(self, number: str = "1") -> str:
        """Find an invoice."""
        return f"invoice {number}"


def good() -> Connector:
    """A connector that tolerates what platforms add."""
    return Invoices(
        public_url="https://invoices.example.com", auth=AuthorizationServer(approve="everyone"), store="memory:"
    )


class Strict:
    """An ASGI app that refuses what is not usual, and hands the rest on."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        refusal = next(_refusals(scope, body), None)
        if refusal is not None:
            kind = b"text/html" if refusal[1].startswith("<") else b"application/json"
            await send({"type": "http.response.start", "status": refusal[0], "headers": [(b"content-type", kind)]})
            await send({"type": "http.response.body", "body": refusal[1].encode()})
            return
        is_given = False

        async def again() -> Any:
            nonlocal is_given
            if is_given:
                return await receive()
            is_given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)


def strict() -> Strict:
    """The good connector behind the strict door."""
    return Strict(good().app())


def _refusals(scope: Any, body: bytes) -> Iterator[Refusal]:
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode()))
    path = scope["path"]
    if not _AGENTS.fullmatch(headers.get("user-agent", "")):
        yield 403, "<html>Are you a robot?</html>"
    if path.startswith("/.well-known/") and "oauth" not in path and "openid" not in path:
        yield 200, "<html>The single page of a single page app</html>"
    if path == "/authorize" and ((query.keys() - _AUTHORIZE) or "resource" not in query):
        yield 400, '{"error":"invalid_request"}'
    if path == "/token" and set(dict(parse_qsl(body.decode()))) - _TOKEN:
        yield 422, '{"detail":[{"type":"extra_forbidden"}]}'
    if path == "/register":
        yield from _of_registration(json.loads(body))
    if path == "/mcp" and scope["method"] == "POST":
        yield from _of_message(json.loads(body or b"{}"), headers, query)


def _of_registration(said: dict[str, Any]) -> Iterator[Refusal]:
    if said.keys() - _REGISTRATION or set(said["grant_types"]) - {"authorization_code", "refresh_token"}:
        yield 422, '{"detail":[{"type":"literal_error"}]}'
    if said["response_types"] != ["code"] or said["token_endpoint_auth_method"] != "none":
        yield 500, "Internal Server Error"


def _of_message(said: dict[str, Any], headers: dict[str, str], query: dict[str, str]) -> Iterator[Refusal]:
    method, params = said.get("method"), said.get("params") or {}
    if method not in _METHODS:
        yield 500, "<html>Internal Server Error</html>"
    if headers.get("mcp-protocol-version", "2025-11-25") not in {"2025-11-25", "2026-07-28"}:
        yield 500, "<html>Internal Server Error</html>"
    if query or any(name.startswith("x-openai-") and name[9:] not in {"session", "subject"} for name in headers):
        yield 400, '{"detail":"unexpected"}'
    if method != "tools/call":
        return
    meta = params.get("_meta", {})
    own = {name for name in meta if not name.startswith("io.modelcontextprotocol/")}
    if own - _META or params.keys() - {"name", "arguments", "_meta"} or not isinstance(said.get("id"), int):
        yield 422, '{"detail":[{"type":"extra_forbidden"}]}'
    if "x-openai-session" not in headers or not isinstance(meta.get("openai/locale"), str):
        yield 400, '{"detail":"Missing session"}'
    is_modern = headers.get("mcp-protocol-version") == "2026-07-28"
    if is_modern and "mcp-method" not in headers:
        yield 400, '{"detail":"Missing header"}'
    if "elicitation" in meta.get("io.modelcontextprotocol/clientCapabilities", {}):
        yield 500, "Internal Server Error"
    accept = headers.get("accept", "")
    if "application/json" not in accept or "text/event-stream" not in accept:
        yield 406, '{"detail":"Not Acceptable"}'
