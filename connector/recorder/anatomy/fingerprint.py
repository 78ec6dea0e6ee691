"""What a request of a known kind is recognised by, far cheaper than by its shape. Pure.

Equal fingerprints mean equal shapes; two fingerprints may have one shape. Holds names and small words, no argument.
"""

from typing import Any, Final

from .vocabulary import LEAVES

_SAID: Final = frozenset(
    {"method", "name", "jsonrpc", "protocolVersion", "io.modelcontextprotocol/protocolVersion", "client_name", "scope"}
)
"""Members whose text can be part of a shape. (What a client registers with, or asks a token with, is read in full.)"""

_LONGEST: Final = 64
_TELLING: Final = frozenset({b"accept", b"content-type", b"user-agent", b"mcp-protocol-version"})
_AUTHORIZATION: Final = b"authorization"
_SCHEME: Final = 7
"""Characters that are looked at of `Authorization`: `Bearer `. Of a token none."""

Line = tuple[bytes, bytes]


def of_headers(lines: list[Line]) -> tuple[object, ...]:
    """What the header lines of a client have in common."""
    return tuple([line if line[0] in _TELLING else _other(line) for line in lines])


def of_json(value: Any) -> object:
    """What the bodies of one kind of message have in common."""
    if type(value) is dict:
        return tuple([(name, _member(name, inner)) for name, inner in value.items()])
    if type(value) is list:
        return (list, *[of_json(item) for item in value[:50]])
    return type(value)


def _member(name: str, value: Any) -> object:
    kind = type(value)
    if kind is str:
        return value[:_LONGEST] if name in _SAID else str
    if kind is dict or kind is list:
        return kind if name in LEAVES else of_json(value)
    return kind


def _other(line: Line) -> object:
    return (_AUTHORIZATION, line[1][:_SCHEME].partition(b" ")[0]) if line[0] == _AUTHORIZATION else line[0]
