"""CT-25: a whole login works whatever form `resource` has, and with parameters nobody knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from ..judging.matchers import Complaint
from ..judging.reply import Reply
from ..login.discovery import Endpoints
from ..login.signing_in import NoGrant, authorization, challenge_of, credentials_of
from ..replay.territory import LeadsElsewhere
from ..replay.values import Client, origin_of, text
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry

_UNKNOWN: Final[Mapping[str, str]] = {
    "prompt": "consent",
    "id_token_hint": "eyJhbGciOiJub25lIn0.e30.",
    "ballast_new_parameter": "1",
}
_TOKEN: Final[dict[str, Any]] = {
    "status": [200],
    "media": ["application/json"],
    "json": [{"at": "access_token", "type": "string"}, {"at": "token_type", "matches": "(?i)^bearer$"}],
}
_INITIALIZE: Final[dict[str, Any]] = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "openai-mcp", "version": "1.0.0"},
}
_ACCEPT = ("Accept", "application/json, text/event-stream")


async def ask(inquiry: Inquiry) -> None:
    """Go the whole way once for every form; what follows from a refusal is left out."""
    endpoints = await inquiry.endpoints()
    try:
        client = await inquiry.login.a_client(endpoints)
        inquiry.keep_secret(client.secret)
        for name, resource in _forms(endpoints.resource).items():
            way = _Way(inquiry, endpoints, client, name, _with(endpoints.asked, resource))
            code, verifier = await way.authorize()
            if code:
                await way.spend(code, verifier)
    except (NoGrant, LeadsElsewhere) as problem:
        raise CannotBeChecked(str(problem)) from problem


def _forms(resource: str) -> dict[str, str]:
    forms = {"as published": resource, "absent": "", "with a slash": f"{resource.rstrip('/')}/"}
    return {**forms, "without a slash": resource.rstrip("/"), "its origin": origin_of(resource)}


def _with(asked: Mapping[str, str], resource: str) -> dict[str, str]:
    others = {name: value for name, value in asked.items() if name != "resource"}
    return {**others, "resource": resource} if resource else others


@dataclass(frozen=True, slots=True)
class _Way:
    """One login with one form of the resource; `asked` goes with every request."""

    inquiry: Inquiry
    endpoints: Endpoints
    client: Client
    name: str
    asked: Mapping[str, str]

    async def authorize(self) -> tuple[str, str]:
        """Ask for a code; return it with the verifier it needs. Empty if it was refused, which is a finding."""
        random = self.inquiry.login.random
        verifier = text(random, 64)
        self.inquiry.keep_secret(verifier)
        query = authorization(self.client, state=text(random, 24), challenge=challenge_of(verifier), **self.asked)
        query |= _UNKNOWN if self.name == "as published" else {}
        back = {"name": "a redirect back", "status": [302, 303, 307], "redirect": [{"at": "error", "present": False}]}
        page = {"name": "a page for a person", "status": [200], "media": ["text/html"]}
        request = self.inquiry.agent.page(self.endpoints.authorization, query)
        more = {"until": self.client.redirect_uri}
        reply = await self.inquiry.ask(f"authorize, resource {self.name}", request, {"any_of": [back, page]}, **more)
        code = reply.redirect().get("code", "")
        if reason := astray_upstream(reply.header("location") or ""):
            step = f"authorize, resource {self.name}, upstream"
            self.inquiry.find(reason, step=step, incidents=("O-06", "CT-25"), advice=_UPSTREAM)
        if not code and not self.inquiry.steps[-1].findings:
            raise CannotBeChecked("a person has to sign in or consent: let an instance for tests approve by itself")
        return code, verifier

    async def spend(self, code: str, verifier: str) -> None:
        """Redeem the code, use the token, and refresh."""
        answer = await self._token(
            "token",
            grant_type="authorization_code",
            code=code,
            redirect_uri=self.client.redirect_uri,
            code_verifier=verifier,
        )
        if token := _member(answer, "access_token"):
            message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": _INITIALIZE}
            bearer = ("Authorization", f"Bearer {token}")
            request = self.inquiry.agent.json(self.inquiry.url, message, _ACCEPT, bearer)
            await self.inquiry.ask(f"use, resource {self.name}", request, {"status": [200]})
        if refresh := _member(answer, "refresh_token"):
            await self._token("refresh", grant_type="refresh_token", refresh_token=refresh)

    @property
    def _resource(self) -> dict[str, str]:
        return {name: value for name, value in self.asked.items() if name == "resource"}

    async def _token(self, step: str, **fields: str) -> Reply:
        whole = {**fields, **self._resource, **credentials_of(self.client)}
        request = self.inquiry.agent.form(self.endpoints.token, whole)
        return await self.inquiry.ask(f"{step}, resource {self.name}", request, _TOKEN)


_UPSTREAM = "Send upstream what the provider knows: no resource, and its own scopes (Entra: api://CLIENT/SCOPE)."
_PROVIDERS = ("login.microsoftonline.com", ".auth0.com")


def astray_upstream(location: str) -> Complaint | None:
    """Whether a redirect takes `resource` on to a provider that refuses it (Entra), or ignores it (Auth0). Pure."""
    parts = urlsplit(location)
    name = parts.hostname or ""
    if not any(name == provider or (provider[0] == "." and name.endswith(provider)) for provider in _PROVIDERS):
        return None
    found = parse_qs(parts.query).get("resource")
    return Complaint(where="Location's resource", expected="to be absent", actual=found[0]) if found else None


def _member(reply: Reply, name: str) -> str:
    found = reply.message.get(name) if isinstance(reply.message, dict) else None
    return found if isinstance(found, str) else ""


CT_25: Final = Contract(
    id="CT-25",
    title="A whole login works with every form of resource, and with unknown parameters",
    about=(
        "Hosts send the published resource, another spelling of it, its origin, or none. Parameters nobody has heard "
        "of come with the next version of a host."
    ),
    incidents=("O-04", "O-05", "O-16", "CT-25"),
    severity="critical",
    advice=(
        "Let resource be absent (it means the only one) and accept the canonical address, with a slash, and its "
        "origin; ignore parameters you do not know. Issue tokens for the canonical one."
    ),
    source="cloudflare/workers-oauth-provider issue 108, anthropics/claude-ai-mcp issues 271 and 478; RFC 6749, 3.1",
    seen=date(2026, 8, 23),
    expires=date(2027, 8, 23),
    residue="one registered client and five grants",
    ask=ask,
)
