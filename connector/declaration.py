"""`@tool`: what a method says of itself, and how a class's tools are gathered.

Decides nothing about running. A wrong declaration fails here, before any request, with a sentence that says what to
change.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, overload

from mcp_types import ToolAnnotations

from .errors import DeclarationError
from .guard import Guard
from .patience import SMALLEST_BUDGET
from .widget import Widget, shown_by

_Method = TypeVar("_Method", bound=Callable[..., Any])

_MARK: Final = "__ballast_tool__"

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What ChatGPT's scanner and Claude take for a name: letters, digits, `_`, `-`, at most 64 (incident P-38, CT-32)."""


_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749, section 3.3, `scope-token`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a tool says of itself. `deadline` is in seconds; the hints are MCP's `ToolAnnotations`.

    `scopes` and `anonymous` mean something where the connector is given `auth=`: what a token must allow, and whether
    the tool may be called without one.
    """

    name: str | None = None
    title: str | None = None
    description: str | None = None
    read_only: bool = False
    destructive: bool | None = None
    idempotent: bool | None = None
    open_world: bool = True
    deadline: float | None = None
    partial: bool | None = None
    budget: int | None = None
    scopes: Sequence[str] = ()
    anonymous: bool = False
    guard: bool | Guard = True
    meta: dict[str, Any] | None = None
    widget: Widget | None = None
    visibility: Sequence[str] | None = None
    invoking: str | None = None
    invoked: str | None = None
    aliases: Sequence[str] = ()
    argument_aliases: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name is not None and not _NAME.fullmatch(self.name):
            raise DeclarationError(
                f"tool name {self.name!r} is refused by hosts: use 1 to 64 letters, digits, '_' or '-' (incident P-38)"
            )
        if self.deadline is not None and not (math.isfinite(self.deadline) and self.deadline > 0):
            raise DeclarationError(f"deadline={self.deadline!r} must be a positive number of seconds, or be left out")
        if self.budget is not None and 0 != self.budget < SMALLEST_BUDGET:
            raise DeclarationError(f"budget={self.budget!r} must be {SMALLEST_BUDGET} bytes or more, or 0 for no limit")
        if self.read_only and self.destructive:
            raise DeclarationError("read_only=True and destructive=True contradict each other: drop one of the two")
        if self.read_only and isinstance(self.guard, Guard):
            raise DeclarationError(
                "read_only=True and guard=Guard(...) contradict each other: what changes nothing may run twice"
            )
        self._check_scopes()
        self.described()

    def _check_scopes(self) -> None:
        scopes: Any = self.scopes
        if isinstance(scopes, str):
            raise DeclarationError(f"scopes={scopes!r} is one text: write a list, e.g. scopes={scopes.split()!r}")
        for scope in scopes:
            if not (isinstance(scope, str) and _SCOPE.fullmatch(scope)):
                raise DeclarationError(
                    f"scope {scope!r} cannot be asked for: use visible ASCII without spaces, quotes and backslashes "
                    "(RFC 6749, section 3.3)"
                )

    def described(self) -> dict[str, Any] | None:
        """The descriptor's `_meta`: what was given, and what binds the tool to its widget.

        Raises:
            DeclarationError: Both say the same thing.
        """
        shown = shown_by(self.widget, visibility=self.visibility, invoking=self.invoking, invoked=self.invoked)
        if twice := sorted(shown.keys() & (self.meta or {}).keys()):
            raise DeclarationError(
                f"meta= and widget=, visibility=, invoking= or invoked= both say {', '.join(twice)}: drop it from meta="
            )
        return {**(self.meta or {}), **shown} or None

    @property
    def guarded_by(self) -> Guard | None:
        """How the tool is kept from running twice; None for one that changes nothing, or that took its guard off."""
        if self.read_only or self.guard is False:
            return None
        return self.guard if isinstance(self.guard, Guard) else Guard()

    def annotations(self, *, names_its_wish: bool = False) -> ToolAnnotations:
        """Every hint spelled out: ChatGPT's scanner refuses a tool that leaves one of the first three open.

        A guard alone does not make a tool idempotent, because a deliberate repeat runs again. One whose every call
        names its wish (`names_its_wish`) is: equal arguments then hold the same key, within the guard's window.
        """
        destructive = not self.read_only if self.destructive is None else self.destructive
        idempotent = self.idempotent if self.idempotent is not None or self.read_only else names_its_wish
        return ToolAnnotations(
            title=self.title,
            read_only_hint=self.read_only,
            destructive_hint=destructive,
            idempotent_hint=idempotent,
            open_world_hint=self.open_world,
        )


@overload
def tool(method: _Method, /) -> _Method: ...
@overload
def tool(
    *,
    name: str | None = ...,
    title: str | None = ...,
    description: str | None = ...,
    read_only: bool = ...,
    destructive: bool | None = ...,
    idempotent: bool | None = ...,
    open_world: bool = ...,
    deadline: float | None = ...,
    partial: bool | None = ...,
    budget: int | None = ...,
    scopes: Sequence[str] = ...,
    anonymous: bool = ...,
    guard: bool | Guard = ...,
    meta: dict[str, Any] | None = ...,
    widget: Widget | None = ...,
    visibility: Sequence[str] | None = ...,
    invoking: str | None = ...,
    invoked: str | None = ...,
    aliases: Sequence[str] = ...,
    argument_aliases: Mapping[str, str] = ...,
) -> Callable[[_Method], _Method]: ...
def tool(method: Callable[..., Any] | None = None, /, **says: Any) -> Any:
    """Declare a method of a `Connector` to be a tool. Used bare (`@tool`) or with arguments.

    The method may be `async def` or `def` (then it runs in a bounded pool of threads). Its docstring is the
    description, its annotated parameters are the input schema, its return annotation is the output schema. A
    parameter annotated `Call` receives the call itself and does not show in the schema.

    Args:
        name: What hosts call it; default is the method's name. 1 to 64 of `[A-Za-z0-9_-]`.
        title: What people read.
        description: Instead of the docstring.
        read_only: It changes nothing. Hosts then ask nobody for permission, and a client that goes away ends the call.
        destructive: It may overwrite or delete. Default: False for read-only tools, True for others, as MCP defines it.
        idempotent: Calling it again with the same arguments changes nothing more. Default: False, unsaid if read-only.
        open_world: It reaches beyond the connector's own data (the web, other people). Default True, as MCP defines it.
        deadline: Seconds after which the call is ended and answered with an error that says so. It may be longer than
            hosts wait: then the call is answered before, with what there is, and goes on.
        partial: Whether it may be answered before it has ended, with what there is. Default: an async generator may, a
            method that calls `call.partial`, and one whose deadline is longer than hosts wait.
        budget: Bytes of text in one answer; the rest can be fetched. 0: as much as there is. Default: what hosts read.
        scopes: What the caller's token must allow. Means something where the connector is given `auth=`.
        anonymous: It may be called without a token, where the lock lets anybody list the tools.
        guard: How a tool that writes is kept from running twice; False takes the guard off. Default: `Guard()`.
        meta: The descriptor's `_meta`, beside what the next four put into it.
        widget: The page that hosts show beside the result.
        visibility: Who may call it: `model`, `app` (the widget's page), or both. Default: what the host takes as such.
        invoking: What ChatGPT shows while it runs; at most 64 characters.
        invoked: What ChatGPT shows when it has run; at most 64 characters.
        aliases: Names it had before. Platforms keep old lists, so calls by them are answered as before.
        argument_aliases: Names its arguments had before, each with today's.

    Raises:
        DeclarationError: A name hosts refuse, a deadline that is no positive number, hints that contradict each other,
            a scope that cannot be asked for.
    """
    declaration = Declaration(**says)

    def mark(method: _Method) -> _Method:
        if not callable(method) and not isinstance(method, classmethod):
            raise DeclarationError(
                f"@tool stands on {method!r}, which cannot be called: write @tool or @tool(name=...)"
            )
        setattr(method, _MARK, declaration)
        return method

    return mark if method is None else mark(method)


def declared_tools(owner: type) -> Iterator[tuple[str, Declaration]]:
    """Yield (attribute name, declaration) of every tool of `owner`, base classes first, in the order they were
    written.
    """
    seen: dict[str, Declaration] = {}
    for cls in reversed(owner.__mro__):
        for attribute, value in vars(cls).items():
            declaration = _said_of(value)
            if declaration is not None and isinstance(value, property):
                raise DeclarationError(f"{cls.__name__}.{attribute} is a tool and a property: leave @property away")
            if declaration is not None:
                seen[attribute] = declaration
            elif not callable(value) and not isinstance(value, classmethod):
                seen.pop(attribute, None)  # `find = None` in a subclass takes the tool away; an override keeps it
    yield from seen.items()


def _said_of(value: object) -> Declaration | None:
    """What @tool wrote, above `@staticmethod` and its like or below them: they do not hand on what they wrap says."""
    wrapped = value.fget if isinstance(value, property) else getattr(value, "__func__", None)
    said = getattr(value, _MARK, getattr(wrapped, _MARK, None))
    return said if isinstance(said, Declaration) else None
