"""What a connector needs of whatever guards it, and what it gives that to be fitted with.

Holds no decision. `ResourceServer` and `AuthorizationServer` are locks; anything else that fits this shape is one too.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from ..stores.port import Store
from .noticed import Noticed


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolAccess:
    """What one tool asks of a caller: the scopes its token must have, and whether it may be called without a token."""

    scopes: frozenset[str] = frozenset()
    anonymous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a lock is fitted.

    `public_url` is the origin as it was given, never spelt anew; `path` is the endpoint's (`/mcp`). `secret` is the
    server's secret, from which locks derive their own keys. `scopes` are all that tools declare; `tools` says it by
    tool. `notice` takes the first sight of something unknown.
    """

    public_url: str
    path: str
    store: Store
    secret: bytes
    scopes: frozenset[str]
    notice: Callable[[Noticed], None]
    tools: Mapping[str, ToolAccess] = field(default_factory=dict)


class Fitted(Protocol):
    """A lock in its place."""

    def routes(self) -> Sequence[BaseRoute]:
        """Well-known documents, and whatever endpoints the lock itself serves (`/authorize`, `/token`, ...)."""
        ...

    def guard(self, endpoint: ASGIApp) -> ASGIApp:
        """Bearer checking around the MCP endpoint: every verb, both spellings of the path."""
        ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """Entered while the connector serves."""
        ...


class Lock(Protocol):
    """What `Connector(auth=...)` takes besides the SDK's `AuthSettings`."""

    def fit(self, place: Place) -> Fitted:
        """Fit the lock.

        Raises:
            DeclarationError: What it was given contradicts the place. The sentence says which strings differ.
        """
        ...
