"""From the documents that lead to a sign-in to one answer of the table: the first fault on the way. Pure."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from ...outcome import Received
from ...replay.values import is_loopback, origin_of
from ..weighing.verdict import Sign
from .documents import Documents, Fetched
from .observations import media_type

_LOCKED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_EXPECTED: Final = ("resource", "authorization_servers")

_Judge = Callable[[Documents, str], tuple[str, str] | None]


def published(documents: Documents, url: str) -> Sign | None:
    """What the documents say; None if none are published and none are asked for."""
    for judge in _JUDGES:
        found = judge(documents, url)
        if found is not None:
            return Sign(question="oauth", answer=found[0], fact=found[1])
    if documents.issuer:
        return Sign(question="oauth", answer="consistent", fact=f"issuer {documents.issuer}")
    return None


def _no_resource(documents: Documents, _: str) -> tuple[str, str] | None:
    """Nothing that names an authorization server, though one is needed, or something else in its place."""
    if _used(documents.resource, "authorization_servers"):
        return None
    for each in documents.resource:
        received = each.received
        if received is not None and received.status == HTTPStatus.OK and not _is_one(each, _EXPECTED):
            return "page", f"{each.url} answers 200 with {media_type(received) or 'no media type'}, and no document"
    if not documents.is_protected:
        return None
    locked = next((each for each in documents.resource if _status(each) in _LOCKED), None)
    if locked is not None:
        return "locked", f"{locked.url} answers {_status(locked)}"
    return "no-resource-metadata", ", ".join(f"{each.url}: {_said(each)}" for each in documents.resource)


def _another_resource(documents: Documents, url: str) -> tuple[str, str] | None:
    """A path or a query more or less is common and works; another origin does not."""
    content = documents.resource[-1].content if documents.resource else None
    named = (content or {}).get("resource")
    if not isinstance(named, str) or _may_be_of(named, url):
        return None
    return "resource-differs", f"{documents.resource[-1].url} names {named}"


def _may_be_of(named: str, url: str) -> bool:
    if is_loopback(url) and not is_loopback(named):
        return True  # tested at home: its public address is another one by nature
    own, other = urlsplit(url).path.rstrip("/") or "/", urlsplit(named).path.rstrip("/") or "/"
    return origin_of(named).lower() == origin_of(url).lower() and (own.startswith(other) or other.startswith(own))


def _no_server(documents: Documents, _: str) -> tuple[str, str] | None:
    asked = [each for each in documents.server if each.received is not None]
    if not documents.issuer or not asked or _used(documents.server, "token_endpoint"):
        return None
    if all(_status(each) is None for each in asked):
        return "unreachable", f"{documents.issuer}: {_said(asked[0])}"
    return "no-server-metadata", ", ".join(f"{each.url}: {_said(each)}" for each in asked)


def _another_issuer(documents: Documents, _: str) -> tuple[str, str] | None:
    content = _server(documents)
    if not content or content.get("issuer") == documents.issuer:
        return None
    return "issuer-differs", f"expected {documents.issuer!r}, {documents.server[-1].url} says {content.get('issuer')!r}"


def _no_pkce(documents: Documents, _: str) -> tuple[str, str] | None:
    content = _server(documents)
    methods = content.get("code_challenge_methods_supported")
    if not content or (isinstance(methods, list) and "S256" in methods):
        return None
    return "no-pkce", f"code_challenge_methods_supported is {methods!r}"


def _no_keys(documents: Documents, _: str) -> tuple[str, str] | None:
    keys = documents.keys
    if keys is None or keys.received is None or isinstance((keys.content or {}).get("keys"), list):
        return None
    return "no-keys", f"{keys.url}: {_said(keys)}"


_JUDGES: Final[tuple[_Judge, ...]] = (
    _no_resource, _another_resource, _no_server, _another_issuer, _no_pkce, _no_keys,
)  # fmt: skip


def _server(documents: Documents) -> Any:
    return (documents.server[-1].content or {}) if documents.server else {}


def _used(fetched: tuple[Fetched, ...], member: str) -> bool:
    return bool(fetched) and member in (fetched[-1].content or {})


def _is_one(each: Fetched, members: Iterable[str]) -> bool:
    return any(member in (each.content or {}) for member in members)


def _status(each: Fetched) -> int | None:
    return None if each.received is None else each.received.status


def _said(each: Fetched) -> str:
    received: Received | None = each.received
    if received is None:
        return "not asked"
    if received.status is None:
        return received.trouble or "no answer"
    return f"{received.status} {media_type(received)}".strip()
