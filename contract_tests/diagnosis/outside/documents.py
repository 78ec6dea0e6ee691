"""Fetches the documents that lead a host to a sign-in, in the order in which hosts do. Judges nothing.

No credential is sent. Where the documents name other hosts they are asked too, but a target on this machine leads to
no other machine, and another one leads nowhere but to https addresses that are no loopback ones.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from ...judging.reply import read_reply
from ...outcome import Received
from ...replay.values import is_loopback, origin_of
from ...replay.wire import Request, Wire

_LIMIT: Final = 10.0  # seconds: what Claude gives a sign-in
_HEADERS: Final = (("User-Agent", "openai-mcp/1.0.0"), ("Accept", "application/json"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One document: where it was looked for, and what came; `received` is None if it lies where nothing is asked."""

    url: str
    received: Received | None = None

    @property
    def content(self) -> Mapping[str, Any] | None:
        """The JSON object it is; None if it is none, or was not given with status 200."""
        if self.received is None or self.received.status != HTTPStatus.OK:
            return None
        message = read_reply(self.received).message
        return message if isinstance(message, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """What was published: resource metadata, the first issuer it names, that one's metadata, and its keys.

    `is_protected` says that an anonymous request was answered 401. The last of each tuple is the one that was used.
    """

    is_protected: bool = False
    resource: tuple[Fetched, ...] = ()
    issuer: str = ""
    server: tuple[Fetched, ...] = ()
    keys: Fetched | None = None


async def fetch(wire: Wire, url: str, challenge: Received | None) -> Documents:
    """Fetch what hosts fetch before they sign in; `challenge` is the reply to an anonymous request."""
    is_protected = challenge is not None and challenge.status == HTTPStatus.UNAUTHORIZED
    resource = await _until(wire, url, _resource_places(url, challenge), "authorization_servers")
    issuer = _first(_content(resource, "authorization_servers"))
    if not issuer:
        return Documents(is_protected=is_protected, resource=resource)
    server = await _until(wire, url, _server_places(issuer), "token_endpoint")
    jwks = _content(server, "jwks_uri")
    return Documents(
        is_protected=is_protected,
        resource=resource,
        issuer=issuer,
        server=server,
        keys=await _get(wire, url, jwks) if isinstance(jwks, str) else None,
    )


def may_ask(place: str, target: str) -> bool:
    """Whether a document that a target names is asked for. Pure."""
    parts = urlsplit(place)
    if is_loopback(target):
        return parts.scheme in {"http", "https"} and is_loopback(place)
    return origin_of(place) == origin_of(target) or (parts.scheme == "https" and not is_loopback(place))


async def _until(wire: Wire, target: str, places: Iterator[str], member: str) -> tuple[Fetched, ...]:
    """Every place up to the first that has such a document."""
    found: list[Fetched] = []
    for place in dict.fromkeys(places):
        found.append(await _get(wire, target, place))
        if member in (found[-1].content or {}):
            break
    return tuple(found)


async def _get(wire: Wire, target: str, place: str) -> Fetched:
    if not may_ask(place, target):
        return Fetched(url=place)
    request = Request(method="GET", url=place, headers=_HEADERS, limit=_LIMIT)
    return Fetched(url=place, received=await wire.exchange(request))


def _resource_places(url: str, challenge: Received | None) -> Iterator[str]:
    said = "" if challenge is None else read_reply(challenge).header("www-authenticate") or ""
    named = re.search(r'resource_metadata="?([^",\s]+)', said)
    if named and "://" in named[1]:
        yield named[1]
    path = urlsplit(url).path.rstrip("/")
    yield f"{origin_of(url)}/.well-known/oauth-protected-resource{path}"
    yield f"{origin_of(url)}/.well-known/oauth-protected-resource"


def _server_places(issuer: str) -> Iterator[str]:
    origin, path = origin_of(issuer), urlsplit(issuer).path.rstrip("/")
    yield f"{origin}/.well-known/oauth-authorization-server{path}"
    yield f"{origin}/.well-known/openid-configuration{path}"
    yield f"{origin}{path}/.well-known/openid-configuration"


def _content(fetched: tuple[Fetched, ...], member: str) -> Any:
    return (fetched[-1].content or {}).get(member) if fetched else None


def _first(named: Any) -> str:
    """The first issuer: the only one that Claude and tunnels ask."""
    return named[0] if isinstance(named, list) and named and isinstance(named[0], str) and "://" in named[0] else ""
