"""What a browser is told, so that inspectors and widgets can call from an admitted origin. Pure.

The platforms' servers send no Origin and see none of this. Origins that are not admitted never get here.
"""

from typing import Final

Lines = tuple[tuple[bytes, bytes], ...]

_EXPOSED: Final = b"Mcp-Session-Id, MCP-Protocol-Version, Retry-After, WWW-Authenticate"

_ALLOWED_METHODS: Final = b"GET, POST, DELETE, OPTIONS"

_REMEMBERED_FOR: Final = b"600"
"""Seconds a browser may keep the preflight's answer; Chromium caps at 7200, Firefox at 86400."""


def for_reply(origin: str) -> Lines:
    """Header lines that let a page of `origin` read a reply."""
    return (
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"Origin"),
    )


def for_preflight(origin: str, wanted_headers: str) -> Lines:
    """Header lines that answer an OPTIONS request (WHATWG Fetch, "CORS-preflight request")."""
    return (
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-methods", _ALLOWED_METHODS),
        (b"access-control-allow-headers", wanted_headers.encode("latin-1") or b"*"),
        (b"access-control-max-age", _REMEMBERED_FOR),
        (b"vary", b"Origin, Access-Control-Request-Headers"),
    )
