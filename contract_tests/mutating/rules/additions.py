"""Messages that nobody has published: a method before the handshake and after the dialogue, and a notification."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from ...notation.session import MISSING, Expect, JsonBody, Session, Step
from ..change import Change, Position
from ..expectations import UNKNOWN_METHOD, UNKNOWN_NOTIFICATION
from ..places import META, Message, at_endpoint
from ..rule import Mutant, Rule, together

_METHODS: Final = ("server/ballast", "ballast")
_NOTIFICATIONS: Final = ("notifications/ballast", "notifications/openai/ballast")


def _methods(session: Session) -> tuple[Mutant, ...]:
    found = [message for message in at_endpoint(session) if message.is_request]
    ends = ((found[0], Position.BEFORE), (found[-1], Position.AFTER)) if found else ()
    return together(
        _said(message, position, method, is_request=True) for message, position in ends for method in _METHODS
    )


def _notifications(session: Session) -> tuple[Mutant, ...]:
    return together(
        _said(message, Position.AFTER, method, is_request=False)
        for message in _moments(session)
        for method in _NOTIFICATIONS
    )


def _moments(session: Session) -> Iterator[Message]:
    """After the handshake where there is one, or else after the first answer."""
    found = list(at_endpoint(session))
    ready = [message for message in found if not message.is_request]
    yield from ready or found[:1]


def _said(message: Message, position: Position, method: str, *, is_request: bool) -> Change:
    name = f"{method} {position} {message.step.name}"
    expect = UNKNOWN_METHOD if is_request else UNKNOWN_NOTIFICATION
    new = _step(message, name, method, expect, is_request=is_request)
    return Change(step=message.step.name, position=position, label=f"method {method}", new=new)


def _step(message: Message, name: str, method: str, expect: Expect, *, is_request: bool) -> Step:
    """The message sent as its neighbour is: with the same headers, and with its envelope."""
    meta = message.at(META)
    params: dict[str, Any] = {} if meta is MISSING else {"_meta": meta}
    identity = {"id": "${id}"} if is_request else {}
    body = JsonBody(value={"jsonrpc": "2.0", **identity, "method": method, "params": params})
    headers = {
        key: method if key.lower() == "mcp-method" else value
        for key, value in message.step.send.headers.items()
        if key.lower() != "mcp-name"
    }
    send = replace(message.step.send, body=body, headers=headers)
    return replace(message.step, name=name, send=send, expect=expect, captures=(), pause=0.0, cut_after=None)


RULES: Final = (
    Rule(
        id="method-new",
        title="A method nobody knows, first and last",
        stands_for="What server/discover was in August 2026: a new question before the handshake.",
        expected="-32601 with HTTP 200, 400 or 404 (or another JSON-RPC error with 400 or 404); then the dialogue",
        source="P-16: the probe with server/discover came unannounced; answers that were no JSON-RPC broke it",
        incidents=("P-16", "P-18", "CT-06"),
        advice="Answer every unknown method with -32601 and the id, without a session, and go on serving.",
        derive=_methods,
    ),
    Rule(
        id="notification-new",
        title="A notification nobody knows",
        stands_for="A host that begins to tell the server something.",
        expected="202 without a body (or HTTP 400 or 404 with a JSON-RPC error); then the dialogue",
        source="P-36: notifications answered with a body made strict hosts give up",
        incidents=("P-36", "CT-10"),
        advice="Answer everything without an id with 202 and no body, whatever its method is.",
        derive=_notifications,
    ),
)
