"""What arrives with one request, before anybody reads it: its header lines and its body.

Knows the shape of ASGI's messages and how much may be read; does not know what they say.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final

from .coding import too_large, unpacked
from .reading import PARSE_ERROR, Refused

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
    """The body, unpacked; a refusal if it is larger than `most` bytes, cannot be unpacked, or did not arrive, None if
    the client hung up while it was sending.
    """
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        return too_large(most)
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), bool(message.get("more_body"))
        if size > most:
            return too_large(most)
    if not size and _was_announced(headers):
        why = "Send it without the Upgrade header" if "upgrade" in headers else "Something before this endpoint read it"
        return Refused(400, PARSE_ERROR, f"Parse error: the body did not arrive. {why}")
    body = b"".join(parts)
    return unpacked(headers["content-encoding"], body, most) if "content-encoding" in headers else body


def _was_announced(headers: Mapping[str, str]) -> bool:
    """Whether there was a body. httptools stops reading at an `Upgrade` (Java's HttpClient asks for h2c with a POST),
    and uvicorn then passes on an empty one: acknowledged like a probe, the call would be lost without a word.
    """
    length = headers.get("content-length", "0")
    return length.strip("0") != "" or ("upgrade" in headers and "transfer-encoding" in headers)
