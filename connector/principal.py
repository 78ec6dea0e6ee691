"""On whose behalf a request comes, as the token of this very request says. Never what a host merely says of a user."""

from dataclasses import dataclass
from typing import Any

from mcp.server.auth.provider import AccessToken
from starlette.types import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks: the token's issuer and subject, and the client it was given to. None for what the token does not say.

    Without a subject the token may be a credential that many people share.
    """

    issuer: str | None = None
    subject: str | None = None
    client: str | None = None


def principal_of(scope: Scope) -> Principal | None:
    """The principal of a request that was authenticated; None for one that was not."""
    token: Any = getattr(scope.get("user"), "access_token", None)
    if not isinstance(token, AccessToken):
        return None
    issuer = (token.claims or {}).get("iss")
    return Principal(issuer=issuer if isinstance(issuer, str) else None, subject=token.subject, client=token.client_id)
