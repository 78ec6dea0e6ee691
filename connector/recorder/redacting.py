"""A request as it may be written down: every value a placeholder, names and small words of the protocols kept. Pure.

Whatever no table lets through is replaced, so a new member of a platform comes as its name and the type of its value.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from .anatomy.content import ABSENT, REDACTED, Content, content_of, route_of
from .anatomy.members import is_leaf, names_in
from .anatomy.naming import is_name, is_version, name_or, revision_or
from .anatomy.seen import Pairs, Seen
from .anatomy.vocabulary import CREDENTIALS, DECLARED, LOOPBACK, PLATFORM_HOSTS, STAND_INS, VERBS
from .anatomy.words import CHOICES, client_word, media_words, scope_words
from .shape import is_hop

_ID: Final = re.compile(r"(?:id|session|subject|organization|state|nonce|jti|key|token)$", re.IGNORECASE)
_SMALL: Final = 1000
_MOST_TEXTS: Final = 500
_LONGEST_SAMPLED: Final = 64 * 1024
_VERSIONS: Final = frozenset({"protocolVersion", "io.modelcontextprotocol/protocolVersion"})
_MEDIA: Final = re.compile(r"[a-z]+/[a-z0-9.+*-]{1,48}(?:;profile=[a-z-]{1,32})?")

Place = tuple[str, ...]


def sample_of(seen: Seen, *, endpoint: str = "/mcp", scopes: Collection[str] = ()) -> dict[str, Any]:
    """A request from which a session step can be made again.

    `{"verb", "path", "query": [[name, value]], "headers": [[name, value]]}` and one of `"json"` (any JSON), `"form"`
    ([[name, value]]), `"text"` (what cannot be read), or none of the three if there was no body. Equal values have
    equal placeholders (`<token-1>`, `<id-2>`, `<text-3>`); numbers become small numbers by the same rule; booleans
    become true. Members of an object within an argument are left out, as are headers of hops and of the connection.
    """
    content = content_of(seen, endpoint=endpoint)
    redactor = _Redactor(scopes=scopes)
    sample: dict[str, Any] = {
        "verb": seen.verb if seen.verb in VERBS else REDACTED,
        "path": seen.path if seen.path.rstrip("/") == endpoint.rstrip("/") else route_of(seen.path, endpoint),
        "query": redactor.parameters(content.query),
        "headers": [[name, value] for name, value in redactor.headers(seen.headers)],
    }
    return sample | _body(seen, content, redactor)


def _body(seen: Seen, content: Content, redactor: "_Redactor") -> dict[str, Any]:
    if content.form:
        return {"form": redactor.parameters(content.form)}
    if content.json is not ABSENT:
        is_small = len(seen.body or b"") <= _LONGEST_SAMPLED
        return {"json": redactor.json(content.json, ())} if is_small else {"text": "<text-1>"}
    return {"text": redactor.placeholder("text", repr(seen.body))} if seen.body and seen.body.strip() else {}


@dataclass(slots=True, kw_only=True)
class _Redactor:
    """Redacts one request. Holds its values for as long as that takes, to keep equality."""

    scopes: Collection[str]
    _texts: dict[str, str] = field(default_factory=dict)
    _numbers: dict[float, int] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def placeholder(self, name: str, value: str) -> str:
        """What stands for a text; `name` is what it is called where it is met first."""
        if value not in self._texts:
            if len(self._texts) >= _MOST_TEXTS:
                return "<text>"
            kind = _kind(name)
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._texts[value] = f"<{kind}-{self._counts[kind]}>"
        return self._texts[value]

    def parameters(self, pairs: Pairs) -> list[list[str]]:
        """The parameters of an address or a form, in their order."""
        return [[self._name(name), self._text(value, (name,))] for name, value in pairs]

    def headers(self, pairs: Pairs) -> list[tuple[str, str]]:
        """Header lines, in their order."""
        kept = [(name.lower(), value) for name, value in pairs if not is_hop(name.lower())]
        return [(name_or(name, REDACTED), self._header(name, value)) for name, value in kept]

    def json(self, value: Any, place: Place) -> Any:
        """Any JSON, member by member."""
        if isinstance(value, dict):
            return self._object(value, place)
        if isinstance(value, list):
            return [self.json(item, place) for item in value[:20]]
        if isinstance(value, str):
            return self._text(value, place)
        if value is None or isinstance(value, bool):
            return None if value is None else value if DECLARED.intersection(place) else True
        return self._number(value, place)

    def _object(self, value: Mapping[str, Any], place: Place) -> dict[str, Any]:
        if place and place[-1] == "arguments":
            return {self._name(name): self._argument(name, inner) for name, inner in value.items()}
        if is_leaf(place):
            return {}
        names = names_in(dict(value), place)
        return {self._name(key, names[key]): self.json(inner, (*place, key)) for key, inner in value.items()}

    def _argument(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {}
        if isinstance(value, list):
            return [self._argument(name, item) for item in value[:1]]
        if isinstance(value, str):
            return self.placeholder("text", value)
        return value if value is None else True if isinstance(value, bool) else self._number(value, (name,))

    def _name(self, name: str, said: str | None = None) -> str:
        return name if (name if said is None else said) == name and is_name(name) else self.placeholder("name", name)

    def _number(self, value: float, place: Place) -> float:
        if DECLARED.intersection(place) and abs(value) < _SMALL:
            return value
        count = self._numbers.setdefault(value, len(self._numbers) + 1)
        return count if isinstance(value, int) else count + 0.5

    def _text(self, value: str, place: Place) -> str:
        name = place[-1] if place else "text"
        kept = _kept(value, place, self.scopes)
        if kept is not None:
            return kept
        if name in STAND_INS:
            return STAND_INS[name]
        if _plain(name) not in CREDENTIALS and value.startswith(("http://", "https://", "ui://")):
            return self._address(value)
        return self.placeholder(name, value)

    def _address(self, value: str) -> str:
        try:
            parts = urlsplit(value)
            host = (parts.hostname or "").lower()
        except ValueError:
            return self.placeholder("text", value)
        is_known = host in LOOPBACK or any(host == known or host.endswith(f".{known}") for known in PLATFORM_HOSTS)
        named = host if is_known and is_name(host.replace("127.0.0.1", "localhost")) else self._host(host)
        rest = value.partition("://")[2].partition("/")[2]
        path = "/".join(
            part if route_of(f"/{part}", "") == f"/{part}" else self.placeholder("id", part)
            for part in rest.partition("?")[0].split("/")
        )
        return f"{parts.scheme}://{named}{'/' if rest else ''}{path if rest else ''}"

    def _host(self, host: str) -> str:
        return f"{self.placeholder('host', f'host {host}').strip('<>')}.example"

    def _header(self, name: str, value: str) -> str:
        if name in {"accept", "content-type"}:
            return media_words(value).replace(" ", ", ")
        if name == "user-agent":
            return _agent(value)
        if name == "mcp-protocol-version":
            return revision_or(value, REDACTED)
        if name in {"mcp-method", "mcp-name"} and is_name(value):
            return value
        if name == "authorization":
            scheme, _, rest = value.partition(" ")
            return f"{name_or(scheme, REDACTED)} {self.placeholder('token', rest)}" if rest else "<token>"
        return self.placeholder("cookie" if name == "cookie" else name, value)


def _kept(value: str, place: Place, scopes: Collection[str]) -> str | None:
    """The text itself, or what of it may be said, where its place holds a small word of the protocols."""
    name = place[-1] if place else ""
    if name in CHOICES:
        return " ".join(name_or(word, REDACTED) for word in value.split())
    if name == "scope":
        return " ".join(word for word in scope_words(value, scopes).split() if word[0] != "(")
    if name in _VERSIONS:
        return revision_or(value, REDACTED)
    if name == "client_name" or (name == "name" and place[-2:-1] and place[-2].endswith("clientInfo")):
        return client_word(value)
    is_said = is_name(value) and place in _SAID
    return (
        value if is_said else _of_client(value, place) or (_declared(value) if DECLARED.intersection(place) else None)
    )


_SAID: Final = frozenset({("method",), ("params", "name")})


def _of_client(value: str, place: Place) -> str | None:
    """The version of a client, and of JSON-RPC."""
    if place == ("jsonrpc",):
        return "2.0" if value == "2.0" else REDACTED
    is_version_of_client = place[-1:] == ("version",) and place[-2:-1] and place[-2].endswith("clientInfo")
    return (value if is_version(value) else "1.0.0") if is_version_of_client else None


def _declared(value: str) -> str | None:
    is_media = _MEDIA.fullmatch(value) and all(is_name(part) for part in re.findall(r"[a-z]+", value))
    return value if is_media or is_name(value) else None


def _agent(value: str) -> str:
    """A User-Agent with its products, their versions and comments of one or two words."""
    words = re.findall(r"[^\s()]+|[()]", value)[:12]
    kept = [word for word in words if word in "()" or _is_product(word)]
    said = " ".join(kept).replace("( ", "(").replace(" )", ")").replace(" ()", "")
    return said.strip() or REDACTED


def _is_product(word: str) -> bool:
    name, _, version = word.partition("/")
    return is_name(name) and (not version or is_version(version))


def _kind(name: str) -> str:
    if _plain(name) in CREDENTIALS:
        return "token"
    if name in {"text", "name", "host", "cookie"}:
        return name
    return "id" if _ID.search(name) else "text"


def _plain(name: str) -> str:
    return re.sub(r"[-_]", "", name.lower().rpartition("/")[2])
