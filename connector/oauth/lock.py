"""What a connector needs of whatever guards it, and what it gives that to be fitted with.

Holds no decision. `ResourceServer` and `AuthorizationServer` are locks; anything else that fits this shape is one too.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Scope

from ..stores.port import Store
from .challenge import Challenge
from .deeds import Deed
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
    tool. `notice` takes the first sight of something unknown; `count` is told what was done.
    """

    public_url: str
    path: str
    store: Store
    secret: bytes
    scopes: frozenset[str]
    notice: Callable[[Noticed], None]
    tools: Mapping[str, ToolAccess] = field(default_factory=dict)
    count: Callable[[Deed], None] = lambda _: None


class Inside(Protocol):
    """What a fitted lock says where tools are listed and run. A `Gate` has both; delegate to it."""

    def challenge(self, tool: str, scope: Scope) -> Challenge | None:
        """What the caller of a tool lacks, from the request it came with; None if nothing."""
        ...

    def describe(self, descriptor: Mapping[str, Any]) -> dict[str, Any]:
        """A tool's descriptor, as `tools/list` gives it, with its `securitySchemes`."""
        ...


class Fitted(Inside, Protocol):
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


@runtime_checkable
class Lock(Protocol):
    """What `Connector(auth=...)` takes besides the SDK's `AuthSettings`."""

    def fit(self, place: Place) -> Fitted:
        """Fit the lock.

        Raises:
            DeclarationError: What it was given contradicts the place. The sentence says which strings differ.
        """
        ...
