"""The revocation endpoint (RFC 7009): a client gives a token back.

A refresh token ends the whole grant. An access token ends only itself: some hosts give the old one back after a
refresh, and the grant has to go on.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from ..deeds import Deed
from ..noticed import Kind, Where
from .clients.authentication import presented
from .clients.client import Client
from .office import Office
from .reading import form_of
from .redeeming import KNOWN
from .refused import Refused
from .replies import json_reply


@dataclass(frozen=True, slots=True)
class Revoking:
    """The revocation endpoint."""

    office: Office

    async def __call__(self, request: Request) -> Response:
        """POST `/revoke`. A token that is unknown or over is as good as revoked: 200.

        Raises:
            Refused: The client has not shown who it is, or the token is another client's.
        """
        form = await form_of(request)
        said = presented(request.headers.get("authorization"), form)
        client = await self.office.authentication.check(said, admit=self.office.admitting(request))
        for name in form.besides(KNOWN):
            self.office.see(Kind.PARAMETER, Where.REVOCATION, name)
        await self._revoke(client, form["token"] or "")
        return json_reply({})

    async def _revoke(self, client: Client, text: str) -> None:
        tokens, grants = self.office.tokens, self.office.grants
        access, refresh = tokens.read_access(text), tokens.read_refresh(text)
        token = access or refresh
        grant = None if token is None else await grants.look(token.grant_id)
        if token is None or grant is None:
            return
        if grant.client_id != client.client_id:
            raise Refused("invalid_grant", "The token was given to another client")
        self.office.count(Deed.REVOKED)
        if access is not None:
            await grants.give_back(access.grant_id, access.name, expires_at=access.expires_at)
        else:
            await grants.end(token.grant_id)
