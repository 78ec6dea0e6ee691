"""Which origin is whose: the one clients use for the recorder, and the target's own. Pure.

In front of a server of this machine the client's `Host` is passed on, and nothing is rewritten: the server names
itself as it would without a recorder. A server elsewhere answers to its own name only; there, what leads back to it
(redirects, challenges, discovery documents) leads to the recorder instead, or a login would pass it by.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

_LEADING: Final = frozenset({b"location", b"www-authenticate", b"link", b"content-location"})
_FORM = b"application/x-www-form-urlencoded"
_LONGEST_DOCUMENT = 1024 * 1024  # bytes of a discovery document that are held to be rewritten

Pairs = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """The target's origin, and whether it is of this machine."""

    target: str
    keeps_host: bool

    @classmethod
    def of(cls, url: str) -> "Origins":
        """The origins of a target at an address."""
        parts = urlsplit(url)
        return cls(
            target=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", keeps_host=_is_near(parts.hostname or "")
        )

    def seen_by(self, scope: Mapping[str, Any]) -> str:
        """The origin a client uses for the recorder."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        scheme = headers.get(b"x-forwarded-proto", scope.get("scheme", "http")).split(",")[0].strip()
        return f"{scheme}://{headers.get(b'host', '')}"

    def to_target(self, text: bytes, seen: str) -> bytes:
        """A query or a form with the recorder's origin replaced by the target's."""
        return text if self.keeps_host else _replaced(text, seen, self.target)

    def to_client(self, text: bytes, seen: str) -> bytes:
        """A document with the target's origin replaced by the recorder's."""
        return text if self.keeps_host else _replaced(text, self.target, seen)

    def headers_to_client(self, headers: Pairs, seen: str) -> Pairs:
        """The headers of a reply, with what leads to the target leading to the recorder."""
        return [(name, self.to_client(value, seen) if name.lower() in _LEADING else value) for name, value in headers]

    def is_form(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request's body is to be rewritten."""
        return not self.keeps_host and any(
            name.lower() == b"content-type" and value.lower().startswith(_FORM) for name, value in headers
        )

    def is_document(self, scope: Mapping[str, Any], headers: Pairs) -> bool:
        """Whether a reply is a discovery document that is to be rewritten."""
        said = {name.lower(): value for name, value in headers}
        length = said.get(b"content-length", b"0")
        is_short = length.isdigit() and int(length) <= _LONGEST_DOCUMENT
        is_json = b"json" in said.get(b"content-type", b"") and b"content-encoding" not in said
        return not self.keeps_host and "/.well-known/" in scope["path"] and is_json and is_short


def _is_near(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or "." not in host
    return address.is_loopback or address.is_private or address.is_link_local


def _replaced(text: bytes, one: str, other: str) -> bytes:
    if one.endswith("://"):  # no Host was sent
        return text
    for write in (str, quote_plus):
        text = text.replace(write(one).encode(), write(other).encode())
    return text
