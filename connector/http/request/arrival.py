"""What arrives with one request, before anybody reads it: its header lines and its body.

Knows the shape of ASGI's messages and how much may be read; does not know what they say.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final

from .reading import INVALID_REQUEST, Refused

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


def trimmed(scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The scope with header values as RFC 9110, section 5.5, defines them: without white space around them.

    httptools, which uvicorn prefers, leaves it behind them (h11 does not), and routing headers are compared by value.
    Lines that most requests of a client have in common are shared by all of them, so that thousands of quiet streams
    do not each hold their own.
    """
    lines = scope["headers"]
    mended = [_shared(name, value) if name in _ALIKE else (name, value.strip(b" \t")) for name, value in lines]
    if not isinstance(lines, list):
        return {**scope, "headers": mended}
    lines[:] = mended
    return scope


_ALIKE: Final = frozenset(
    {
        b"host", b"user-agent", b"content-type", b"accept", b"accept-encoding", b"accept-language", b"connection",
        b"mcp-protocol-version", b"mcp-method", b"mcp-name", b"origin", b"x-forwarded-proto", b"x-forwarded-host",
    }
)  # fmt: skip
"""Names whose values repeat, and hold nothing of a user. Credentials, ids and traces are no one else's."""


@lru_cache(maxsize=512)
def _shared(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return name, value.strip(b" \t")


def texts_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Header lines by name, in lower case; of several with one name the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def whole_body(headers: Mapping[str, str], receive: Receive, most: int) -> bytes | Refused | None:
    """The body; a refusal if it is larger than `most` bytes, None if the client hung up while it was sending."""
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        return _too_large(most)
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), bool(message.get("more_body"))
        if size > most:
            return _too_large(most)
    return b"".join(parts)


def _too_large(most: int) -> Refused:
    return Refused(413, INVALID_REQUEST, f"The body is larger than the {most} bytes that are read (BALLAST_MAX_BODY)")
