"""The headers of a request as a session has them. Pure.

Credentials are left out: in a replay those of the run take their place, or the token an earlier step got.
"""

import re
from http.cookies import CookieError, SimpleCookie
from typing import Final

from .addresses import literal
from .exchange import Exchange, Headers
from .plain import is_name
from .redacting import Redactor
from .rules import CREDENTIAL_HEADER, KEPT_HEADERS, TRANSPORT_HEADERS

_REFUSED: Final = (401, 403)
_SPELLED: Final = {"mcp-protocol-version": "MCP-Protocol-Version"}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def written_headers(exchange: Exchange, redactor: Redactor, *, named: str = "") -> dict[str, str]:
    """The headers of a step; `named` is the template of what `Mcp-Name` names."""
    found: dict[str, str] = {}
    for name, value in exchange.headers:
        lower = name.lower()
        if lower in TRANSPORT_HEADERS or not _TOKEN.fullmatch(name) or not is_name(name):
            continue
        written = named if lower == "mcp-name" and named else _value(lower, value, exchange, redactor)
        if written is not None:
            found[_SPELLED.get(lower, name.title() if name == lower else name)] = written
    return found


def carries_credentials(headers: Headers) -> bool:
    """Whether a request proves who it comes from."""
    return any(CREDENTIAL_HEADER.search(name) or name.lower() == "cookie" for name, _ in headers)


def _value(lower: str, value: str, exchange: Exchange, redactor: Redactor) -> str | None:
    special = {"authorization": _authorization, "cookie": _cookie, "mcp-session-id": _session}.get(lower)
    if special is not None:
        return special(value, exchange, redactor)
    if CREDENTIAL_HEADER.search(lower):
        redactor.placeholders.text(lower, value, is_credential=True)
        return None
    if lower in KEPT_HEADERS:
        return redactor.kept(value)
    if lower in {"origin", "referer"}:
        return redactor.url(value)
    return redactor.opaque(lower.removeprefix("x-").removeprefix("openai-"), value)


def _authorization(value: str, exchange: Exchange, redactor: Redactor) -> str | None:
    scheme, _, token = value.partition(" ")
    redactor.placeholders.text("token", token or value, is_credential=True)
    if scheme.lower() != "bearer":
        redactor.missing.append("credentials of the client")
        return None
    if (found := redactor.linked(token)) is not None:
        return f"Bearer {found}"
    if exchange.status in _REFUSED:
        return "Bearer ${expired_token}"
    redactor.needs.add("access")
    return None


def _session(value: str, _: Exchange, redactor: Redactor) -> str | None:
    if (name := redactor.links.use(value)) is not None:
        return f"${{{name}?}}"  # a target that gives no session has none to be named
    redactor.placeholders.text("mcp-session", value, is_credential=True)
    redactor.missing.append("MCP session that began before the recording")
    return None


def _cookie(value: str, exchange: Exchange, redactor: Redactor) -> str | None:
    pairs = {name: morsel.value for name, morsel in _parsed(value).items()}
    if not pairs or not all(is_name(name) for name in pairs):
        pairs = {}
        redactor.placeholders.text("cookie", value, is_credential=True)
    templates = {name: redactor.linked(text) for name, text in pairs.items()}
    for name, text in pairs.items():
        redactor.placeholders.text(name, text, is_credential=True)
    if pairs and all(templates.values()):
        return "; ".join(f"{literal(name)}={template}" for name, template in templates.items())
    if exchange.path != redactor.addresses.path:
        redactor.missing.append("cookie")
    return None


def _parsed(value: str) -> SimpleCookie:
    cookie = SimpleCookie()
    try:
        cookie.load(value)
    except CookieError:
        return SimpleCookie()
    return cookie
