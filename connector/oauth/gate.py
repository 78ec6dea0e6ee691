"""The gate: a token is asked for in front of the MCP endpoint, and where to get one is said beside it.

Acts on what `bearer`, `admitting` and `challenge` decide; a verifier says what a token is worth. Used by every lock.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import DeclarationError, StoreUnavailable
from .admitting import Held, Rules, Subject, Verdict, Wanted, decide, reads_results, wanted_by
from .bearer import BrokenToken, NoToken, SentToken, WrongPlace, read_bearer
from .challenge import Challenge, described, worth_asking
from .claims import TokenRefused
from .deeds import Deed
from .lock import Place
from .noticed import Kind, Where, noticed
from .one_string import PROTECTED_RESOURCE, both_spellings, resource_metadata_url, resource_of
from .passing import come_back, header_of, is_preflight, let_in, look, refuse, tell, unread
from .remembered import IssuerUnavailable
from .verifying import Judge
from .wellknown import document_routes, resource_metadata

logger = logging.getLogger("ballast.oauth")

GENERIC: Final = TokenRefused(reason="The access token is expired, revoked, malformed or for another resource")


class Gate:
    """Guards one place.

    Args:
        place: Where.
        verifier: What says whether a token is good. One that is a `Judge` too also says why not.
        authorization_servers: Issuers, each exactly as its own metadata says it.
        scopes_supported: What a host may ask for; default is what the tools declare.
        required_scopes: What every request's token must allow.
        anonymous: Whether lists and handshakes need no token, nor tools declared anonymous.
        asked_as: How a scope is spelt towards the authorization server, where that differs.
        clock: Seconds since 1970.

    Raises:
        DeclarationError: A tool is anonymous and the gate is not.
    """

    def __init__(
        self,
        place: Place,
        *,
        verifier: TokenVerifier,
        authorization_servers: Sequence[str],
        scopes_supported: Iterable[str] = (),
        required_scopes: Iterable[str] = (),
        anonymous: bool = False,
        asked_as: Callable[[str], str] = str,
        documentation: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.resource = resource_of(place.public_url, place.path)
        self._place = place
        self._verifier = verifier
        self._asked_as = asked_as
        self._clock = clock
        self._rules = Rules(anonymous=anonymous, required=frozenset(required_scopes), tools=place.tools)
        self._metadata_url = resource_metadata_url(place.public_url, place.path)
        known = {*scopes_supported, *place.scopes, *self._rules.required}
        self._first_scopes = self._rules.required or known
        self._metadata = resource_metadata(
            self.resource, authorization_servers, map(asked_as, worth_asking(known)), documentation=documentation
        )
        _require_reachable(self._rules)

    def routes(self) -> Sequence[Route]:
        """The protected resource's metadata, at both spellings, the same at both (RFC 9728; incident O-07)."""

        async def metadata() -> Mapping[str, Any]:
            return self._metadata

        return document_routes(both_spellings(PROTECTED_RESOURCE, self._place.path), metadata)

    def guard(self, endpoint: ASGIApp) -> ASGIApp:
        """The endpoint behind the gate. What passes has `scope["user"]` and `scope["auth"]`, as the SDK sets them."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or is_preflight(scope):
                await endpoint(scope, receive, send)
                return
            await self._serve(endpoint, scope, receive, send)

        return guarded

    def challenge(self, tool: str, scope: Scope) -> Challenge | None:
        """What the caller of a tool lacks, from a request that has passed the gate; None if nothing.

        The gate has asked this before. Asking again where the tool is run costs nothing and needs no trust in what
        lies between.
        """
        user = scope.get("user")
        token = user.access_token if isinstance(user, AuthenticatedUser) else None
        wanted = Wanted(subject=Subject.TOOL, tool=tool, id=0)
        held = Held.NOTHING if token is None else Held.TOKEN
        scopes = frozenset() if token is None else frozenset(token.scopes)
        if decide(held, scopes, wanted, self._rules, reads_results=True) is Verdict.PASS:
            return None
        return self._lacking(held, scopes, wanted)

    def describe(self, descriptor: Mapping[str, Any]) -> dict[str, Any]:
        """A tool's descriptor, as `tools/list` gives it, with its `securitySchemes`."""
        access = self._rules.tools.get(str(descriptor.get("name")))
        asked = self._rules.required | (access.scopes if access is not None else frozenset())
        is_anonymous = self._rules.anonymous and access is not None and access.anonymous
        return described(descriptor, map(self._asked_as, asked), anonymous=is_anonymous)

    async def _serve(self, endpoint: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        sent = read_bearer(scope["headers"], scope.get("query_string", b""))
        if isinstance(sent, WrongPlace):
            await refuse(scope, receive, send, self._said(400, "invalid_request", sent.reason))
            return
        try:
            token = await self._judge(sent)
        except (IssuerUnavailable, StoreUnavailable) as trouble:
            logger.info("A token could not be verified: %s", trouble)  # the outage itself was a warning
            self._place.count(Deed.UNVERIFIED)
            await come_back(scope, receive, send)
            return
        if isinstance(token, TokenRefused):
            logger.info("A token was refused: %s", token.reason)
            self._place.count(Deed.REJECTED)
            await refuse(scope, receive, send, self._said(401, "invalid_token", token.reason, self._first_scopes))
            return
        await self._admit(token, endpoint, scope, receive, send)

    async def _admit(
        self, token: AccessToken | None, endpoint: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        held = Held.NOTHING if token is None else Held.TOKEN
        scopes = frozenset(() if token is None else token.scopes)
        wanted = unread(scope["method"])
        is_host = reads_results(header_of(scope, b"user-agent"))
        if scope["method"] == "POST" and self._must_look(held, scopes, is_host=is_host):
            body, receive = await look(receive)
            wanted = Wanted(subject=Subject.OTHER) if body is None else wanted_by(body)
        verdict = decide(held, scopes, wanted, self._rules, reads_results=is_host)
        if verdict is Verdict.PASS:
            await let_in(token, endpoint, scope, receive, send)
            return
        self._place.count(Deed.CHALLENGED if held is Held.NOTHING else Deed.FORBIDDEN)
        if verdict is Verdict.IN_BAND:
            await tell(scope, receive, send, wanted, self._lacking(held, scopes, wanted))
        else:
            await refuse(scope, receive, send, self._lacking(held, scopes, wanted))

    def _must_look(self, held: Held, scopes: frozenset[str], *, is_host: bool) -> bool:
        """Whether the answer depends on what the body wants."""
        if held is Held.NOTHING:
            return self._rules.anonymous or is_host
        everything = self._rules.required.union(*(access.scopes for access in self._rules.tools.values()))
        return not everything <= scopes

    async def _judge(self, sent: NoToken | SentToken | BrokenToken) -> AccessToken | TokenRefused | None:
        if isinstance(sent, BrokenToken):
            return TokenRefused(reason=sent.reason)
        if isinstance(sent, NoToken):
            if sent.scheme is not None:
                self._place.notice(noticed(Kind.AUTH_METHOD, Where.ENDPOINT, sent.scheme, now=self._clock()))
            return None
        if isinstance(self._verifier, Judge):
            return await self._verifier.judge(sent.token)
        token = await self._verifier.verify_token(sent.token)
        is_over = token is not None and token.expires_at is not None and token.expires_at < self._clock()
        return GENERIC if token is None or is_over else token

    def _lacking(self, held: Held, scopes: frozenset[str], wanted: Wanted) -> Challenge:
        needed = self._rules.needed(wanted)
        if held is Held.TOKEN:
            missing = " ".join(sorted(needed - scopes))
            said = f"This needs a permission that the access token does not carry: {missing}"
            return self._said(403, "insufficient_scope", said, needed)
        if wanted.subject is Subject.TOOL and wanted.tool is not None:
            said = f"{wanted.tool[:64]} needs you to log in first"
            return self._said(401, None, said, needed or self._first_scopes)
        return self._said(401, None, "Log in first", self._first_scopes)

    def _said(self, status: int, error: str | None, description: str, scopes: Iterable[str] = ()) -> Challenge:
        return Challenge(
            status=status,
            error=error,
            description=description,
            resource_metadata=self._metadata_url,
            scopes=tuple(map(self._asked_as, worth_asking(scopes))),
        )


def _require_reachable(rules: Rules) -> None:
    lost = sorted(name for name, access in rules.tools.items() if access.anonymous)
    if lost and not rules.anonymous:
        raise DeclarationError(
            f"{', '.join(lost)}: declared anonymous=True, but nobody without a token can list the tools: "
            "set anonymous_listing=True on the lock, or drop anonymous=True"
        )
