"""A request on a bare socket, for clients that go away in the middle: what an HTTP library does not let one do."""

import ssl
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteStream

from ..replay.wire import Request


async def connected(url: str) -> ByteStream:
    """Open a connection to the origin of an address."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    host = parts.hostname or ""
    if not is_tls:
        return await anyio.connect_tcp(host, port)
    return await anyio.connect_tcp(host, port, ssl_context=ssl.create_default_context(), tls_hostname=host)


def as_bytes(request: Request) -> tuple[bytes, bytes]:
    """The head and the body of a request as HTTP/1.1 writes them."""
    parts = urlsplit(request.url)
    body = request.body or b""
    own = [("Host", parts.netloc), *request.headers, ("Content-Length", str(len(body)))]
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in own), "", ""]
    return "\r\n".join(lines).encode(), body
