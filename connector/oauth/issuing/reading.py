"""Reads what clients send: bounded, tolerant of how it is spelt, strict about saying one thing twice.

Decides nothing about what the parameters mean.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from .refused import Refused

MOST_BYTES: Final = 64 * 1024
"""Of a body. A registration is a few hundred bytes, a consent form with a long `state` a few thousand."""

_MOST_PARAMETERS: Final = 100


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters in the order they came. An empty value counts as absent (RFC 6749 section 3.1)."""

    pairs: tuple[tuple[str, str], ...]

    def __getitem__(self, name: str) -> str | None:
        """The value; None if absent.

        Raises:
            Refused: Two different values (RFC 6749 section 3.1).
        """
        values = self.all(name)
        if len(values) > 1:
            raise Refused("invalid_request", f"{name} is given {len(values)} different values; send one")
        return values[0] if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Every different value, for what may be given more than once (RFC 8707 section 2)."""
        return tuple(dict.fromkeys(value for key, value in self.pairs if key == name and value))

    def besides(self, known: Iterable[str]) -> tuple[str, ...]:
        """The names of all other parameters."""
        beside = dict.fromkeys(name for name, _ in self.pairs)
        return tuple(name for name in beside if name not in set(known))


def parameters_of(encoded: bytes) -> Parameters:
    """Parameters of a query or a form. What is not UTF-8 survives, so that `state` goes back as it came.

    Raises:
        Refused: More parameters than anybody needs.
    """
    try:
        pairs = parse_qsl(
            encoded.decode("latin-1"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        raise Refused("invalid_request", f"More than {_MOST_PARAMETERS} parameters; send fewer") from None
    return Parameters(tuple(pairs))


async def form_of(request: Request) -> Parameters:
    """Parameters in a body, whatever its declared type and charset. A JSON object of strings is read as well.

    Raises:
        Refused: The body is too large.
    """
    body = await body_of(request)
    if body.lstrip()[:1] != b"{":
        return parameters_of(body)
    members = json_object(body) or {}
    return Parameters(tuple((name, _sound(value)) for name, value in members.items() if isinstance(value, str)))


def _sound(text: str) -> str:
    """Without halves of characters, which JSON can hold and no URL can."""
    return text.encode("utf-8", "replace").decode()


async def body_of(request: Request, *, error: str = "invalid_request") -> bytes:
    """The whole body.

    Raises:
        Refused: It is larger than `MOST_BYTES`.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refused(error, f"The body is larger than {MOST_BYTES} bytes; send less")
    return body


def json_object(body: bytes) -> Mapping[str, Any] | None:
    """The JSON object in `body`; None if it holds none, also when it is nested beyond reason."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
