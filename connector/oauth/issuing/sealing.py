"""Seals values so that they can be handed out and believed when they come back: client ids, codes, tokens, forms.

A seal says who made a thing, not that it still stands: that is asked of the store. Each purpose has a key of its own,
derived from the server's secret and the public address, so a seal of one purpose or server is worthless for another.
"""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any, Final

_LONGEST: Final = 16_384
"""Characters of the longest sealed thing, a consent form with a long `state`. Longer ones are not looked at."""


class Seal:
    """Makes and checks seals. `secret` must outlive what was sealed; `place` is what the seals are for."""

    def __init__(self, secret: bytes, place: str) -> None:
        self._secret = secret
        self._place = place

    def __repr__(self) -> str:
        return f"Seal(place={self._place!r})"

    def close(self, purpose: str, value: Any) -> str:
        """`value`, which is JSON data, sealed: URL-safe text, the same for the same value. Anyone can read it."""
        body = _text(json.dumps(value, separators=(",", ":"), sort_keys=True).encode())
        return f"ballast_{purpose}_{body}.{_text(self._mac(purpose, body))}"

    def open(self, purpose: str, sealed: str) -> Any | None:
        """The value; None if this server did not seal it for this purpose."""
        head = f"ballast_{purpose}_"
        if len(sealed) > _LONGEST or not sealed.isascii() or not sealed.startswith(head):
            return None
        body, _, mac = sealed.removeprefix(head).partition(".")
        if not hmac.compare_digest(mac.encode(), _text(self._mac(purpose, body)).encode()):
            return None
        return json.loads(_bytes(body))

    def digest(self, purpose: str, text: str) -> str:
        """43 characters that stand for `text` and do not give it away: record keys, derived secrets."""
        return _text(self._mac(f"digest:{purpose}", text))

    def _mac(self, purpose: str, text: str) -> bytes:
        key = hmac.digest(self._secret, f"ballast.oauth.v1\0{self._place}\0{purpose}".encode(), hashlib.sha256)
        return hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decoded(text: str) -> bytes | None:
    """Base64url or base64 text with or without padding, as bytes; None if it is neither."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
