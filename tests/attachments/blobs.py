"""A store of blobs on loopback that behaves as it is told: well, slowly, badly, never."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Answering"], None]


class Answering(BaseHTTPRequestHandler):
    """One request, and what can be done with it."""

    server: "Blobs"

    def do_GET(self) -> None:
        """Behave as this path does."""
        self.server.asked.append((self.path, dict(self.headers)))
        with suppress(OSError):  # whoever asked may have had enough
            self.server.behaviours[self.path](self)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def head(self, status: int = 200, **headers: Any) -> None:
        """Send a status and headers."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def reset(self) -> None:
        """Cut the connection as a crash does."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class Blobs(ThreadingHTTPServer):
    """The store."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.behaviours: dict[str, Behaviour] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.closing = threading.Event()

    @property
    def origin(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, path: str, behaviour: Behaviour | bytes) -> dict[str, Any]:
        """Let a path behave that way, and give what the platform sends for such a file."""
        self.behaviours[path] = behaviour if callable(behaviour) else whole(behaviour)
        name = path.rpartition("/")[2]
        return {"download_url": f"{self.origin}{path}", "file_id": f"file_{name}", "file_name": name}

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients leave."""


def whole(body: bytes, **headers: Any) -> Behaviour:
    """The blob, as it should come."""

    def behave(answering: Answering) -> None:
        answering.head(Content_Length=str(len(body)), **headers)
        answering.wfile.write(body)

    return behave


def status(code: int, **headers: str) -> Behaviour:
    """Only a status."""
    return lambda answering: answering.head(code, **{"Content_Length": "0", **headers})


def unmeasured(body: bytes) -> Behaviour:
    """Neither length nor chunks: it ends when the connection does."""

    def behave(answering: Answering) -> None:
        answering.head(Connection="close")
        answering.wfile.write(body)

    return behave


def too_short(body: bytes, *, said: int) -> Behaviour:
    """It says that it is longer than it is."""

    def behave(answering: Answering) -> None:
        answering.head(Content_Length=str(said), Connection="close")
        answering.wfile.write(body)

    return behave


def endless(answering: Answering) -> None:
    """It never ends."""
    answering.head(Connection="close")
    while not answering.server.closing.is_set():
        answering.wfile.write(bytes(64 * 1024))


def silent(answering: Answering) -> None:
    """Two bytes, then nothing."""
    answering.head(Content_Length="1000")
    answering.wfile.write(b"%P")
    answering.server.closing.wait(30)


def dripping(answering: Answering) -> None:
    """A byte now and then."""
    answering.head(Content_Length="1000")
    while not answering.server.closing.wait(0.05):
        answering.wfile.write(b"x")


def broken(body: bytes) -> Behaviour:
    """A part, then a reset."""

    def behave(answering: Answering) -> None:
        answering.head(Content_Length=str(2 * len(body)))
        answering.wfile.write(body)
        answering.reset()

    return behave


@contextmanager
def blobs() -> Iterator[Blobs]:
    """A store that is open for the block."""
    store = Blobs()
    thread = threading.Thread(target=store.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.closing.set()
        store.shutdown()
        store.server_close()
        thread.join(10)
