"""From what was on the wire to what may be written: templates of the session format, without a secret. Pure.

Everything is a placeholder unless a table of `rules` keeps it, or an earlier reply gave it. What stays is looked at
part by part, because a secret can stand in any place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .addresses import Addresses, literal
from .linking import Links
from .placeholders import Placeholders
from .plain import is_name, scrubbed
from .rules import ADDRESSES, FORMS, KEPT_MEMBERS, KEPT_PARAMETERS, KEPT_TREES, MADE_UP, is_credential

_SMALL = 1000  # a number below it, in a declaration, is a limit or a version
_LOOKS_LIKE_ADDRESS = ("http://", "https://", "ui://")

Place = tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Redactor:
    """Redacts the requests of one session. `used`, `missing` and `needs` tell what the last step rests on."""

    placeholders: Placeholders
    links: Links
    addresses: Addresses
    used: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)

    def linked(self, value: str) -> str | None:
        """The template for a value an earlier reply gave; None if none did."""
        name = self.links.use(value)
        if name is None:
            return None
        if name not in self.used:
            self.used.append(name)
        return f"${{{name}}}"

    def secret(self, name: str, value: str) -> str:
        """A value that is replaced: by a variable if it came from a reply, else by its placeholder."""
        found = self.linked(value) if value else ""
        if found is not None:
            return found
        return literal(self.placeholders.text(name.rpartition("/")[2], value, is_credential=is_credential(name)))

    def note(self, value: Any, name: str = "argument") -> None:
        """Have every text of some JSON looked for in what is written from now on."""
        if isinstance(value, dict):
            for inner_name, inner in value.items():
                self.note(inner, inner_name)
        elif isinstance(value, list):
            for item in value:
                self.note(item, name)
        elif isinstance(value, str):
            self.placeholders.text(name, value, is_credential=is_credential(name))

    def kept(self, text: str) -> str:
        """A text that is kept, but for parts of it that could be secrets."""
        return literal(scrubbed(text, lambda part: self.placeholders.text("text", part)))

    def name(self, text: str) -> str:
        """The name of a member or a parameter, if it looks like one."""
        return text if is_name(text) else literal(self.placeholders.text("member", text))

    def json(self, value: Any, place: Place = ()) -> Any:
        """Any JSON, member by member."""
        if isinstance(value, dict):
            return {self.name(name): self.json(inner, (*place, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.json(item, place) for item in value]
        if isinstance(value, str):
            return self._text(value, place)
        if value is None or isinstance(value, bool):
            return value
        is_declared = bool(KEPT_TREES.intersection(place)) and abs(value) < _SMALL
        return value if is_declared else self.placeholders.number(value)

    def parameters(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """The parameters of a query or a form, in their order."""
        return [(self.name(name), self._parameter(name, value)) for name, value in pairs]

    def url(self, url: str) -> str:
        """An address: the one a reply gave, or without secrets."""
        return self.linked(url) or self.addresses.written(url)

    def opaque(self, name: str, value: str) -> str:
        """An identifier of the platform, with the version in front that it has."""
        version, slash, rest = value.partition("/")
        if slash and version == "v1" and self.links.use(value) is None:
            return "v1/" + self.secret(name, rest)
        return self.secret(name, value)

    def _text(self, value: str, place: Place) -> str:
        name = place[-1] if place else "text"
        if is_credential(name):
            return self.secret(name, value)
        if place in KEPT_MEMBERS or place[-2:] in KEPT_MEMBERS - {place[-1:]} or KEPT_TREES.intersection(place):
            return self.kept(value)
        if name in ADDRESSES and value.startswith(_LOOKS_LIKE_ADDRESS):
            return self.url(value)
        if name in FORMS:
            return FORMS[name]
        return self.opaque(name, value)

    def _parameter(self, name: str, value: str) -> str:
        if name in MADE_UP:
            return MADE_UP[name]
        if name in KEPT_PARAMETERS:
            return self.kept(value)
        if name in {"client_id", "client_secret"}:
            return self._client(name, value)
        if name in ADDRESSES and urlsplit(value).scheme in {"http", "https"}:
            return self.url(value)
        template = self.secret(name, value)
        if is_credential(name) and template.startswith("{"):
            self.missing.append(name)
        return template

    def _client(self, name: str, value: str) -> str:
        """A client that registered in this session, one known by its document, or one registered beforehand."""
        if (found := self.linked(value)) is not None:
            return found
        if name == "client_id" and value.startswith("https://"):
            return self.addresses.written(value)
        self.needs.add("predefined_client")
        self.secret(name, value)  # it is looked for in what is written from now on
        return "${client.id}" if name == "client_id" else "${client.secret?}"
