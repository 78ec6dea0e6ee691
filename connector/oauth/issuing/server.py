"""`AuthorizationServer`: what is given to a connector as its lock."""

import logging
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ...errors import DeclarationError
from ..lock import Place
from ..one_string import require_issuer
from .choices import Choices
from .fitted import FittedAuthorizationServer
from .people.approval import EVERYONE

logger = logging.getLogger("ballast.oauth")

_SHORTEST_SECRET: Final = 16
"""Bytes. Nobody guesses 128 bits."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AuthorizationServer(Choices):
    """Registers clients, asks people, and gives out tokens, all on the connector's own store and address.

    Args:
        approve: Who answers. `"everyone"` approves everybody at once as the subject `developer`: for development. A
            function gets the Starlette request and the `Wish` and says `SignedIn`, `Approval`, `Denial`, or a
            `Response` such as a redirect to your login page.
        people: Instead of `approve`: names and password hashes (`password_hash`), for a handful of people.
        title: How the page calls the connector. Default: its host.
        scopes: What there is to ask for, and what each allows in words; scopes that tools declare are added.
        required_scopes: What every token must allow.
        anonymous_listing: Let anybody shake hands, list, and call tools declared `anonymous=True`.
        clients: Clients known beforehand, for hosts that ask for an id and a secret.
        redirects: Where clients that register themselves may receive codes. Default: the platforms known to us.
        client_documents: Whether a client may be known by a document at its address (CIMD).
        loopback_documents: Whether that address may be on this machine, in plain http. Default: only where the public
            URL is itself on this machine.
        requires_client_keys: Whether a client whose document names `private_key_jwt` alone must show its key. False
            lets PKCE suffice for it.
        lifetimes: How long codes, tokens, grants and the reuse of refresh tokens last.
        limits: How often one address may register, have documents fetched, and guess passwords.
        documentation: A page for people, named in the resource's metadata.
        fetcher: What fetches client documents.
        now: Seconds since 1970.

    Raises:
        DeclarationError: Something given cannot work. The sentence says what to change.
    """

    def __repr__(self) -> str:
        if self.people is not None:
            return f"AuthorizationServer(people={len(self.people)})"
        return f"AuthorizationServer(approve={EVERYONE if self.approve == EVERYONE else 'a function'!r})"

    def fit(self, place: Place) -> "FittedAuthorizationServer":
        """Fit it.

        Raises:
            DeclarationError: The public URL is no issuer, or the secret is too short to seal anything.
        """
        require_issuer(place.public_url)
        if urlsplit(place.public_url).path not in {"", "/"}:
            raise DeclarationError(
                f"public_url {place.public_url!r} has a path, but the login pages are at the root of an origin: "
                "give the origin, and the endpoint's path as `path`"
            )
        if len(place.secret) < _SHORTEST_SECRET:
            raise DeclarationError(
                f"the server's secret has {len(place.secret)} bytes, and everything that is handed out is sealed with "
                f"it: set one of at least {_SHORTEST_SECRET}, and keep it"
            )
        if self.approve == EVERYONE:
            logger.warning(
                "approve='everyone' lets everybody in at %s as one and the same person. For development only: "
                "set people= or approve= before anybody else can reach it",
                place.public_url,
            )
        return FittedAuthorizationServer(self, place)
