"""Serving a target in the foreground, until it is interrupted: `mcp-ballast serve`."""

import socket
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
    port = port or _free_port(host)
    announce(f"serving {specification} at http://{host}:{port} (interrupt to stop)")
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


def _free_port(host: str) -> int:
    """A port to announce before it is served on; nothing else on this machine is likely to take it in between."""
    with socket.create_server((host, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
