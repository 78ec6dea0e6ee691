"""What a person is asked, and the ways in which a connector's owner can find out who answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from ..clients.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a client asks a person for. Client and redirect address have been verified.

    `url` is the path and query of this authorization request: where a login page of yours sends people back to.
    """

    client: Client
    redirect_uri: str
    state: str | None
    challenge: str
    scopes: tuple[str, ...]
    resource: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who is signed in; the consent page asks them. `shown_as` is how the page calls them, by default the subject."""

    subject: str
    shown_as: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who has approved already; no page is shown. `scopes` are those approved, by default all that were asked."""

    subject: str
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Somebody said no. The client is told so, and nothing more."""


Answer = SignedIn | Approval | Denial | Response

Approve = Callable[[Request, Wish], Answer | Awaitable[Answer]]
"""Says who answers. It is asked when the request arrives, and with `SignedIn` once more when the page is answered.

A `Response`, such as a redirect to a login page, is sent as it is; `wish.url` leads back.
"""

EVERYONE: Literal["everyone"] = "everyone"

DEVELOPER = Approval(subject="developer")
"""Whom `approve="everyone"` takes everybody for."""
