"""The small words of the protocols that a request says: media types, grants, methods, the client's name. Pure.

Only what stands in a place where a specification puts a word, and only words that a table knows or that look like a
name. Addresses keep their scheme, a platform's host and the words of their path.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from ...http.request.reading import VERSION_KEY
from .content import ABSENT, REDACTED, Content, route_of
from .naming import is_name, name_or, revision_or
from .seen import Pairs, Seen
from .vocabulary import LOOPBACK, MEDIA, PLATFORM_HOSTS, SCOPES

OTHER_WORD: Final = "(other)"

CLIENT_KEY: Final = "io.modelcontextprotocol/clientInfo"

_LONGEST_CLIENT: Final = 48
_MOST_CLIENT_WORDS: Final = 4
_PRODUCT: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9._-]{0,39})(?:/\S+)?(?:\s+\(([^()]{1,32})\))?")
_LONGEST_SURFACE: Final = 32

CHOICES: Final = frozenset(
    {
        "grant_type", "response_type", "response_mode", "code_challenge_method", "client_assertion_type",
        "token_type_hint", "prompt", "display", "token_endpoint_auth_method", "token_endpoint_auth_signing_alg",
        "application_type", "grant_types", "response_types", "subject_token_type", "requested_token_type",
    }
)  # fmt: skip
"""Parameters and members that choose a way and name nobody. Of a list, or of words with spaces, every word counts."""

ADDRESSES: Final = frozenset({"redirect_uri", "redirect_uris", "client_id", "client_uri", "jwks_uri"})
"""Parameters and members of OAuth whose address tells which form a platform uses (incidents P-10, P-11)."""


def words_of(seen: Seen, content: Content, *, version: str, scopes: Collection[str], is_browser: bool) -> Pairs:
    """What is said, sorted, each once."""
    found = set(_of_headers(seen, is_browser=is_browser))
    found |= set(_of_parameters((*content.query, *content.form), scopes))
    if isinstance(content.json, dict):
        found |= set(_of_message(content.json, version))
        found |= set(_of_parameters(_texts(content.json), scopes))
    if content.json is ABSENT and seen.body is None and seen.verb == "POST":
        found.add(("body", "unread"))
    return tuple(sorted(found))


def client_word(said: object) -> str:
    """The name of a client's program, if it is one."""
    if not isinstance(said, str) or len(said) > _LONGEST_CLIENT:
        return REDACTED
    words = re.split(r"[\s()]+", said.strip())
    is_plain = len(words) <= _MOST_CLIENT_WORDS + 1 and all(is_name(word) for word in words if word)
    return " ".join(said.split()) if is_plain and any(words) else REDACTED


def product_word(user_agent: str) -> str:
    """The first product of a User-Agent, without its version, and the comment behind it if that is a name."""
    found = _PRODUCT.match(user_agent)
    if found is None or not is_name(found[1]):
        return REDACTED if user_agent else ""
    comment = client_word(found[2]) if found[2] else REDACTED
    return found[1] if comment == REDACTED else f"{found[1]} ({comment})"


def unknown_surface(user_agent: str) -> str:
    """What a client that is in no table is called."""
    product = product_word(user_agent).partition(" ")[0].lower()
    is_fit = product and product != REDACTED and len(product) <= _LONGEST_SURFACE
    return f"unknown:{product}" if is_fit else "other"


def client_name(message: Any) -> str | None:
    """`clientInfo.name`, of either era; None if there is no such text."""
    params = message.get("params") if isinstance(message, dict) else None
    if not isinstance(params, dict):
        return None
    meta = params.get("_meta")
    for info in (meta.get(CLIENT_KEY) if isinstance(meta, dict) else None, params.get("clientInfo")):
        name = info.get("name") if isinstance(info, dict) else None
        if isinstance(name, str):
            return name
    return None


def version_of(seen: Seen, message: Any) -> str:
    """The protocol revision a request was sent under: the header's, else the envelope's, else the handshake's."""
    said = [seen.header("mcp-protocol-version"), *(version for _, version in _versions(message))]
    return next((revision_or(version, REDACTED) for version in said if version), "")


def address_word(address: str, *, endpoint: str = "") -> str:
    """Scheme, a platform's host, and the words of the path: `https://chatgpt.com/{}/oauth/{}`. Ports are left out."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").lower()
    except ValueError:
        return REDACTED
    if not parts.scheme or not re.fullmatch(r"https?", parts.scheme):
        return f"{name_or(parts.scheme, REDACTED)}:" if "://" in address and parts.scheme else "(opaque)"
    is_platform = any(host == known or host.endswith(f".{known}") for known in PLATFORM_HOSTS)
    named = "loopback" if host in LOOPBACK else _platform(host) if is_platform else "(host)"
    return f"{parts.scheme}://{named}{route_of(parts.path, endpoint) if parts.path else ''}"


def scope_words(said: str, scopes: Collection[str]) -> str:
    """The scopes that are known by name, sorted; the others as one word."""
    words = {scope if scope in SCOPES or scope in scopes else OTHER_WORD for scope in said.split()}
    return " ".join(sorted(words)) or "(empty)"


def media_words(said: str) -> str:
    """The media types of an `Accept` or `Content-Type`, sorted."""
    kinds = {part.partition(";")[0].strip().lower() for part in said.split(",")}
    return " ".join(sorted({kind if kind in MEDIA else OTHER_WORD for kind in kinds if kind})) or "(empty)"


def _platform(host: str) -> str:
    return next(known if host == known else f"*.{known}" for known in PLATFORM_HOSTS if host.endswith(known))


def _of_headers(seen: Seen, *, is_browser: bool) -> Iterator[tuple[str, str]]:
    for name, value in seen.headers:
        lower = name.lower()
        read = _HEADER_WORDS.get(lower)
        if read is not None and not (is_browser and lower == "accept"):
            yield lower, read(value)


_HEADER_WORDS: Final[Mapping[str, Callable[[str], str]]] = {
    "accept": media_words,
    "content-type": media_words,
    "user-agent": product_word,
    "authorization": lambda value: name_or(value.partition(" ")[0].lower(), REDACTED) if " " in value else REDACTED,
}


def _of_message(message: Mapping[str, Any], version: str) -> Iterator[tuple[str, str]]:
    name = client_name(message)
    if name is not None:
        yield "client", client_word(name)
    for place, said in _versions(message):
        if revision_or(said, REDACTED) != version:
            yield place, revision_or(said, REDACTED)


def _versions(message: Any) -> list[tuple[str, str]]:
    params = message.get("params") if isinstance(message, dict) else None
    if not isinstance(params, dict):
        return []
    meta = params.get("_meta")
    said = [("envelope version", meta.get(VERSION_KEY) if isinstance(meta, dict) else None)]
    said.append(("handshake version", params.get("protocolVersion")))
    return [(place, version) for place, version in said if isinstance(version, str) and version]


def _texts(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts on top of a JSON body, those of a list each by itself, if it is no JSON-RPC."""
    if "jsonrpc" in message:
        return
    for name, value in message.items():
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str):
                yield name, text


def _of_parameters(pairs: Iterable[tuple[str, str]], scopes: Collection[str]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if name == "scope":
            yield name, scope_words(value, scopes)
        elif name == "client_name":
            yield "client", client_word(value)
        elif name in ADDRESSES:
            yield name, address_word(value)
        elif name in CHOICES:
            for word in value.split() or ("(empty)",):
                yield name, word if word == "(empty)" else name_or(word, REDACTED)
