"""Tokens judged: JWTs by their signature, opaque ones by asking. Both are the SDK's `TokenVerifier` too.

Acts at the edge of `claims` and `keys`, which decide. Logs reasons, never a token.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

import jwt
from mcp.server.auth.provider import AccessToken

from .claims import Expected, TokenRefused, read_claims
from .discovery import Issuer
from .keys import ALGORITHMS, TYPES, as_key, candidates
from .one_string import is_same_issuer

logger = logging.getLogger("ballast.oauth")

_SIGNATURE_ONLY: Final[Any] = {
    f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
} | {"verify_signature": True}
"""The claims are read by `read_claims`, which knows the leeway and the bridge."""

NOT_OURS: Final = TokenRefused(reason="The access token is not one that this server can verify")
FORGED: Final = TokenRefused(reason="The access token's signature is not right")
UNSAFE: Final = TokenRefused(reason="The access token is signed in a way that is not accepted")


@runtime_checkable
class Judge(Protocol):
    """A `TokenVerifier` that also says why not."""

    async def judge(self, token: str) -> AccessToken | TokenRefused:
        """What the token comes to.

        Raises:
            IssuerUnavailable: It cannot be said now.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    algorithm: str
    key_id: str | None
    issuer: str | None


class JwtVerifier:
    """Verifies JWTs of several issuers, each with its own keys.

    Args:
        issuers: Whose tokens are accepted.
        audiences: What `aud` may say, byte by byte.
        clock: Seconds since 1970.
    """

    def __init__(
        self, issuers: Sequence[Issuer], audiences: frozenset[str], *, clock: Callable[[], float] = time.time
    ) -> None:
        self._issuers = tuple(issuers)
        self._audiences = audiences
        self._clock = clock

    async def verify_token(self, token: str) -> AccessToken | None:
        """The SDK's `TokenVerifier`."""
        judged = await self.judge(token)
        return judged if isinstance(judged, AccessToken) else None

    async def judge(self, token: str) -> AccessToken | TokenRefused:
        """What the token comes to.

        Raises:
            IssuerUnavailable: The keys of its issuer cannot be had, and none are known from before.
        """
        header = _read_header(token)
        if isinstance(header, TokenRefused):
            return header
        issuer = self._issuer_of(header)
        if issuer is None:
            return TokenRefused(reason="The access token is from another issuer")
        claims = await self._signed(token, header, issuer)
        if isinstance(claims, TokenRefused):
            return claims
        expected = Expected(issuer=issuer.url, audiences=self._audiences, bridge=issuer.bridge)
        return read_claims(token, claims, expected, now=self._clock())

    def _issuer_of(self, header: _Header) -> Issuer | None:
        """Whose keys to try. What an unverified token says chooses among the configured issuers and no others."""
        return next(
            (
                each
                for each in self._issuers
                if is_same_issuer(header.issuer, each.url, tolerates_slash=each.bridge.tolerates_slash)
            ),
            None,
        )

    async def _signed(self, token: str, header: _Header, issuer: Issuer) -> Mapping[str, Any] | TokenRefused:
        keys = candidates(await issuer.keys(), header.key_id, header.algorithm)
        if not keys:
            keys = candidates(await issuer.keys(newer=True), header.key_id, header.algorithm)
        for key in keys:
            if (claims := _verified(token, key, header.algorithm)) is not None:
                return claims
        return FORGED if keys else TokenRefused(reason="The access token is signed with a key that its issuer lacks")


def _read_header(token: str) -> _Header | TokenRefused:
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        return NOT_OURS
    algorithm, kind, key_id = header.get("alg"), header.get("typ") or "JWT", header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or "crit" in header:
        return UNSAFE
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        return TokenRefused(reason="This is a token, but no access token")
    issuer = claims.get("iss")
    return _Header(
        algorithm=algorithm,
        key_id=key_id if isinstance(key_id, str) else None,
        issuer=issuer if isinstance(issuer, str) else None,
    )


def _verified(token: str, key: Mapping[str, Any], algorithm: str) -> Mapping[str, Any] | None:
    ready = as_key(key, algorithm)
    if ready is None:
        return None
    try:
        claims: Mapping[str, Any] = jwt.decode(token, ready, algorithms=[algorithm], options=_SIGNATURE_ONLY)
    except (jwt.PyJWTError, ValueError):
        return None
    return claims
