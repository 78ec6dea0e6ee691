"""An `AuthorizationServer` in its place: its parts are made and joined here, and nothing is decided."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Scope

from ..challenge import Challenge
from ..gate import Gate
from ..lock import Place
from ..noticed import Kind, Where, noticed
from ..one_string import AUTHORIZATION_SERVER, OPENID, both_spellings, origin_of, resource_of
from ..wellknown import document_routes
from .authorizing import Authorizing
from .choices import Choices
from .clients.authentication import Authentication
from .clients.cabinet import Cabinet
from .clients.fetching import Fetcher
from .clients.finding import Clients
from .grants.codes import Codes
from .grants.grants import Grants
from .grants.tokens import Tokens
from .limits import Failures, Throttle
from .metadata import AUTHORIZE, REGISTER, REVOKE, TOKEN, Urls, metadata
from .office import Office
from .people.asking import Asking
from .people.pages import ANSWER_PATH, Pages
from .people.signing_in import People
from .redeeming import Redeeming
from .registering import Registering
from .replies import Endpoint, answering
from .revoking import Revoking
from .sealing import Seal
from .verifying import OwnTokens
from .wishing import Offer

_ONE_SCOPE: Final = {"mcp": "Use the tools of this connector in your name"}
"""Where nobody declares scopes there is one, because hosts expect to be told what was granted."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class FittedAuthorizationServer:
    """An `AuthorizationServer` in its place."""

    def __init__(self, lock: Choices, place: Place) -> None:
        self._lock = lock
        self._place = place
        self._words = _words(lock.scopes, (*place.scopes, *lock.required_scopes))
        self._office = self._furnished()
        self.gate = Gate(
            place,
            verifier=OwnTokens(self._office),
            authorization_servers=[place.public_url],
            scopes_supported=self._words,
            required_scopes=lock.required_scopes,
            anonymous=lock.anonymous_listing,
            documentation=lock.documentation,
            clock=lock.now,
        )

    def routes(self) -> Sequence[BaseRoute]:
        """The metadata of the resource and of the server, and the endpoints."""
        lock, office = self._lock, self._office
        authorizing = Authorizing(office=office, asking=self._asking())
        registering = Registering(
            office=office,
            rules=tuple(lock.redirects),
            throttle=Throttle(most=lock.limits.registrations, now=lock.now),
        )
        spoken: dict[str, Endpoint] = {TOKEN: Redeeming(office), REVOKE: Revoking(office), REGISTER: registering}
        return [
            *self.gate.routes(),
            *document_routes(self._well_known(), self._metadata),
            Route(AUTHORIZE, authorizing.ask, methods=["GET", "POST"]),
            Route(ANSWER_PATH, authorizing.answer, methods=["POST"]),
            *(Route(path, answering(each), methods=["POST", "OPTIONS"]) for path, each in spoken.items()),
        ]

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
        """Nothing runs beside the requests."""
        return nullcontext()

    async def _metadata(self) -> Mapping[str, Any]:
        return metadata(self._place.public_url, scopes=self._words, reads_documents=self._lock.client_documents)

    def _well_known(self) -> list[str]:
        path = self._place.path.rstrip("/")
        behind = [path + OPENID] if path else []
        return [*both_spellings(AUTHORIZATION_SERVER, path), *both_spellings(OPENID, path), *behind]

    def _see(self, kind: Kind, where: Where, name: object) -> None:
        self._place.notice(noticed(kind, where, name, now=self._lock.now()))

    def _furnished(self) -> Office:
        lock, place = self._lock, self._place
        seal = Seal(place.secret, origin_of(place.public_url))
        resource, origin = resource_of(place.public_url, place.path), origin_of(place.public_url)
        scopes = tuple(self._words)
        clients = self._clients(seal)
        return Office(
            issuer=place.public_url,
            offer=Offer(
                scopes=scopes,
                resource=resource,
                spellings=frozenset({resource, resource.rstrip("/") + "/", origin, origin + "/"}),
            ),
            lifetimes=lock.lifetimes,
            records=place.store,
            seal=seal,
            clients=clients,
            authentication=Authentication(
                clients=clients,
                records=place.store,
                seal=seal,
                audiences=(Urls(issuer=place.public_url).token, place.public_url, origin, origin + "/"),
                now=lock.now,
                requires_keys=lock.requires_client_keys,
            ),
            codes=Codes(records=place.store, seal=seal),
            grants=Grants(
                records=place.store,
                now=lock.now,
                window=lock.lifetimes.reuse,
                lifetime=lock.lifetimes.grant,
                scopes=scopes,
                resource=resource,
            ),
            tokens=Tokens(seal),
            fetches=Throttle(most=lock.limits.documents, now=lock.now),
            see=self._see,
            now=lock.now,
            count=place.count,
        )

    def _clients(self, seal: Seal) -> Clients:
        lock, is_local = self._lock, urlsplit(self._place.public_url).hostname in _LOOPBACK
        loopback = is_local if lock.loopback_documents is None else lock.loopback_documents
        fetcher = lock.fetcher or Fetcher(loopback=loopback)
        return Clients(
            seal=seal,
            cabinet=Cabinet(records=self._place.store, seal=seal, fetcher=fetcher, now=lock.now),
            see=self._see,
            predefined={client.client_id: client.as_client() for client in lock.clients},
            reads_documents=lock.client_documents,
        )

    def _asking(self) -> Asking:
        lock, office, place = self._lock, self._office, self._place
        failures = Failures(records=place.store, kind="oauth-failure", window=lock.limits.sign_in_window, now=lock.now)
        people = (
            None
            if lock.people is None
            else People(hashes=lock.people, failures=failures, seal=office.seal, most=lock.limits.sign_ins)
        )
        return Asking(
            approve=lock.approve,
            people=people,
            pages=Pages(connector=lock.title or urlsplit(place.public_url).netloc, scopes=self._words),
            clients=office.clients,
            records=place.store,
            seal=office.seal,
            now=lock.now,
            seconds=lock.lifetimes.question,
            is_https=place.public_url.startswith("https://"),
        )


def _words(given: Mapping[str, str] | Iterable[str], declared: Iterable[str]) -> dict[str, str]:
    """All scopes, in the order given and then by name, each with what it allows in words (or nothing)."""
    words = dict(given) if isinstance(given, Mapping) else dict.fromkeys(given, "")
    words |= dict.fromkeys(sorted(set(declared) - set(words)), "")
    return words or dict(_ONE_SCOPE)
