"""Runs an app under uvicorn with what a connector behind proxies needs."""

import logging
from typing import Final

import uvicorn
from starlette.types import ASGIApp

logger = logging.getLogger("ballast")

KEEP_ALIVE: Final = 75
"""Seconds an idle connection stays open: longer than nginx keeps its own to us (60), so that it is never the one
surprised. uvicorn's default of 5 makes proxies send requests into connections that are just being closed.
"""


def serve(app: ASGIApp, *, host: str, port: int, path: str) -> None:
    """Serve until a signal ends it."""
    config = uvicorn.Config(
        app, host=host, port=port, lifespan="on", ws="none", timeout_keep_alive=KEEP_ALIVE, access_log=False
    )
    logger.info("Serving MCP at http://%s:%d%s", host, port, path)
    uvicorn.Server(config).run()
