"""The recorder in the foreground: a proxy on loopback until it is interrupted, or a HAR file read to its end.

The edge of this package: signals, sockets and files. At the end everything is written, whatever ended it.
"""

import os
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import uvicorn

from ..errors import CannotRecord
from ..target.target import Target
from .har import read_har
from .middleware import Recorder
from .notebook import Notebook
from .origins import Origins
from .relay import Relay

_SECONDS_TO_FINISH = 2  # an exchange in flight may end; a stream that goes on is cut, and written as cut

Announce = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Where a recording goes, and what may be in it."""

    out: Path
    allowed: tuple[str, ...] = ()

    def notebook(self, *, path: str, origins: Iterable[str], source: str, began: datetime | None = None) -> Notebook:
        """A notebook for it."""
        return Notebook(self.out, path=path, origins=origins, allowed=self.allowed, source=source, now=began)


def record(target: Target, recording: Recording, *, port: int, announce: Announce) -> None:
    """Relay and record until SIGINT or SIGTERM.

    Raises:
        CannotRecord: the port is taken, or the folder cannot be made.
    """
    listener = _listener(port)
    with listener:
        host, bound = listener.getsockname()[:2]
        origins = Origins.of(target.url)
        path = urlsplit(target.url).path or "/"
        notebook = recording.notebook(path=path, origins=[origins.target], source="recorded by mcp-ballast record")
        announce(f"recording {target.name}: let clients use http://{host}:{bound}{path} (interrupt to stop)")
        anyio.run(_serve, listener, origins, notebook)
    report(notebook, announce)


def import_har(file: Path, target: str, recording: Recording, *, announce: Announce) -> None:
    """Turn the exchanges of a HAR file with one server into sessions.

    Raises:
        CannotRecord: it is no HAR file, or holds nothing of that server, or of several while none is named.
    """
    found = read_har(file, target)
    source = "imported from a HAR file recorded"
    notebook = recording.notebook(path=found.path, origins=[found.origin], source=source, began=found.began)
    for exchange in found.exchanges:
        notebook.add(exchange)
    if found.unusable:
        announce(f"left out: {found.unusable} entries without a reply")
    report(notebook, announce)


def report(notebook: Notebook, announce: Announce) -> None:
    """Say what was written."""
    files = notebook.files()
    for file, steps in files:
        announce(f"written: {file} ({steps} step{'' if steps == 1 else 's'})")
    if not files:
        announce("nothing was recorded: no request came")
    if notebook.ignored:
        announce(f"left out: {notebook.ignored} exchanges without a reply, or with a method no session has")


async def _serve(listener: socket.socket, origins: Origins, notebook: Notebook) -> None:
    async with Relay(origins) as relay:
        config = uvicorn.Config(
            Recorder(relay, notebook=notebook),
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        )
        server = _Server(config)
        async with anyio.create_task_group() as group:
            group.start_soon(_stop_at_a_signal, server)
            await server.serve(sockets=[listener])
            group.cancel_scope.cancel()


class _Server(uvicorn.Server):
    """Leaves signals alone: uvicorn would raise them again at the end, and SIGTERM would kill the report."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def _stop_at_a_signal(server: uvicorn.Server) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            server.force_exit = server.should_exit  # who asks twice does not want to wait
            server.should_exit = True


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as problem:
        text = f"127.0.0.1:{port} cannot be listened on: {os.strerror(problem.errno or 0)}. Choose another --port."
        raise CannotRecord(text) from problem
