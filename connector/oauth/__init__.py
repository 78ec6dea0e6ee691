"""The lock: who may come in, and how a host gets a key."""

from importlib import import_module
from typing import Any

from .challenge import Challenge
from .gate import Gate
from .introspection import Introspection
from .lock import Fitted, Lock, Place, ToolAccess
from .noticed import Kind, Noticed, Notices, Where
from .remembered import IssuerUnavailable, Keeping
from .resource_server import ResourceServer

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
        return import_module(".issuing", __name__).AuthorizationServer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
