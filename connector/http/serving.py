"""Runs an app under uvicorn with what a connector behind proxies needs."""

import logging
import math
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from ..settings import Settings

logger = logging.getLogger("ballast")

KEEP_ALIVE: Final = 75
"""Seconds an idle connection stays open: longer than nginx keeps its own to us (60), so that it is never the one
surprised. uvicorn's default of 5 makes proxies send requests into connections that are just being closed.
"""


BEYOND_DRAIN: Final = 5
"""Seconds after the end of the drain until uvicorn itself cuts what is left: the backstop, never the plan."""


def serve(app: ASGIApp, *, host: str, port: int, settings: Settings) -> None:
    """Serve until a signal ends it."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        lifespan="on",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=math.ceil(settings.drain.within) + BEYOND_DRAIN,
        access_log=False,
    )
    logger.info("Serving MCP at http://%s:%d%s", host, port, settings.access.path)
    uvicorn.Server(config).run()
