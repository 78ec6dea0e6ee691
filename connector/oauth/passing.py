"""How a request passes a gate, or is told why not: the ASGI side, without a decision."""

from typing import Any, Final

from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.authentication import AuthCredentials, UnauthenticatedUser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .admitting import Subject, Wanted
from .challenge import Challenge
from .remembered import RETRY_AFTER
from .wellknown import as_json

MOST_READ: Final = 8 * 1024 * 1024
"""Bytes of a body that are read to see what it wants. Twice what the endpoint takes by default; more needs a token."""

_FOR_PAGES: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "WWW-Authenticate"}
"""A refusal is the same for everybody, so that pages of any origin (inspectors) may read it."""


async def let_in(token: AccessToken | None, endpoint: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Call the endpoint with this request's token where the SDK and its tools look for it (incident O-03)."""
    user = None if token is None else AuthenticatedUser(token)
    scope = {
        **scope,
        "user": user or UnauthenticatedUser(),
        "auth": AuthCredentials(() if token is None else token.scopes),
    }
    reset = auth_context_var.set(user)
    try:
        await endpoint(scope, receive, send)
    finally:
        auth_context_var.reset(reset)


async def look(receive: Receive) -> tuple[bytes | None, Receive]:
    """The whole body, or None if it is too long or never came; and what gives it, once more, to whoever is behind."""
    messages: list[Message] = []
    size = 0
    while True:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        is_over = message["type"] != "http.request" or size > MOST_READ
        if is_over or not message.get("more_body"):
            body = None if is_over else b"".join(each.get("body", b"") for each in messages)
            return body, _again(messages, receive)


def _again(messages: list[Message], receive: Receive) -> Receive:
    kept = iter(messages)

    async def again() -> Message:
        message = next(kept, None)
        return await receive() if message is None else message

    return again


async def refuse(scope: Scope, receive: Receive, send: Send, challenge: Challenge) -> None:
    """Answer with the challenge as HTTP has it."""
    headers = {"WWW-Authenticate": challenge.header, "Cache-Control": "no-store", **_FOR_PAGES}
    await as_json(challenge.body, status=challenge.status, headers=headers)(scope, receive, send)


async def tell(scope: Scope, receive: Receive, send: Send, wanted: Wanted, challenge: Challenge) -> None:
    """Answer a tool call with the challenge in its result."""
    result: dict[str, Any] = challenge.in_band()
    if wanted.is_envelope:
        result["resultType"] = "complete"  # 2026-07-28 wants it on every result
    message = {"jsonrpc": "2.0", "id": wanted.id, "result": result}
    await as_json(message, headers={"Cache-Control": "no-store"})(scope, receive, send)


async def come_back(scope: Scope, receive: Receive, send: Send) -> None:
    """Say that nothing can be said of the token now. A 401 would make hosts throw away a good one."""
    said = "The access token cannot be verified at the moment: its authorization server does not answer. Try again"
    body = {"error": "temporarily_unavailable", "error_description": said}
    await as_json(body, status=503, headers={"Retry-After": str(RETRY_AFTER), **_FOR_PAGES})(scope, receive, send)


def unread(method: str) -> Wanted:
    """What a request without a body that matters wants: streams and ends of sessions go with what is open."""
    return Wanted(subject=Subject.OPEN if method in {"GET", "HEAD", "DELETE", "OPTIONS"} else Subject.OTHER)


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks before it sends. It never sends a token with this (WHATWG Fetch)."""
    return scope["method"] == "OPTIONS" and any(
        name.lower() == b"access-control-request-method" for name, _ in scope["headers"]
    )


def header_of(scope: Scope, wanted: bytes) -> str:
    """The first value of a header, or an empty text."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted), "")
