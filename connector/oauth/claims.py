"""What a token's claims come to for this resource: an access token, or the reason why not.

Pure: claims, expectations and `now` in, a value out. The same reading serves JWTs, whose signature was checked before,
and answers to introspection. Signatures are checked elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcp.server.auth.provider import AccessToken

from .bridges import Bridge
from .one_string import is_same_issuer

LEEWAY: Final = 60.0
"""Seconds by which clocks may differ."""


_LATEST: Final = 253_402_300_799
"""The end of the year 9999. What lies beyond is no time (and `Infinity`, which Python's JSON reads, is none either)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefused:
    """Why a token is not accepted. The sentence is sent to whoever holds the token, and carries nothing of it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token must say. `audiences` are compared byte by byte; `needs_audience` False lets one without pass.

    `needs_expiry` is False for introspection, where the server says itself whether the token is alive.
    """

    issuer: str
    audiences: frozenset[str]
    bridge: Bridge
    needs_audience: bool = True
    needs_expiry: bool = True
    leeway: float = LEEWAY


def read_claims(token: str, claims: Mapping[str, Any], expected: Expected, *, now: float) -> AccessToken | TokenRefused:
    """Read the claims of a token that is known to be genuine."""
    trouble = _untimely(claims, expected, now) or _foreign(claims, expected)
    if trouble is not None:
        return TokenRefused(reason=trouble)
    subject, expiry = claims.get("sub"), _time(claims.get("exp"))
    return AccessToken(
        token=token,
        client_id=_first_text(claims, expected.bridge.client_claims) or "",
        scopes=sorted(scopes_of(claims, expected.bridge.scope_claims)),
        expires_at=None if expiry is None else int(expiry),
        resource=next(iter(audiences_of(claims, expected.bridge) & expected.audiences), None),
        subject=subject if isinstance(subject, str) and subject else None,
        claims={**claims, "iss": expected.issuer},
    )


def scopes_of(claims: Mapping[str, Any], names: Iterable[str]) -> frozenset[str]:
    """The scopes in these claims, each a text with spaces between or a list of texts."""
    found: set[str] = set()
    for name in names:
        said = claims.get(name)
        if isinstance(said, str):
            found.update(said.split())
        elif isinstance(said, list):
            found.update(each for each in said if isinstance(each, str))
    return frozenset(found)


def audiences_of(claims: Mapping[str, Any], bridge: Bridge) -> frozenset[str]:
    """What the token is for: `aud`, a text or a list; or the claim that stands for it at this provider."""
    said = claims.get("aud")
    if said is None:
        said = claims.get(bridge.audience_claim)
    return frozenset(each for each in (said if isinstance(said, list) else [said]) if isinstance(each, str))


def _untimely(claims: Mapping[str, Any], expected: Expected, now: float) -> str | None:
    expiry = _time(claims.get("exp"))
    if expiry is None and (expected.needs_expiry or claims.get("exp") is not None):
        return "The access token has no expiry that can be read"
    if expiry is not None and now >= expiry + expected.leeway:
        return "The access token has expired"
    begins = [_time(claims[name]) for name in ("nbf", "iat") if claims.get(name) is not None]
    if any(each is None or each > now + expected.leeway for each in begins):
        return "The access token is not valid yet: the clocks of the two servers differ"
    return None


def _foreign(claims: Mapping[str, Any], expected: Expected) -> str | None:
    issuer = claims.get("iss")
    is_silent = issuer is None and not expected.needs_expiry  # introspection: the issuer itself was asked
    if not is_silent and not is_same_issuer(issuer, expected.issuer, tolerates_slash=expected.bridge.tolerates_slash):
        return "The access token is from another issuer"
    named = audiences_of(claims, expected.bridge)
    if not named and not expected.needs_audience:
        return None
    return None if named & expected.audiences else "The access token is for another resource"


def _time(said: object) -> float | None:
    """Seconds since 1970 up to the year 9999, or None for what is no such time."""
    if not isinstance(said, int | float) or isinstance(said, bool):
        return None
    return float(said) if 0 <= said <= _LATEST else None


def _first_text(claims: Mapping[str, Any], names: Iterable[str]) -> str | None:
    return next((said for name in names if isinstance(said := claims.get(name), str) and said), None)
