"""Values that a reply gave and a later request uses: they become captures, so that a recording can be played again.

Pure. Looks at whole values only: a header, a cookie, a parameter of `Location`, a text anywhere in the JSON.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..notation.session import MISSING
from ..notation.vocabulary import ALWAYS, MAYBE_BY_NEED, PROVIDED_BY_NEED, SOMETIMES
from .exchange import Exchange
from .plain import is_name, slug

_SHORTEST = 6  # characters of a text in JSON or Location: a shorter one is found again by accident
_LONGEST = 4096  # characters: tokens are shorter, documents are longer
_MOST_VALUES = 20_000  # per session, so that a recording of days does not fill the memory
_COOKIE = re.compile(r"\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)=([^;]*)")
_TAKEN = {
    *ALWAYS,
    *SOMETIMES,
    *(name for own in (PROVIDED_BY_NEED, MAYBE_BY_NEED) for of in own.values() for name in of),
}


@dataclass(slots=True, kw_only=True)
class Source:
    """Where a value came from: the step that asked, and how a session file says it."""

    step: dict[str, Any] = field(repr=False)
    noun: str
    how: dict[str, Any]
    started: float
    variable: str = ""


class Links:
    """The values of one session's replies, and the variables that stand for those that were used."""

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}
        self._variables: set[str] = set(_TAKEN)
        self.moment = 0.0
        """When the request that is being written began: steps stand in this order, and only earlier ones can give."""

    def offer(self, exchange: Exchange, message: Any, step: dict[str, Any]) -> None:
        """Remember what a reply gave. A value that came before keeps its first source."""
        for noun, value, how in (*_of_headers(exchange), *_of_message(message, ())):
            if value not in self._sources and len(self._sources) < _MOST_VALUES:
                self._sources[value] = Source(step=step, noun=noun, how=how, started=exchange.started)

    def use(self, value: str) -> str | None:
        """The variable for a value an earlier reply gave, captured from now on; None if none did."""
        source = self._sources.get(value)
        if source is None or source.started > self.moment:
            return None
        if not source.variable:
            source.variable = self._name(source.noun)
            source.step.setdefault("capture", {})[source.variable] = source.how
        return source.variable

    def _name(self, noun: str) -> str:
        stem = re.sub(r"^[^a-z]+", "", slug(noun, "value").replace("-", "_")) or "value"
        name, number = stem, 1
        while name in self._variables:
            number += 1
            name = f"{stem}_{number}"
        self._variables.add(name)
        return name


def _of_headers(exchange: Exchange) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, value in exchange.reply_headers:
        match name.lower():
            case "mcp-session-id":
                yield "mcp_session_id", value, {"header": "Mcp-Session-Id"}
            case "location":
                yield from _of_location(value)
            case "set-cookie":
                yield from _of_cookie(value)


def _of_location(location: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, value in parse_qsl(urlsplit(location).query):
        if is_name(name) and len(value) >= _SHORTEST:
            yield name, value, {"location": name}


def _of_cookie(header: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    found = _COOKIE.match(header)
    if found and is_name(found[1]):
        pattern = rf"(?:^|, ){re.escape(found[1])}=([^;,]*)"
        yield f"cookie_{found[1]}", found[2], {"header": "Set-Cookie", "matches": pattern}


def _of_message(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if isinstance(value, str):
        if place and _SHORTEST <= len(value) <= _LONGEST:
            noun = next((key for key in reversed(place) if isinstance(key, str)), "value")
            yield noun, value, {"json": list(place)}
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if value is not MISSING and (isinstance(key, int) or is_name(key)):
            yield from _of_message(inner, (*place, key))
