"""Requests as platforms send them, with every value that is somebody's taken from outside."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from connector.recorder.shape import Seen

AGENT = "openai-mcp/1.0.0 (Codex)"


def tool_call(
    secret: str = "s", *, number: Any = 7, meta: Mapping[str, Any] | None = None, lines: Mapping[str, str] | None = None
) -> Seen:
    """A `tools/call` of 2026-07-28 as ChatGPT words it; `secret` stands wherever a value is a user's or a token."""
    said = {
        "timezone": secret,
        "openai/locale": secret,
        "openai/session": f"v1/{secret}",
        "openai/subject": f"v1/{secret}",
        "openai/userAgent": f"Mozilla/5.0 {secret}",
        "openai/userLocation": {"city": secret, "latitude": secret, "longitude": secret},
        "openai/request_id": secret,
        "progressToken": secret,
        "io.modelcontextprotocol/clientInfo": {"name": "openai-mcp (Codex)", "version": "1.0.0"},
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {
            "extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}},
            "experimental": {"openai/visibility": {"enabled": True}},
        },
    }
    arguments = {"query": secret, "amount": number, "deep": {secret: [secret, {secret: secret}]}, secret: secret}
    params = {"name": "find_invoice", "arguments": arguments, "_meta": {**said, **(meta or {})}}
    body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    headers = {
        "host": f"{secret}.example.com", "user-agent": AGENT, "authorization": f"Bearer {secret}", "cookie": secret,
        "content-type": "application/json", "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "find_invoice",
        "x-openai-session": f"v1/{secret}", "x-openai-subject": f"v1/{secret}", "x-forwarded-for": secret,
        **(lines or {}),
    }  # fmt: skip
    return Seen(verb="POST", path="/mcp", headers=tuple(headers.items()), body=json.dumps(body).encode())


def token_request(secret: str = "s") -> Seen:
    """A `POST /token` as ChatGPT sends it."""
    form = {
        "grant_type": "authorization_code", "code": secret, "code_verifier": secret, "client_secret": secret,
        "redirect_uri": f"https://chatgpt.com/connector/oauth/{secret}", "client_assertion": secret,
        "client_id": "https://chatgpt.com/oauth/client.json", "resource": f"https://{secret}.example.com/mcp",
    }  # fmt: skip
    headers = (("content-type", "application/x-www-form-urlencoded"), ("authorization", f"Basic {secret}"))
    return Seen(verb="POST", path="/token", headers=headers, body=urlencode(form).encode())


def authorize_request(secret: str = "s") -> Seen:
    """A `GET /authorize`, from somebody's browser."""
    query = {
        "response_type": "code", "state": secret, "code_challenge": secret, "code_challenge_method": "S256",
        "client_id": secret, "login_hint": secret, "id_token_hint": secret, "scope": f"openid {secret}",
    }  # fmt: skip
    headers = (("user-agent", f"Mozilla/5.0 ({secret})"), ("cookie", secret), ("referer", secret))
    return Seen(verb="GET", path="/authorize", query=urlencode(query), headers=headers)


def registration(secret: str = "s") -> Seen:
    """A `POST /register`."""
    body = {
        "client_name": "ChatGPT", "redirect_uris": [f"https://chatgpt.com/connector/oauth/{secret}"],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
        "contacts": [secret], "software_statement": secret, "jwks": {"keys": [{secret: secret}]}, "scope": secret,
    }  # fmt: skip
    headers = (("content-type", "application/json"), ("user-agent", "python-httpx/0.28.1"))
    return Seen(verb="POST", path="/register", headers=headers, body=json.dumps(body).encode())


def answered_question(secret: str = "s") -> Seen:
    """A request with a map whose keys are ids, and a posted response."""
    params = {"name": "find_invoice", "inputResponses": {secret: {"action": "accept", "content": {secret: secret}}}}
    body = {"jsonrpc": "2.0", "id": secret, "method": "tools/call", "params": params}
    return Seen(verb="POST", path="/mcp", headers=(("x-unknown-thing", secret),), body=json.dumps(body).encode())


def somewhere(secret: str = "s") -> Seen:
    """A path, a verb and a body that nobody knows."""
    return Seen(verb="POST", path=f"/files/{secret}/{secret}", query=f"q={secret}", body=secret.encode())


EVERY = (tool_call, token_request, authorize_request, registration, answered_question, somewhere)
