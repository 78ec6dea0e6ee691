"""The token endpoint: a code or a refresh token becomes an access token and the next refresh token.

Every answer lists the scopes that were granted and is kept by nobody. What a code or a token is worth is decided by the
grant it belongs to; a code that comes a second time ends that grant (RFC 6749 section 4.1.2).
"""

import base64
import hashlib
import hmac
import math
import re
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from ..deeds import Deed
from ..noticed import Kind, Where
from .clients.authentication import presented
from .clients.client import Client
from .grants.codes import Consent
from .grants.grant import Grant
from .grants.tokens import Access, Refresh
from .office import Office
from .reading import Parameters, form_of
from .refused import Refused
from .replies import json_reply

KNOWN: Final = frozenset(
    {
        "client_assertion", "client_assertion_type", "client_id", "client_secret", "code", "code_verifier",
        "grant_type", "redirect_uri", "refresh_token", "resource", "scope", "token", "token_type_hint",
    }
)  # fmt: skip

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class Redeeming:
    """The token endpoint."""

    office: Office

    async def __call__(self, request: Request) -> Response:
        """POST `/token`. Only the body counts: what stands in a URL is written into logs.

        Raises:
            Refused: As RFC 6749 section 5.2 says.
        """
        try:
            return await self._answered(request)
        except Refused:
            self.office.count(Deed.REFUSED)
            raise

    async def _answered(self, request: Request) -> Response:
        form = await form_of(request)
        kind = form["grant_type"]
        if kind is None:
            raise Refused(
                "invalid_request", "grant_type is missing: send authorization_code or refresh_token in a form"
            )
        grants = {"authorization_code": self._redeem, "refresh_token": self._refresh}
        if kind not in grants:
            self.office.see(Kind.GRANT, Where.TOKEN, kind)
            raise Refused("unsupported_grant_type", "grant_type has to be authorization_code or refresh_token")
        said = presented(request.headers.get("authorization"), form)
        client = await self.office.authentication.check(said, admit=self.office.admitting(request))
        for name in form.besides(KNOWN):
            self.office.see(Kind.PARAMETER, Where.TOKEN, name)
        return json_reply(await grants[kind](client, form))

    async def _redeem(self, client: Client, form: Parameters) -> dict[str, Any]:
        code = form["code"]
        if code is None or not self.office.tokens.is_code(code):
            raise Refused("invalid_grant", "The code is missing, or none of ours")
        consent = await self._consent(client, code)
        _check_redirect(consent, form["redirect_uri"])
        _check_verifier(consent, form["code_verifier"])
        self.office.offer.require(form.all("resource"))
        now = self.office.now()
        if consent.expires_at < now:
            raise Refused("invalid_grant", "The code has expired; ask the person again")
        grant = Grant(
            client_id=client.client_id,
            subject=consent.subject,
            scopes=consent.scopes,
            resource=consent.resource,
            granted_at=now,
        )
        grant_id = self.office.tokens.grant_of(code)
        if not await self.office.grants.begin(grant_id, grant):
            raise Refused("invalid_grant", "The code was used before; ask the person again")
        self.office.count(Deed.ISSUED)
        return self._answer(grant_id, grant, grant.scopes, since=now)

    async def _consent(self, client: Client, code: str) -> Consent:
        """What the code stands for. Nobody else gets it any more; another client's attempt leaves it alone."""
        waiting = await self.office.codes.look(code)
        if waiting is not None and waiting.client_id != client.client_id:
            raise Refused("invalid_grant", "The code was given to another client")
        taken = None if waiting is None else await self.office.codes.take(code)
        if taken is None:
            self.office.count(Deed.REUSED)
            await self.office.grants.end(self.office.tokens.grant_of(code))
            raise Refused("invalid_grant", "The code has expired or was used before; ask the person again")
        return taken

    async def _refresh(self, client: Client, form: Parameters) -> dict[str, Any]:
        token = self.office.tokens.read_refresh(form["refresh_token"] or "")
        grant = None if token is None else await self.office.grants.look(token.grant_id)
        if token is None or grant is None or grant.client_id != client.client_id:
            raise Refused("invalid_grant", "The refresh token is missing, none of ours, or its grant has ended")
        self.office.offer.require(form.all("resource"))
        if not self.office.offer.is_own(grant.resource):
            raise Refused("invalid_grant", "The grant is for another resource; ask the person again")
        turned = await self.office.grants.turn(token.grant_id, token.generation)
        if turned is None:
            self.office.count(Deed.REUSED)
            raise Refused(
                "invalid_grant", "The refresh token was used before; the grant has ended, ask the person again"
            )
        grant, since = turned
        asked = set((form["scope"] or "").split())
        scopes = tuple(scope for scope in grant.scopes if scope in asked) or grant.scopes
        self.office.count(Deed.REFRESHED)
        return self._answer(token.grant_id, grant, scopes, since=since)

    def _answer(self, grant_id: str, grant: Grant, scopes: tuple[str, ...], *, since: float) -> dict[str, Any]:
        """The same for the same refresh, as long as half of the access token's time is left."""
        tokens, seconds, now = self.office.tokens, self.office.lifetimes.access, self.office.now()
        begins = since if now - since <= seconds / 2 else now
        expires_at = math.ceil(begins + seconds)
        access = Access(
            grant_id=grant_id,
            generation=grant.generation,
            expires_at=expires_at,
            scopes=None if scopes == grant.scopes else scopes,
        )
        return {
            "access_token": tokens.access(access),
            "token_type": "Bearer",
            "expires_in": max(1, int(expires_at - now)),
            "refresh_token": tokens.refresh(Refresh(grant_id=grant_id, generation=grant.generation)),
            "scope": " ".join(scopes),
        }


def _check_redirect(consent: Consent, said: str | None) -> None:
    """OAuth 2.1 no longer asks for it, since PKCE does its work; what is said has to be right."""
    if said is not None and said != consent.redirect_uri:
        raise Refused("invalid_grant", "redirect_uri is another one than the code was sent to")


def _check_verifier(consent: Consent, verifier: str | None) -> None:
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        raise Refused("invalid_grant", "code_verifier is missing, or not 43 to 128 unreserved characters")
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    if not hmac.compare_digest(digest, consent.challenge.encode()):
        raise Refused("invalid_grant", "code_verifier does not fit the code_challenge")
