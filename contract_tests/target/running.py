"""Serving a target in the foreground, until it is interrupted: `mcp-ballast serve`."""

from collections.abc import Callable

import uvicorn

from ..errors import BadTarget
from .application import as_application
from .resolving import resolve


def run_target(specification: str, *, host: str, port: int, announce: Callable[[str], object]) -> None:
    """Serve `module:attribute` or `file.py[:attribute]` until SIGINT or SIGTERM.

    An object with its own `.serve(host=..., port=...)` is asked to do it, for it knows best how to stop.

    Raises:
        BadTarget: it cannot be imported or is no server.
    """
    if "://" in specification:
        raise BadTarget(f"{specification} is an address: something serves it already. Give module:attribute or a file.")
    found = resolve(specification)
    application = as_application(found, name=specification)
    announce(f"serving {specification} at http://{host}:{port}/mcp (interrupt to stop)")
    own = getattr(found, "serve", None)
    if callable(own) and hasattr(found, "app"):
        own(host=host, port=port)
        return
    uvicorn.run(
        application.app,
        host=host,
        port=port,
        lifespan="on" if application.has_lifespan else "auto",
        ws="none",
        access_log=False,
    )
