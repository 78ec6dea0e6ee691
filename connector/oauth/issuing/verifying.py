"""Says what an access token of this server is worth now. The gate asks, for every request."""

from dataclasses import dataclass

from mcp.server.auth.provider import AccessToken

from .office import Office


@dataclass(frozen=True, slots=True)
class OwnTokens:
    """The SDK's `TokenVerifier` for tokens of our own."""

    office: Office

    async def verify_token(self, token: str) -> AccessToken | None:
        """The token with its subject, client and scopes; None if it is not ours, is over, was given back, or is for
        another resource.

        Raises:
            StoreUnavailable: Nobody can say now.
        """
        access = self.office.tokens.read_access(token)
        if access is None or access.expires_at <= self.office.now():
            return None
        grant = await self.office.grants.look(access.grant_id)
        if grant is None or access.name in grant.revoked or not self.office.offer.is_own(grant.resource):
            return None
        return AccessToken(
            token=token,
            client_id=grant.client_id,
            scopes=list(grant.scopes if access.scopes is None else access.scopes),
            expires_at=access.expires_at,
            resource=self.office.offer.resource,
            subject=grant.subject,
            claims={"iss": self.office.issuer, "sub": grant.subject, "client_id": grant.client_id},
        )
