"""Which wish a call belongs to: the ladder from a key somebody named down to none. Pure.

| rung | what makes two calls one wish |
|---|---|
| named | one key, user and tool: `_meta["ballast/idempotencyKey"]`, `params.idempotencyKey`, or a declared argument |
| implied | one user, conversation, tool and arguments, and the first answer did not arrive (`stores.port.Claim`) |
| none | nobody is named and no conversation: two people could not be told apart, so nothing is merged |

JSON-RPC ids, progress tokens and access tokens play no part: a retry has new ones (MCP 2026-07-28, transports).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ..principal import Principal

META_KEY: Final = "ballast/idempotencyKey"
PARAM_KEY: Final = "idempotencyKey"
CONVERSATION: Final = "openai/session"
SAID_SUBJECT: Final = "openai/subject"

LONGEST: Final = 255
"""Characters of a key, as Stripe limits its own; a UUID has 36."""

Digest = Callable[..., str]
"""Makes one opaque, keyed digest of several texts."""


class BadKey(ValueError):
    """A key was sent that cannot be one. The message says what to send instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One tool call as it arrived. `arguments` are as the tool will see them, in JSON. `answers` is what the client
    sent in a further round of the same call (`inputResponses`, `requestState`). `audience` is the connector.
    """

    tool: str
    arguments: Mapping[str, Any]
    meta: Mapping[str, Any]
    audience: str = ""
    param_key: Any = None
    argument_key: Any = None
    answers: Any = None
    principal: Principal | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a call is a claim on. `key` and `fingerprint` are digests. `is_named`: somebody gave the wish its name."""

    key: str
    fingerprint: str
    is_named: bool


def wish_of(request: Request, digest: Digest) -> Wish | None:
    """The wish a call belongs to; None if it cannot be told from somebody else's.

    Raises:
        BadKey: The key is no text, empty or too long.
    """
    name = _named(request)
    who, where = _who(request), conversation_of(request)
    said = canonical([request.arguments, request.answers])
    if name is not None:
        partition = () if request.principal is not None else (request.meta.get(SAID_SUBJECT), where)
        key = digest("named", request.audience, *who, *map(_text, partition), request.tool, name)
        return Wish(key=key, fingerprint=digest("arguments", said), is_named=True)
    subject = request.principal.subject if request.principal is not None else request.meta.get(SAID_SUBJECT)
    if not isinstance(subject, str) and where is None:
        return None
    key = digest("implied", request.audience, *who, _text(subject), _text(where), request.tool, said)
    return Wish(key=key, fingerprint=digest("arguments", said), is_named=False)


def conversation_of(request: Request) -> str | None:
    """The conversation the host names, else the MCP session."""
    value = request.meta.get(CONVERSATION)
    return value if isinstance(value, str) and value else request.session


def lone_wish(digest: Digest, seed: str) -> Wish:
    """The wish of a call that nobody can repeat, because nobody says who asks."""
    return Wish(key=digest("alone", seed), fingerprint=digest("alone"), is_named=False)


def nameless(request: Request) -> Request:
    """The request of a call that reads: no key makes two of them one for longer than the first is in flight."""
    meta = {name: value for name, value in request.meta.items() if name != META_KEY}
    return replace(request, meta=meta, param_key=None, argument_key=None)


def unrelated(request: Request) -> Request:
    """The request of a call that is no other's wish, whoever makes it how often."""
    return replace(nameless(request), principal=None, session=None, meta={})


def said_by(request: Request) -> tuple[str, ...]:
    """Who asks, and in which conversation, as texts to be digested."""
    who, said = request.principal, request.meta.get(CONVERSATION)
    conversation = _text(said or None)
    if who is None:
        return (request.audience, "", "", "", _text(request.meta.get(SAID_SUBJECT)), conversation)
    client = who.client if who.subject is None else None
    return (request.audience, _text(who.issuer), _text(who.subject), _text(client), "", conversation)


def canonical(value: Any) -> str:
    """One text for equal JSON values: members sorted, no white space (after RFC 8785)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _named(request: Request) -> str | None:
    rungs = (
        (f'_meta["{META_KEY}"]', request.meta.get(META_KEY)),
        (f"params.{PARAM_KEY}", request.param_key),
        ("the argument that names the call", request.argument_key),
    )
    for where, value in rungs:
        if value is not None:
            return _checked(where, value)
    return None


def _checked(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadKey(f"{where} must be a text, not {type(value).__name__}. Send one, e.g. a new UUID.")
    if not value.strip():
        raise BadKey(f"{where} is empty. Send a text that is new for every wish, e.g. a UUID, or leave it out.")
    if len(value) > LONGEST:
        raise BadKey(f"{where} has {len(value)} characters, and at most {LONGEST} are read. Send e.g. a UUID.")
    return value


def _who(request: Request) -> tuple[str, str, str]:
    who = request.principal or Principal()
    return _text(who.issuer), _text(who.subject), _text(who.client)


def _text(value: Any) -> str:
    """None and the empty text must not be confused, nor a text with what is none."""
    return f"={value}" if isinstance(value, str) else ""
