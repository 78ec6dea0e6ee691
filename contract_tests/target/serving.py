"""Serving an application on a free loopback port for the time being, in a thread of its own.

The caller's event loop may be busy, blocked or absent; a target is served and stopped all the same.
"""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

import uvicorn

from ..errors import BadTarget
from .application import Application

LONGEST_START = 60.0
"""Seconds a lifespan may take: indexes are built and databases migrated there."""

_LONGEST_STOP = 10  # seconds for open streams and the lifespan's end, before the thread is left alone


class _LastError(logging.Handler):
    """Keeps the last error uvicorn logged: the only place where it says why a lifespan failed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the last line, which names the exception."""
        lines = [line for line in record.getMessage().splitlines() if line.strip()]
        if lines and not lines[-1].startswith("Application startup failed"):
            self.text = lines[-1].strip()


@contextmanager
def served(application: Application, *, name: str, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an application and give its origin, e.g. http://127.0.0.1:49152.

    Raises:
        BadTarget: the port is taken, or the application does not start.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as problem:
        raise BadTarget(f"{host}:{port} cannot be listened on: {problem.strerror}. Choose another port.") from problem
    errors = _LastError()
    log = logging.getLogger("uvicorn.error")
    log.addHandler(errors)
    server = uvicorn.Server(
        uvicorn.Config(
            application.app,
            lifespan="on" if application.has_lifespan else "auto",
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
    )
    thread = threading.Thread(target=server.run, args=([listener],), name="ballast-target", daemon=True)
    thread.start()
    try:
        _wait_for(server, thread, errors, name)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        _stop(server, thread)
        log.removeHandler(errors)
        listener.close()


def _wait_for(server: uvicorn.Server, thread: threading.Thread, errors: _LastError, name: str) -> None:
    until = monotonic() + LONGEST_START
    while not server.started:
        if not thread.is_alive():
            said = errors.text or "uvicorn does not say why"
            raise BadTarget(f"{name} does not start: {said}. Serve it alone to see the whole traceback.")
        if monotonic() > until:
            raise BadTarget(f"{name} did not start within {LONGEST_START:g} s. Look at what its lifespan waits for.")
        sleep(0.01)


def _stop(server: uvicorn.Server, thread: threading.Thread) -> None:
    server.should_exit = True
    thread.join(_LONGEST_STOP)
    if thread.is_alive():
        server.force_exit = True
        thread.join(_LONGEST_STOP)
