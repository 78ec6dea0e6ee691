"""What a request says of its token, read from its headers and query. Pure; knows nothing of what a token means.

A token is taken from one `Authorization` header and from nowhere else (RFC 6750, section 2.3 allows the query; MCP
forbids it: URLs end up in logs). Whatever bytes arrive, the answer is one of four values and never an exception.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

LONGEST: Final = 16 * 1024
"""Bytes of a token that is looked at. Real ones are under 4 KiB; Entra ID's with many groups reach 8."""

_TOKEN68: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""RFC 6750, section 2.1, `b64token`."""


@dataclass(frozen=True, slots=True)
class NoToken:
    """Nothing was sent, or another scheme than Bearer, whose name is in `scheme`."""

    scheme: str | None = None


@dataclass(frozen=True, slots=True)
class SentToken:
    """A well-formed token. It is in no `repr`."""

    token: str

    def __repr__(self) -> str:
        return "SentToken(...)"


@dataclass(frozen=True, slots=True)
class BrokenToken:
    """A Bearer header that carries no token one could look at: empty, too long, or of other characters."""

    reason: str


@dataclass(frozen=True, slots=True)
class WrongPlace:
    """A token in the query, or several Authorization headers: who sent which cannot be told."""

    reason: str


Sent = NoToken | SentToken | BrokenToken | WrongPlace


def read_bearer(headers: Iterable[tuple[bytes, bytes]], query: bytes) -> Sent:
    """Read ASGI headers and the query string."""
    said = [value.decode("latin-1").strip(" \t") for name, value in headers if name.lower() == b"authorization"]
    if _has_token(query):
        return WrongPlace("A token in the URL is not accepted, because URLs are logged: send it as a header")
    if len(said) > 1:
        return WrongPlace("There is more than one Authorization header: send one")
    if not said or not said[0]:
        return NoToken()
    scheme, _, token = said[0].partition(" ")
    if scheme.lower() != "bearer":
        return NoToken(scheme)
    return _read_token(token.strip(" \t"))


def _read_token(token: str) -> Sent:
    if not token:
        return BrokenToken("The Authorization header says Bearer and carries no token")
    if len(token) > LONGEST:
        return BrokenToken(f"The token is longer than {LONGEST} bytes")
    if not _TOKEN68.fullmatch(token):
        return BrokenToken("The token has characters that no token has")
    return SentToken(token)


def _has_token(query: bytes) -> bool:
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return b"access_token" in query
    return any(name == "access_token" for name, _ in pairs)
