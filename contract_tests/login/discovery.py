"""Finding out where tokens come from, as ChatGPT does: challenge, resource metadata, the issuer's metadata.

Every documented place is tried in the documented order and whatever can be used is used: what is wrong with the
answers is for sessions and checks to say.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from ..judging.reply import Reply
from ..replay.territory import LeadsElsewhere
from ..replay.values import origin_of
from .agent import Agent

_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "openai-mcp", "version": "1.0.0"},
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """What was published. Empty where nothing was; `authentication` are the methods at the token endpoint."""

    resource: str
    issuer: str
    scopes: tuple[str, ...] = ()
    authorization: str = ""
    token: str = ""
    registration: str = ""
    reads_documents: bool = False
    sends_iss: bool = False
    authentication: tuple[str, ...] = ()

    @property
    def asked(self) -> dict[str, str]:
        """What ChatGPT asks for: the published resource, and the published scopes if there are any."""
        scope = {"scope": " ".join(self.scopes)} if self.scopes else {}
        return {"resource": self.resource, **scope}


class NotFound(Exception):
    """There is no way to a token; the text says where it ended."""


async def discover(agent: Agent, url: str) -> Endpoints:
    """Find the endpoints of the authorization server that a target names.

    Raises:
        NotFound: none can be used.
    """
    resource = await _resource(agent, url)
    issuers = [name for name in _list(resource, "authorization_servers") if "://" in name]
    elsewhere: list[str] = []
    for issuer in issuers:
        for place in _metadata_places(issuer):
            try:
                document = _object(await agent.get(place))
            except LeadsElsewhere as outside:
                elsewhere.append(str(outside))
                break
            if "token_endpoint" in document:
                return _endpoints(document, resource, issuer, url)
    if elsewhere:
        raise NotFound(f"the authorization server cannot be asked: {elsewhere[0]}")
    named = ", ".join(issuers) or "no authorization server"
    raise NotFound(f"no metadata of an authorization server was found; the resource metadata names {named}")


async def _resource(agent: Agent, url: str) -> Mapping[str, Any]:
    accept = ("Accept", "application/json, text/event-stream")
    challenge = await agent.ask(agent.json(url, _INITIALIZE, accept))
    for place in _resource_places(challenge, url):
        try:
            document = _object(await agent.get(place))
        except LeadsElsewhere:
            continue
        if "authorization_servers" in document:
            return document
    raise NotFound("no resource metadata with authorization_servers was found, neither by challenge nor well-known")


def _resource_places(challenge: Reply, url: str) -> Iterator[str]:
    named = re.search(r'resource_metadata="([^"]+)"', challenge.header("www-authenticate") or "")
    if named:
        yield named[1]
    path = urlsplit(url).path.rstrip("/")
    yield f"{origin_of(url)}/.well-known/oauth-protected-resource{path}"
    if path:
        yield f"{origin_of(url)}/.well-known/oauth-protected-resource"


def _metadata_places(issuer: str) -> Iterator[str]:
    origin, path = origin_of(issuer), urlsplit(issuer).path.rstrip("/")
    yield f"{origin}/.well-known/oauth-authorization-server{path}"
    yield f"{origin}/.well-known/openid-configuration{path}"
    if path:
        yield f"{origin}{path}/.well-known/openid-configuration"


def _endpoints(document: Mapping[str, Any], resource: Mapping[str, Any], issuer: str, url: str) -> Endpoints:
    return Endpoints(
        resource=str(resource.get("resource") or url),
        issuer=str(document.get("issuer") or issuer),
        scopes=_list(resource, "scopes_supported") or _list(document, "scopes_supported"),
        authorization=str(document.get("authorization_endpoint") or ""),
        token=str(document["token_endpoint"]),
        registration=str(document.get("registration_endpoint") or ""),
        reads_documents=document.get("client_id_metadata_document_supported") is True,
        sends_iss=document.get("authorization_response_iss_parameter_supported") is True,
        authentication=_list(document, "token_endpoint_auth_methods_supported"),
    )


def _object(reply: Reply) -> Mapping[str, Any]:
    return reply.message if reply.status == HTTPStatus.OK and isinstance(reply.message, dict) else {}


def _list(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = document.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
