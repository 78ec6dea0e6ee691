"""One string: where the resource, its documents and its issuers are spelt, once, and compared byte by byte.

Pure. Clients compare these strings as they are (incidents P-33, O-04, O-07), so nothing here goes through a URL type
that would spell them anew. What contradicts is refused before anything starts.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from ..errors import DeclarationError

PROTECTED_RESOURCE: Final = "/.well-known/oauth-protected-resource"
AUTHORIZATION_SERVER: Final = "/.well-known/oauth-authorization-server"
OPENID: Final = "/.well-known/openid-configuration"

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def origin_of(public_url: str) -> str:
    """The public URL without the slash that an origin may be written with."""
    return public_url.rstrip("/")


def resource_of(public_url: str, path: str) -> str:
    """The one name of the protected resource: what people enter into a host, byte for byte."""
    return origin_of(public_url) + path


def resource_metadata_url(public_url: str, path: str) -> str:
    """Where the resource's metadata is (RFC 9728, section 3.1: the path comes behind the well-known part)."""
    return origin_of(public_url) + PROTECTED_RESOURCE + path.rstrip("/")


def both_spellings(well_known: str, path: str) -> tuple[str, ...]:
    """The paths under which a host may look for a document: with the endpoint's path behind it, and at the root.

    ChatGPT tries both, in this order; a path behind the well-known part may itself end in a slash.
    """
    bare = path.rstrip("/")
    return tuple(dict.fromkeys((well_known + bare, well_known, well_known + bare + "/")))


def accepted_audiences(public_url: str, path: str) -> frozenset[str]:
    """What a token for this resource may name as its audience: the resource, the resource with a slash, the origin.

    Grants made before a change of spelling hold the others (incident O-04). New ones get the first only.
    """
    resource = resource_of(public_url, path)
    return frozenset({resource, resource.rstrip("/") + "/", origin_of(public_url)})


def metadata_urls(issuer: str) -> tuple[str, ...]:
    """Where an issuer's metadata may be, in the order in which ChatGPT tries (its documentation, "Discovery")."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    found = (origin + AUTHORIZATION_SERVER + path, origin + OPENID + path, origin + path + OPENID)
    return tuple(dict.fromkeys(found))


def is_same_issuer(said: object, expected: str, *, tolerates_slash: bool = False) -> bool:
    """Whether `said` is the issuer: the same string, or the same but for one slash at the end where that is known."""
    if not isinstance(said, str):
        return False
    return said == expected or (tolerates_slash and said.removesuffix("/") == expected.removesuffix("/"))


def are_nearly_the_same(one: str, other: str) -> bool:
    """Whether two strings name one place in two spellings: a slash, the case of the host, a port that is the default.

    Clients take them for two places.
    """
    return one != other and _plain(one) == _plain(other)


def require_one_string(what: str, said: str, known: str, expected: str) -> None:
    """Refuse two spellings of one place.

    Raises:
        DeclarationError: They are nearly the same. The sentence gives both, and says which to change.
    """
    if are_nearly_the_same(said, expected):
        raise DeclarationError(
            f"{what} {said!r} and {known} {expected!r} are one place in two spellings, and hosts compare them byte by "
            f"byte (incident P-33): write {expected!r} in both places"
        )


def require_issuer(issuer: str) -> None:
    """Refuse an issuer that no client could use.

    Raises:
        DeclarationError: It is no https URL, or has a query or a fragment (RFC 8414, section 2). Loopback may be http.
    """
    parts = _split(issuer)
    if parts is None or parts.scheme not in {"https", "http"} or not parts.hostname:
        raise DeclarationError(
            f"issuer {issuer!r} is no URL: write the `issuer` of the authorization server's metadata, e.g. "
            "'https://login.example.com'"
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise DeclarationError(f"issuer {issuer!r} must be https: without it anybody on the way can give out keys")
    if parts.query or parts.fragment or parts.username:
        raise DeclarationError(
            f"issuer {issuer!r} has a query, a fragment or a user name, which an issuer cannot have (RFC 8414, "
            "section 2): leave it out"
        )
    if "{" in issuer or "}" in issuer:
        raise DeclarationError(
            f"issuer {issuer!r} is a template: no token says that. Name the issuer of each tenant you let in"
        )


def require_distinct(issuers: Iterable[str]) -> None:
    """Refuse one issuer in two spellings.

    Raises:
        DeclarationError: The sentence gives both.
    """
    known: list[str] = []
    for issuer in issuers:
        for earlier in known:
            require_one_string("issuer", issuer, "issuer", earlier)
        known.append(issuer)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _plain(url: str) -> str:
    parts = _split(url)
    if parts is None or not parts.hostname:
        return url.removesuffix("/")
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}?{parts.query}"
