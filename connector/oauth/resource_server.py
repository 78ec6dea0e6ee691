"""`ResourceServer`: the lock of a connector whose users log in at an identity provider. Wires, and decides nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar, Final

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Scope

from ..errors import DeclarationError
from .bridges import Bridge, asked_as, bridge_called, mended
from .challenge import Challenge
from .discovery import Issuer
from .fetching import Outside
from .gate import Gate
from .introspection import Introspection, IntrospectionVerifier
from .lock import Place
from .one_string import (
    AUTHORIZATION_SERVER,
    OPENID,
    accepted_audiences,
    both_spellings,
    require_distinct,
    require_issuer,
    require_one_string,
    resource_of,
)
from .remembered import Keeping
from .verifying import JwtVerifier
from .wellknown import document_routes

logger = logging.getLogger("ballast.oauth")

_FIRST_LOOK: Final = 3.0
"""Seconds that start-up waits for the issuers. Longer would keep a connector down because its provider is."""


class ResourceServer:
    """Lets in whoever has a token of one of these issuers.

    Serves the resource's metadata, answers what comes without a good token with a challenge, verifies JWTs with the
    issuers' keys (or asks the issuer, with `introspection`), and mirrors the first issuer's metadata on this host for
    hosts that look for it here (incident P-25).

    Args:
        issuers: Each exactly as its metadata's `issuer` says it, byte for byte.
        audience: What tokens name as their audience, one or several. Default: the resource's URL, the same with a
            slash, and the origin. What is given here replaces all three.
        scopes: What a host may ask for besides what the tools declare.
        required_scopes: What every token must allow.
        anonymous_listing: Let anybody shake hands, list, and call tools declared `anonymous=True`.
        introspection: Ask the (one) issuer about tokens instead of verifying signatures.
        profile: What is known of the identity provider; see `connector.oauth.bridges`.
        documentation: A page for people, named in the metadata.
        keeping: How long metadata and keys are kept.

    Raises:
        DeclarationError: Something given cannot work. The sentence says what to change.
    """

    needs_secret: ClassVar = False
    """It seals nothing."""

    def __init__(
        self,
        *,
        issuers: Sequence[str],
        audience: str | Sequence[str] | None = None,
        scopes: Iterable[str] = (),
        required_scopes: Iterable[str] = (),
        anonymous_listing: bool = False,
        introspection: Introspection | None = None,
        profile: str | None = None,
        documentation: str | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self.issuers = tuple(_texts("issuers", issuers))
        self.audience = (audience,) if isinstance(audience, str) else tuple(audience or ())
        self.scopes = frozenset(_texts("scopes", scopes))
        self.required_scopes = frozenset(_texts("required_scopes", required_scopes))
        self.anonymous_listing = anonymous_listing
        self.introspection = introspection
        self.bridge = bridge_called(profile)
        self.documentation = documentation
        self.keeping = keeping or Keeping()
        self._check()

    def fit(self, place: Place) -> "FittedResourceServer":
        """Fit it.

        Raises:
            DeclarationError: What was given contradicts the place. The sentence gives both strings.
        """
        resource = resource_of(place.public_url, place.path)
        for audience in self.audience:
            require_one_string("audience", audience, "the resource", resource)
        return FittedResourceServer(self, place)

    def _check(self) -> None:
        if not self.issuers:
            raise DeclarationError("issuers=[] lets nobody in: name the issuer of your identity provider")
        for issuer in self.issuers:
            require_issuer(issuer)
            _require_slash(issuer, self.bridge)
        require_distinct(self.issuers)
        if self.introspection is not None and len(self.issuers) > 1:
            raise DeclarationError(
                f"introspection asks one issuer, and {len(self.issuers)} are given: an opaque token does not say whose "
                "it is. Give one issuer"
            )
        needs_audience = self.bridge.qualifies_scopes or self.bridge.audience_claim != "aud"
        if needs_audience and not self.audience:
            raise DeclarationError(f"profile={self.bridge.name!r} needs audience=: {self.bridge.advice}")


class FittedResourceServer:
    """A `ResourceServer` in its place."""

    def __init__(self, lock: ResourceServer, place: Place) -> None:
        self._place = place
        self._bridge = lock.bridge
        self._outside = Outside()
        self._issuers = [Issuer(url, lock.bridge, self._outside, keeping=lock.keeping) for url in lock.issuers]
        audiences = frozenset(lock.audience) or accepted_audiences(place.public_url, place.path)
        first = lock.audience[0] if lock.audience else None
        self.gate = Gate(
            place,
            verifier=JwtVerifier(self._issuers, audiences)
            if lock.introspection is None
            else IntrospectionVerifier(self._issuers[0], lock.introspection, self._outside, audiences),
            authorization_servers=lock.issuers,
            scopes_supported=lock.scopes,
            required_scopes=lock.required_scopes,
            anonymous=lock.anonymous_listing,
            asked_as=lambda scope: asked_as(lock.bridge, scope, first),
            documentation=lock.documentation,
        )

    def routes(self) -> Sequence[BaseRoute]:
        """The resource's metadata, and the mirror of its authorization server's."""

        async def mirror() -> Mapping[str, Any]:
            return mended(self._bridge, await self._issuers[0].metadata())

        path = self._place.path.rstrip("/")
        paths = [*both_spellings(AUTHORIZATION_SERVER, path), *both_spellings(OPENID, path)]
        paths += [path + OPENID] if path else []
        return [*self.gate.routes(), *document_routes(paths, mirror)]

    def guard(self, endpoint: ASGIApp) -> ASGIApp:
        """The endpoint behind the gate."""
        return self.gate.guard(endpoint)

    def challenge(self, tool: str, scope: Scope) -> Challenge | None:
        """What the caller of a tool lacks; None if nothing."""
        return self.gate.challenge(tool, scope)

    def describe(self, descriptor: Mapping[str, Any]) -> dict[str, Any]:
        """A tool's descriptor with its `securitySchemes`."""
        return self.gate.describe(descriptor)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Look at every issuer once, compare strings, warm the keys; close the connections at the end.

        Raises:
            DeclarationError: An issuer calls itself otherwise than it was configured.
        """
        return self._run()

    @asynccontextmanager
    async def _run(self) -> AsyncIterator[None]:
        try:
            await self._first_look()
            yield
        finally:
            for issuer in self._issuers:
                await issuer.aclose()
            await self._outside.aclose()

    async def _first_look(self) -> None:
        try:
            async with asyncio.timeout(_FIRST_LOOK):
                await asyncio.gather(*(issuer.prepare() for issuer in self._issuers))
        except TimeoutError:
            logger.warning("No issuer answered within %g s; starting without, and asking again later", _FIRST_LOOK)


def _require_slash(issuer: str, bridge: Bridge) -> None:
    ends = issuer.endswith("/")
    if bridge.issuer_ends_in_slash is None or bridge.issuer_ends_in_slash == ends:
        return
    other = issuer.rstrip("/") if ends else issuer + "/"
    raise DeclarationError(
        f"issuer {issuer!r}: an issuer of {bridge.name!r} {'does not end' if ends else 'ends'} in a slash, and hosts "
        f"compare byte by byte (incident P-33): write {other!r}"
    )


def _texts(name: str, said: Iterable[str]) -> Iterable[str]:
    if isinstance(said, str):
        raise DeclarationError(f"{name}={said!r} is one text: write a list, {name}=[{said!r}]")
    return said
