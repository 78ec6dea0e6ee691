"""A target on a bare socket: it keeps the literal bytes of every request and answers with literal bytes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[[socket.socket, int], None]


@dataclass
class Literal:
    """What arrived: one list of requests per connection."""

    url: str
    connections: list[list[bytes]] = field(default_factory=list)

    @property
    def requests(self) -> list[bytes]:
        """Every request in the order of arrival."""
        return [request for connection in self.connections for request in connection]


def reply(body: bytes = b"{}", *, status: str = "200 OK", head: str = "Content-Type: application/json") -> Script:
    """Answer every request at once with a body of known length."""
    head = "".join(f"{line}\r\n" for line in head.splitlines())
    data = f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    return lambda connection, _: connection.sendall(data)


@contextmanager
def literal(script: Script) -> Iterator[Literal]:
    """Serve `script` on a loopback port; it is called with the connection and the number of the request (from 0)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen = Literal(url=f"http://127.0.0.1:{listener.getsockname()[1]}/mcp")
        threading.Thread(target=_serve, args=(listener, seen, script), daemon=True).start()
        yield seen


def _serve(listener: socket.socket, seen: Literal, script: Script) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            requests: list[bytes] = []
            seen.connections.append(requests)
            threading.Thread(target=_talk, args=(connection, requests, seen, script), daemon=True).start()


def _talk(connection: socket.socket, requests: list[bytes], seen: Literal, script: Script) -> None:
    with connection, suppress(OSError):
        while request := _request(connection):
            requests.append(request)
            script(connection, len(seen.requests) - 1)


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := connection.recv(65536)):
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
