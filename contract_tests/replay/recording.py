"""Exchanges as they are kept for reports: without the credentials that are known to have been on the wire.

`credentials` knows secrets by the names they stand under; here they are known by value, wherever a server repeats them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

from ..credentials import PLACEHOLDER, clean, clean_header
from ..outcome import Received, Sent
from .wire import Request

SHORTEST_SECRET = 8
"""Characters: a shorter value would be found in innocent text."""

_SECRET_NAMES = frozenset(
    {
        "access_token", "refresh_token", "id_token", "client_secret", "secret", "code", "verifier", "assertion",
        "client_assertion", "registration_access_token", "new_token", "new_refresh_token", "token",
    }
)  # fmt: skip


def secrets_among(values: Mapping[str, Any]) -> Iterator[str]:
    """The values of variables whose names say that they are credentials, the longest first."""
    found = [text for name, value in values.items() if _is_secret(name) for text in _texts(value)]
    yield from sorted({text for text in found if len(text) >= SHORTEST_SECRET}, key=len, reverse=True)


def recorded_request(request: Request, secrets: Iterable[str]) -> Sent:
    """The request as a report shows it."""
    known = tuple(secrets)
    body = "" if request.body is None else request.body.decode("utf-8", "replace")
    headers = tuple((name, withheld(clean_header(name, value), known)) for name, value in request.headers)
    return Sent(method=request.method, url=withheld(request.url, known), headers=headers, body=withheld(body, known))


def recorded_reply(received: Received, secrets: Iterable[str]) -> Received:
    """The reply as a report shows it."""
    known = tuple(secrets)
    headers = tuple((name, withheld(clean_header(name, value), known)) for name, value in received.headers)
    return replace(received, headers=headers, body=withheld(received.body, known))


def withheld(text: str, secrets: Iterable[str]) -> str:
    """Text with every one of the secrets replaced, and whatever looks like another."""
    for secret in secrets:
        text = text.replace(secret, PLACEHOLDER).replace(quote_plus(secret), PLACEHOLDER)
    return clean(text)


def _is_secret(name: str) -> bool:
    parts = name.split(".")
    return parts[-1] in _SECRET_NAMES or (parts[-1] == "all" and parts[-2] in _SECRET_NAMES)


def _texts(value: Any) -> Iterable[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
