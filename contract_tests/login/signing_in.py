"""`sign_in`: a grant from the target's authorization server without a person, by whichever way is open.

In this order: tokens that were given, a client registered beforehand, registration, a client document. What goes wrong
on the way is a reason not to check what needs a grant; the sessions about the way itself find the fault.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from random import Random
from typing import Any

from ..judging.reply import Reply, read_reply
from ..replay.territory import LeadsElsewhere
from ..replay.values import Client, text
from .agent import Agent
from .discovery import Endpoints, NotFound, discover
from .publishing import OWN, Published

REDIRECT = "https://chatgpt.com/connector_platform_oauth_redirect"
_CALLBACK = "https://chatgpt.com/connector/oauth/{}"

WHAT_TO_DO = (
    "let an instance for tests approve by itself, or give tokens: access_token = "
    '"${MY_TOKEN}" and refresh_token under [oauth] in ballast.toml, or client_id and client_secret of a client of yours'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tokens the user has already."""

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant: for which client, with which tokens, and from where."""

    client: Client
    endpoints: Endpoints
    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    scope: str = ""
    expires_in: float | None = None

    def values(self) -> dict[str, Any]:
        """The variables of a session that needs a login; those without a value are missing."""
        ends = self.endpoints
        found = {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "client_id": self.client.id,
            "client_secret": self.client.secret,
            "redirect_uri": self.client.redirect_uri,
            "scope": self.scope,
            "expires_in": self.expires_in,
            "resource": ends.resource,
            "issuer": ends.issuer,
            "authorization_endpoint": ends.authorization,
            "token_endpoint": ends.token,
        }
        return {f"login.{name}": value for name, value in found.items() if value}


class NoGrant(Exception):
    """There is no grant without a person; the text says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Signs in as often as it is asked to; every grant is a new one, but for given tokens."""

    agent: Agent
    url: str
    random: Random
    client: Client | None = None
    tokens: Tokens | None = None
    documents: Published | None = None

    async def endpoints(self) -> Endpoints:
        """Where tokens come from.

        Raises:
            NoGrant: nothing is published.
        """
        try:
            return await discover(self.agent, self.url)
        except NotFound as problem:
            raise NoGrant(str(problem)) from problem

    async def sign_in(self) -> Grant:
        """Get a grant.

        Raises:
            NoGrant: no way is open.
        """
        try:
            endpoints = await self.endpoints()
        except NoGrant:
            if self.tokens is None:
                raise
            endpoints = Endpoints(resource=self.url, issuer="")
        if self.tokens is not None:
            client = self.client or Client(id="")
            access, refresh = self.tokens.access, self.tokens.refresh
            return Grant(client=client, endpoints=endpoints, access_token=access, refresh_token=refresh)
        try:
            return await self.grant(await self.a_client(endpoints), endpoints)
        except LeadsElsewhere as outside:
            raise NoGrant(str(outside)) from outside

    async def a_client(self, endpoints: Endpoints) -> Client:
        """A client the authorization server may know.

        Raises:
            NoGrant: none is registered beforehand, none can be registered, and client documents are not read.
        """
        if self.client is not None:
            return self.client
        refusal = "it offers no registration and reads no client documents"
        if endpoints.registration:
            try:
                return await self.register(endpoints)
            except NoGrant as problem:
                refusal = str(problem)
        if endpoints.reads_documents and self.documents is not None:
            return Client(id=self.documents.url(OWN), redirect_uri=REDIRECT)
        raise NoGrant(f"no client of the authorization server: {refusal}; {WHAT_TO_DO}")

    async def register(self, endpoints: Endpoints) -> Client:
        """Register as ChatGPT does.

        Raises:
            NoGrant: the answer was none of a registration.
        """
        redirect = _CALLBACK.format(text(self.random, 12))
        body = {
            "client_name": "ChatGPT",
            "redirect_uris": [redirect],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            **({"scope": " ".join(endpoints.scopes)} if endpoints.scopes else {}),
        }
        answer = await self.agent.ask(self.agent.json(endpoints.registration, body))
        if not isinstance(answer.message, dict) or not answer.message.get("client_id"):
            raise NoGrant(f"registration answered {said(answer)}")
        secret = str(answer.message.get("client_secret") or "")
        return Client(id=str(answer.message["client_id"]), secret=secret, redirect_uri=redirect)

    async def grant(self, client: Client, endpoints: Endpoints, **changes: str | None) -> Grant:
        """Authorize and redeem the code. `changes` replace parameters (`resource`, `scope`) of both; None removes one.

        Raises:
            NoGrant: a person is asked, or something was refused.
        """
        verifier = text(self.random, 64)
        asked = _without_none({"resource": endpoints.resource, "scope": " ".join(endpoints.scopes) or None, **changes})
        code = await self._code(client, endpoints, verifier, asked)
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": verifier,
            **({"resource": asked["resource"]} if "resource" in asked else {}),
        }
        answer = await self.agent.ask(self.agent.form(endpoints.token, {**fields, **credentials_of(client)}))
        return self._granted(answer, client, endpoints, asked.get("scope", ""))

    async def refresh(self, grant: Grant) -> Grant:
        """Refresh a grant.

        Raises:
            NoGrant: it was refused.
        """
        fields = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
        answer = await self.agent.ask(
            self.agent.form(grant.endpoints.token, {**fields, **credentials_of(grant.client)})
        )
        fresh = self._granted(answer, grant.client, grant.endpoints, grant.scope)
        return replace(fresh, refresh_token=fresh.refresh_token or grant.refresh_token)

    async def _code(self, client: Client, endpoints: Endpoints, verifier: str, asked: Mapping[str, str]) -> str:
        query = authorization(client, state=text(self.random, 24), challenge=challenge_of(verifier), **asked)
        request = self.agent.page(endpoints.authorization, query)
        exchanges = await self.agent.browse(request, until=client.redirect_uri)
        reply = read_reply(exchanges[-1][1])
        found = reply.redirect()
        if found.get("code"):
            return found["code"]
        if "error" in found:
            raise NoGrant(f"authorization was refused with {found['error']}: {found.get('error_description', '')}")
        if reply.status == HTTPStatus.OK or reply.header("location"):
            raise NoGrant(f"a person has to sign in or consent at the authorization server; {WHAT_TO_DO}")
        raise NoGrant(f"the authorization endpoint answered {said(reply)}")

    def _granted(self, answer: Reply, client: Client, endpoints: Endpoints, scope: str) -> Grant:
        found = answer.message if isinstance(answer.message, dict) else {}
        if answer.status != HTTPStatus.OK or not found.get("access_token"):
            raise NoGrant(f"the token endpoint answered {said(answer)}")
        lifetime = found.get("expires_in")
        return Grant(
            client=client,
            endpoints=endpoints,
            access_token=str(found["access_token"]),
            refresh_token=str(found.get("refresh_token") or ""),
            scope=scope,
            expires_in=float(lifetime) if isinstance(lifetime, int | float) else None,
        )


def authorization(client: Client, *, state: str, challenge: str, **asked: str) -> dict[str, str]:
    """The parameters of an authorization request."""
    return {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": client.redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **asked,
    }


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def credentials_of(client: Client) -> dict[str, str]:
    """The fields by which a client says who it is at the token endpoint."""
    return {"client_id": client.id, **({"client_secret": client.secret} if client.secret else {})}


def said(reply: Reply) -> str:
    """A reply in a few words: its status, and the error it names."""
    error = reply.message.get("error") if isinstance(reply.message, dict) else None
    return f"{reply.status or reply.trouble or reply.ending.value}" + (f" ({error})" if isinstance(error, str) else "")


def _without_none(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}
