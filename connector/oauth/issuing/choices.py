"""What the owner of an authorization server decides, and what of it cannot work."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...errors import DeclarationError
from .clients.client import KnownClient
from .clients.fetching import Fetcher
from .clients.platforms import PLATFORMS
from .clients.redirects import RedirectRule, is_sound
from .limits import Limits
from .office import Lifetimes
from .people.approval import EVERYONE, Approve
from .people.passwords import require_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """As `AuthorizationServer` describes them."""

    approve: Approve | Literal["everyone"] | None = None
    people: Mapping[str, str] | None = None
    title: str = ""
    scopes: Mapping[str, str] | Sequence[str] = ()
    required_scopes: Sequence[str] = ()
    anonymous_listing: bool = False
    clients: Sequence[KnownClient] = ()
    redirects: Sequence[RedirectRule] = PLATFORMS
    client_documents: bool = True
    loopback_documents: bool | None = None
    requires_client_keys: bool = True
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    limits: Limits = field(default_factory=Limits)
    documentation: str | None = None
    fetcher: Fetcher | None = None
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        _check_who(self.approve, self.people)
        if isinstance(self.scopes, str) or isinstance(self.required_scopes, str):
            raise DeclarationError("scopes and required_scopes are lists or mappings: write ['one'], not 'one'")
        for client in self.clients:
            if not all(map(is_sound, client.redirect_uris)) or not client.redirect_uris:
                raise DeclarationError(
                    f"client {client.client_id!r} has no redirect address, or one that no answer may be sent to: "
                    "give https addresses, loopback addresses or an application's own scheme"
                )


def _check_who(approve: Approve | str | None, people: Mapping[str, str] | None) -> None:
    if (approve is None) == (people is None):
        raise DeclarationError(
            "an AuthorizationServer needs either approve= (a function, or 'everyone' for development) or people= "
            "(names and password hashes): give one of the two"
        )
    if isinstance(approve, str) and approve != EVERYONE:
        raise DeclarationError(f"approve={approve!r} is not known: give a function, or 'everyone' for development")
    for name, stored in (people or {}).items():
        try:
            require_hash(stored)
        except ValueError as failed:
            raise DeclarationError(
                f"people[{name!r}]: {failed}. Make one with `python -m connector.oauth.issuing`"
            ) from None
