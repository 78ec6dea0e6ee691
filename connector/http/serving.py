"""Runs an app under uvicorn with what a connector behind proxies needs."""

import logging
import math
import socket
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from ..settings import Settings

logger = logging.getLogger("ballast")

KEEP_ALIVE: Final = 75
"""Seconds an idle connection stays open: longer than nginx keeps its own to us (60), so that it is never the one
surprised. uvicorn's default of 5 makes proxies send requests into connections that are just being closed.
"""


BEYOND_DRAIN: Final = 5
"""Seconds after the end of the drain until uvicorn itself cuts what is left: the backstop, never the plan."""


BACKLOG: Final = 2048
"""Connections the kernel holds while no worker has taken them; uvicorn's own default."""


def serve(app: ASGIApp | str, *, host: str, port: int, settings: Settings, workers: int = 1) -> None:
    """Serve until a signal ends it. Several workers need `app` as the import string of a function that makes it."""
    config = uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        host=host,
        port=port,
        lifespan="on",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=math.ceil(settings.drain.within) + BEYOND_DRAIN,
        access_log=False,
    )
    logger.info("Serving MCP at http://%s:%d%s, %d worker(s)", host, port, settings.access.path, workers)
    if workers == 1:
        uvicorn.Server(config).run()
    else:
        Workers(config, [_listening(host, port)]).run()


class Workers(Multiprocess):
    """uvicorn's supervisor: a worker that dies is replaced, SIGHUP replaces all one by one. A second SIGTERM is
    passed on too.
    """

    def join_all(self) -> None:
        """Wait for every worker to end; a worker that is signalled twice ends at once."""
        for process in self.processes:
            while process.exitcode is None:
                process.process.join(0.2)
                if self.signal_queue:
                    self.signal_queue.clear()
                    self.terminate_all()


def _listening(host: str, port: int) -> socket.socket:
    """The socket all workers accept from. Its protocol is named, or asyncio would leave Nagle's algorithm on for what
    is accepted from it, and small replies would wait 40 ms.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(BACKLOG)
    listener.set_inheritable(True)
    return listener
