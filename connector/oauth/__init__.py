"""The lock: who may come in, and how a host gets a key."""

from typing import TYPE_CHECKING, Any

from .challenge import Challenge
from .gate import Gate
from .introspection import Introspection
from .lock import Fitted, Lock, Place, ToolAccess
from .noticed import Kind, Noticed, Notices, Where
from .remembered import IssuerUnavailable, Keeping
from .resource_server import ResourceServer

if TYPE_CHECKING:
    from .issuing import AuthorizationServer

__all__ = [
    "AuthorizationServer",  # by `__getattr__`
    "Challenge",
    "Fitted",
    "Gate",
    "Introspection",
    "IssuerUnavailable",
    "Keeping",
    "Kind",
    "Lock",
    "Noticed",
    "Notices",
    "Place",
    "ResourceServer",
    "ToolAccess",
    "Where",
]


def __getattr__(name: str) -> Any:
    if name == "AuthorizationServer":
        # Later, because only those who give out tokens themselves pay for loading it.
        from .issuing import AuthorizationServer  # noqa: PLC0415

        return AuthorizationServer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
