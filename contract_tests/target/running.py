"""Serving a target in the foreground, until it is interrupted: `mcp-ballast serve`."""

import os
import socket
from collections.abc import Callable
from typing import Any, Final

import uvicorn

from ..errors import BadTarget
from .application import as_application
from .resolving import resolve

SERVED: Final = "BALLAST_SERVED"
"""Tells a worker, which is a process of its own, what to serve."""

FACTORY: Final = f"{__name__}:worker"


def run_target(
    specification: str, *, host: str, port: int, announce: Callable[[str], object], workers: int = 1
) -> None:
    """Serve `module:attribute` or `file.py[:attribute]` until SIGINT or SIGTERM.

    An object with its own `.serve(host=..., port=...)` is asked to do it, for it knows best how to stop. Each of
    several workers imports the target for itself.

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
        os.environ[SERVED] = specification
        own(host=host, port=port, **({"workers": workers, "factory": FACTORY} if workers > 1 else {}))
        return
    os.environ[SERVED] = specification
    uvicorn.run(
        FACTORY if workers > 1 else application.app,
        factory=workers > 1,
        workers=workers,
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


def worker() -> Any:
    """The application one worker serves."""
    specification = os.environ[SERVED]
    return as_application(resolve(specification), name=specification).app
