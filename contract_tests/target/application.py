"""What of an object can be served: its ASGI application, by what the object can do, never by what it is called.

No server framework is imported here: this package must be able to judge any of them.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..errors import BadTarget

Asgi = Callable[[Any, Any, Any], Awaitable[None]]

_MAKERS = ("app", "streamable_http_app", "http_app")
"""Methods that give an ASGI application: our connectors, the SDK's servers, FastMCP's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An ASGI application. One that is known to have a lifespan must start with it."""

    app: Asgi
    has_lifespan: bool


def as_application(found: object, *, name: str) -> Application:
    """Make an application of an object.

    Raises:
        BadTarget: it is none of the things that can be served, or making the application failed.
    """
    if not inspect.isclass(found):
        for method in _MAKERS:
            maker = getattr(found, method, None)
            if callable(maker) and _takes(maker):
                return Application(app=_made(maker, name), has_lifespan=True)
        if callable(found) and _takes(found, {}, None, None):
            return Application(app=found, has_lifespan=hasattr(found, "router"))
    kind = f"the class {found.__name__}" if inspect.isclass(found) else f"an object of type {type(found).__name__}"
    hint = " Name an instance of it." if inspect.isclass(found) else ""
    raise BadTarget(
        f"{name} is {kind}, which cannot be served: it is no ASGI application and has none of "
        f"{', '.join(f'.{method}()' for method in _MAKERS)}.{hint}"
    )


def _made(maker: Callable[[], Asgi], name: str) -> Asgi:
    try:
        return maker()
    except Exception as problem:
        said = f"{type(problem).__name__}: {problem}"
        raise BadTarget(f"{name} gives no application: {said}. Correct it there.") from problem


def _takes(function: Callable[..., Any], *arguments: object) -> bool:
    """Whether it can be called with these arguments."""
    try:
        inspect.signature(function).bind(*arguments)
    except (TypeError, ValueError):
        return False
    return True
