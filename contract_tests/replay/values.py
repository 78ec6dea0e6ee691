"""The values of a session's variables: what is constant, what is new in every step. Pure under a seed.

Shapes follow what has been seen on the wire; the values themselves mean nothing to anybody.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

from ..notation.session import Session
from ..offer.catalogue import CallableTool, Catalogue

_URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ALPHANUMERIC = _URL_SAFE[:-2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An OAuth client the user registered beforehand."""

    id: str
    secret: str = field(default="", repr=False)
    redirect_uri: str = "https://chatgpt.com/connector_platform_oauth_redirect"


def of_session(
    session: Session, catalogue: Catalogue, *, url: str, client: Client | None, random: Random
) -> dict[str, Any]:
    """Return the values that stay the same during one session."""
    verifier = text(random, 64)
    return {
        **_of_target(url, catalogue),
        **_of_needs(session, catalogue, client),
        "session": f"v1/{text(random, 32)}",
        "subject": f"v1/{text(random, 32)}",
        "organization": f"v1/{text(random, 32)}",
        "conversation": _uuid(random),
        "callback_id": text(random, 12, _ALPHANUMERIC),
        "pkce.verifier": verifier,
        "pkce.challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "expired_token": text(random, 43),
    }


def of_step(request_id: int, random: Random) -> dict[str, Any]:
    """Return the values that are new in every step."""
    call = f"call_{text(random, 24, _ALPHANUMERIC)}"
    return {"id": request_id, "call": call, "state": f"oauth_s_{text(random, 32)}"}


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _of_target(url: str, catalogue: Catalogue) -> dict[str, Any]:
    # RFC 9728 wants the published identifier to be the address people use; on loopback that is another one by nature.
    # It may carry a query string (seen in the wild).
    exact = "^" + "".join(f"\\{c}" if c in ".?+*()[]{}^$|\\" else c for c in url.rstrip("/")) + r"/?(\?.*)?$"
    values: dict[str, Any] = {
        "target.url": url,
        "target.origin": origin_of(url),
        "target.path": urlsplit(url).path or "/",
        "target.resource_pattern": "^https?://[^/]+" if is_loopback(url) else exact,
    }
    flags = {
        "target.protected": catalogue.is_protected,
        "target.modern": catalogue.is_modern,
        "target.legacy": catalogue.is_legacy,
        "target.access": not catalogue.is_locked,
        "ui.uri": catalogue.ui_resource(),
    }
    return values | {name: value for name, value in flags.items() if value}


def _of_needs(session: Session, catalogue: Catalogue, client: Client | None) -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    for name, find in (
        ("tool", catalogue.tool),
        ("slow_tool", catalogue.slow_tool),
        ("protected_tool", catalogue.protected_tool),
    ):
        chosen = find() if name in session.needs else ""
        if isinstance(chosen, CallableTool):
            values |= {f"{name}.name": chosen.name, f"{name}.arguments": chosen.arguments}
            values[f"{name}.output_schema"] = chosen.output_schema
    if "predefined_client" in session.needs and client:
        values |= {"client.id": client.id, "client.redirect_uri": client.redirect_uri}
        values |= {"client.secret": client.secret} if client.secret else {}
    return values


def text(random: Random, length: int, alphabet: str = _URL_SAFE) -> str:
    """Characters at random."""
    return "".join(random.choices(alphabet, k=length))


def _uuid(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-7{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
