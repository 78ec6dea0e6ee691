"""Reads an authorization request: what the client wishes, or why it cannot have it. Pure.

Strict where a person's account hangs on it (redirect address, PKCE with S256, a foreign resource); everything else has
a default or is ignored.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from .clients.client import Client
from .clients.redirects import matches
from .metadata import AUTHORIZE
from .people.approval import Wish
from .reading import Parameters
from .refused import Refused

KNOWN: Final = frozenset(
    {
        "acr_values", "claims", "claims_locales", "client_id", "code_challenge", "code_challenge_method", "display",
        "id_token_hint", "login_hint", "max_age", "nonce", "prompt", "redirect_uri", "resource", "response_mode",
        "response_type", "scope", "state", "ui_locales",
    }
)  # fmt: skip
"""Parameters that OAuth and OpenID Connect define; some of them mean nothing here. The rest is noted as unknown."""

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""Base64url of a SHA-256 digest (RFC 7636 section 4.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What there is to have: scopes, and the resource in its one spelling and in all that are taken for it."""

    scopes: tuple[str, ...]
    resource: str
    spellings: frozenset[str]

    def granted(self, asked: str | None, *, within: Iterable[str] | None = None) -> tuple[str, ...]:
        """The scopes that are asked for and exist; without any, those of `within`; without any, all (incident P-09)."""
        wanted = set((asked or "").split())
        chosen = tuple(scope for scope in self.scopes if scope in wanted)
        usual = set(self.scopes if within is None else within)
        return chosen or tuple(scope for scope in self.scopes if scope in usual) or self.scopes

    def unknown(self, asked: str | None) -> tuple[str, ...]:
        """The scopes that are asked for and do not exist."""
        return tuple(scope for scope in (asked or "").split() if scope not in self.scopes)

    def require(self, resources: Iterable[str]) -> str:
        """The resource's one spelling, if every resource named is it (RFC 8707; incidents O-04, O-05).

        Raises:
            Refused: One of them is somewhere else.
        """
        for resource in resources:
            if not self.is_own(resource):
                raise Refused("invalid_target", f"resource is another server's; leave it out, or send {self.resource}")
        return self.resource

    def is_own(self, resource: str) -> bool:
        """Whether this spelling names the resource. A query is part of how people wrote the connector's address."""
        return resource.partition("?")[0] in self.spellings


def redirect_of(client: Client, parameters: Parameters) -> str:
    """Where the answer goes.

    Raises:
        Refused: Nowhere that this client may name; so it must not be told there.
    """
    asked = parameters["redirect_uri"]
    if asked is None and len(client.redirect_uris) == 1:
        return client.redirect_uris[0]
    if asked is None:
        raise Refused("invalid_request", "redirect_uri is missing, and the client has registered several")
    if not matches(asked, client.redirect_uris):
        raise Refused("invalid_request", "redirect_uri is none of those that the client has registered")
    return asked


def wish_of(client: Client, redirect_uri: str, parameters: Parameters, offer: Offer) -> Wish:
    """The wish of a verified client.

    Raises:
        Refused: What it asks for cannot be had. It can be told so.
    """
    if parameters["response_type"] != "code":
        raise Refused("unsupported_response_type", "response_type has to be code")
    return Wish(
        client=client,
        redirect_uri=redirect_uri,
        state=parameters["state"],
        challenge=_challenge(parameters),
        scopes=offer.granted(parameters["scope"], within=client.scopes),
        resource=offer.require(parameters.all("resource")),
        url=f"{AUTHORIZE}?{urlencode(parameters.pairs, errors='surrogateescape')}",
    )


def answer_url(redirect_uri: str, said: Mapping[str, str | None]) -> str:
    """The redirect address with the answer behind it; what it says already stays as it is (RFC 6749 section 4.1.2)."""
    added = urlencode({name: value for name, value in said.items() if value is not None}, errors="surrogateescape")
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{added}"


def _challenge(parameters: Parameters) -> str:
    challenge, method = parameters["code_challenge"], parameters["code_challenge_method"]
    if challenge is None:
        raise Refused("invalid_request", "code_challenge is missing: PKCE with S256 is required")
    if method != "S256":
        raise Refused("invalid_request", "code_challenge_method has to be S256; plain protects nobody")
    if not _CHALLENGE.fullmatch(challenge):
        raise Refused("invalid_request", "code_challenge is not the base64url text of a SHA-256 digest (43 characters)")
    return challenge
