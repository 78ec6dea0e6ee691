"""The lock that also cuts the keys: a small authorization server for connectors without an identity provider."""

from .clients.client import KnownClient
from .clients.fetching import Fetcher
from .clients.platforms import PLATFORMS
from .clients.redirects import RedirectRule
from .limits import Limits
from .office import Lifetimes
from .people.approval import Approval, Denial, SignedIn, Wish
from .people.passwords import password_hash
from .server import AuthorizationServer

__all__ = [
    "PLATFORMS",
    "Approval",
    "AuthorizationServer",
    "Denial",
    "Fetcher",
    "KnownClient",
    "Lifetimes",
    "Limits",
    "RedirectRule",
    "SignedIn",
    "Wish",
    "password_hash",
]
