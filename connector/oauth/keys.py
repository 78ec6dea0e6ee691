"""Which key may have signed a token: choosing from a key set, pure; no fetching, no verifying.

Allows public-key signatures only. A key is used for the algorithms of its own type and no other, so that a public key
never serves as an HMAC secret (RFC 8725, sections 2.1 and 3.1).
"""

from collections.abc import Mapping
from typing import Any, Final

import jwt

ALGORITHMS: Final[Mapping[str, tuple[str, str | None]]] = {
    # algorithm → (key type, curve), RFC 7518 sections 3.1 and 6.2, RFC 8037
    **{f"{family}{bits}": ("RSA", None) for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}

TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""`typ` of an access token (RFC 9068); many issuers say `JWT` or nothing. `logout+jwt` and the like are refused."""

_MOST_TRIED: Final = 8
"""Keys that are tried for a token that names none."""


def candidates(key_set: Mapping[str, Any], key_id: str | None, algorithm: str) -> list[dict[str, Any]]:
    """The keys of the set that may have signed a token with this header, at most eight."""
    keys = key_set.get("keys")
    fitting = [key for key in (keys if isinstance(keys, list) else ()) if _fits(key, algorithm)]
    if key_id is not None:
        fitting = [key for key in fitting if key.get("kid") == key_id]
    return fitting[:_MOST_TRIED]


def as_key(key: Mapping[str, Any], algorithm: str) -> jwt.PyJWK | None:
    """The key, ready to verify with; None if it cannot be read."""
    try:
        return jwt.PyJWK(dict(key), algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None


def _fits(key: object, algorithm: str) -> bool:
    if not isinstance(key, dict) or algorithm not in ALGORITHMS:
        return False
    kind, curve = ALGORITHMS[algorithm]
    is_for_signing = key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm
    return is_for_signing and key.get("kty") == kind and (curve is None or key.get("crv") == curve)
