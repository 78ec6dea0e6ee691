"""What the endpoints of one authorization server share. Holds, and decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from ...stores.port import Records
from ..deeds import Deed
from ..noticed import Kind, Where
from .clients.authentication import Authentication
from .clients.finding import Clients
from .grants.codes import Codes
from .grants.grants import Grants
from .grants.tokens import Tokens
from .limits import Throttle
from .refused import too_many
from .sealing import Seal
from .wishing import Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """In seconds. `access` and `code` are how long those are valid; `grant` how long one lives without a refresh.

    `reuse` is how long a refresh token that was used is answered once more as it was: bursts of parallel refreshes have
    been seen over 76 s (incident O-01). `question` is how long the consent page can be answered.
    """

    access: int = 3600
    code: int = 300
    grant: int = 90 * 86_400
    reuse: int = 120
    question: int = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Shared by the endpoints. `see` notes something unknown, `count` what was done; `now` is seconds since 1970."""

    issuer: str
    offer: Offer
    lifetimes: Lifetimes
    records: Records
    seal: Seal
    clients: Clients
    authentication: Authentication
    codes: Codes
    grants: Grants
    tokens: Tokens
    fetches: Throttle
    see: Callable[[Kind, Where, object], None]
    now: Callable[[], float]
    count: Callable[[Deed], None] = lambda _: None

    def admitting(self, request: Request) -> Callable[[], None]:
        """What is asked before a document is fetched on behalf of this request: has its sender asked for too many?"""

        def admit() -> None:
            wait = self.fetches.wait(address_of(request))
            if wait is not None:
                raise too_many(wait)

        return admit


def address_of(request: Request) -> str:
    """Whose request it is, as the server in front of the app says (uvicorn's `forwarded_allow_ips`)."""
    return request.client.host if request.client is not None else ""
