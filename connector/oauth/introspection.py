"""Opaque tokens: the authorization server is asked what they are (RFC 7662), and its answer is kept for a moment.

Keeps no token, only its digest. What is revoked is out at the latest when the answer's time is over.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mcp.server.auth.provider import AccessToken

from ..errors import DeclarationError
from .claims import Expected, TokenRefused, read_claims
from .discovery import Issuer
from .fetching import Outside
from .remembered import IssuerUnavailable

_MOST_KEPT: Final = 4096

DEAD: Final = TokenRefused(reason="The access token is expired, revoked or unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """How the authorization server is asked.

    `client_id` and `client_secret` are this server's own. `endpoint` is by default what the metadata says.
    `in_form` sends the credentials in the form instead of as Basic. `keep` is for how many seconds an answer is used
    again: ChatGPT verified one token 84 times for 12 calls (incident P-03). `audience_optional` accepts answers without
    `aud`; only for a server that gives out tokens for this resource alone.
    """

    client_id: str
    client_secret: str = field(repr=False)
    endpoint: str | None = None
    in_form: bool = False
    keep: float = 30.0
    audience_optional: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.keep <= 300):  # noqa: PLR2004 five minutes
            raise DeclarationError(
                f"keep={self.keep!r} must be 0 to 300 seconds: so long a revoked token is still used"
            )


class IntrospectionVerifier:
    """Asks one issuer about tokens."""

    def __init__(
        self,
        issuer: Issuer,
        how: Introspection,
        outside: Outside,
        audiences: frozenset[str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._how = how
        self._outside = outside
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[float, AccessToken]] = OrderedDict()
        self._expected = Expected(
            issuer=issuer.url,
            audiences=audiences,
            bridge=issuer.bridge,
            needs_audience=not how.audience_optional,
            needs_expiry=False,
        )

    async def verify_token(self, token: str) -> AccessToken | None:
        """The SDK's `TokenVerifier`."""
        judged = await self.judge(token)
        return judged if isinstance(judged, AccessToken) else None

    async def judge(self, token: str) -> AccessToken | TokenRefused:
        """What the token comes to.

        Raises:
            IssuerUnavailable: The server cannot be asked, and there is no answer that is young enough.
        """
        digest, now = hashlib.sha256(token.encode()).digest(), self._clock()
        until, known = self._kept.get(digest, (0.0, None))
        if known is not None and now < until:
            return known
        self._kept.pop(digest, None)
        answer = await self._ask(token)
        if answer.get("active") is not True:
            return DEAD
        judged = read_claims(token, answer, self._expected, now=now)
        if isinstance(judged, AccessToken):
            self._keep(digest, judged, now)
        return judged

    async def _ask(self, token: str) -> dict[str, object]:
        how = self._how
        form = {"token": token, "token_type_hint": "access_token"}
        own = {"client_id": how.client_id, "client_secret": how.client_secret}
        credentials = None if how.in_form else (how.client_id, how.client_secret)
        return await self._outside.post(
            await self._endpoint(), form | (own if how.in_form else {}), credentials=credentials
        )

    async def _endpoint(self) -> str:
        said = self._how.endpoint or (await self._issuer.metadata()).get("introspection_endpoint")
        if not isinstance(said, str):
            raise IssuerUnavailable(
                f"The metadata of {self._issuer.url} names no introspection_endpoint: give Introspection(endpoint=...)."
            )
        return said

    def _keep(self, digest: bytes, judged: AccessToken, now: float) -> None:
        until = now + self._how.keep
        self._kept[digest] = (until if judged.expires_at is None else min(until, judged.expires_at), judged)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
