"""What becomes of a client's registration: replaced by what is supported, never refused for asking more. Pure.

RFC 7591 section 3.2.1 lets the server replace what was asked. So nothing unknown is refused (incidents P-28, O-08,
O-12, O-16); only a client that names no address to which a code may be sent gets 400. No answer holds a null or an
empty string: hosts validate what they get back.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..refused import Refused
from .client import Proof, shown
from .redirects import RedirectRule, is_admitted, is_sound

GRANTS: Final = ("authorization_code", "refresh_token")
RESPONSES: Final = ("code",)

_MOST_REDIRECTS: Final = 10

_MOST_CHARACTERS: Final = 1200
"""Of all redirect addresses together: they live in the client id, which has to fit into URLs."""

KNOWN: Final = frozenset(
    {
        "application_type", "client_id", "client_name", "client_secret", "client_uri", "contacts", "grant_types",
        "jwks", "jwks_uri", "logo_uri", "policy_uri", "redirect_uris", "response_types", "scope", "software_id",
        "software_statement", "software_version", "token_endpoint_auth_method", "tos_uri",
    }
)  # fmt: skip
"""Members that RFC 7591 or OpenID Connect registration defines; the rest is noted as unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What was registered."""

    redirect_uris: tuple[str, ...]
    name: str
    proof: Proof
    grants: tuple[str, ...]
    scopes: tuple[str, ...]
    jwks_uri: str | None = None
    application_type: str | None = None

    def members(self) -> dict[str, Any]:
        """The members of the answer, besides the client's id and secret."""
        said = {
            "client_name": self.name,
            "redirect_uris": list(self.redirect_uris),
            "grant_types": list(self.grants),
            "response_types": list(RESPONSES),
            "token_endpoint_auth_method": self.proof.value,
            "scope": " ".join(self.scopes),
            "jwks_uri": self.jwks_uri,
            "application_type": self.application_type,
        }
        return {name: value for name, value in said.items() if value}


def narrowed(said: Mapping[str, Any], *, rules: Iterable[RedirectRule], scopes: Iterable[str]) -> Registration:
    """`said` reduced to what is supported. `scopes` are all that exist here.

    Raises:
        Refused: There is no redirect address to which a code may be sent, or there are too many to remember.
    """
    jwks_uri = said.get("jwks_uri")
    jwks_uri = jwks_uri if isinstance(jwks_uri, str) and _is_https(jwks_uri) else None
    kind = said.get("application_type")
    return Registration(
        redirect_uris=_redirects(said.get("redirect_uris"), tuple(rules)),
        name=shown(said.get("client_name")) or "An app without a name",
        proof=(proof := _proof(said.get("token_endpoint_auth_method"), has_keys=_is_short(jwks_uri))),
        grants=_grants(said.get("grant_types")),
        scopes=_scopes(said.get("scope"), tuple(scopes)),
        jwks_uri=jwks_uri if proof is Proof.KEY else None,
        application_type=kind if kind in ("web", "native") else None,
    )


def unknown_in(said: Mapping[str, Any], scopes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What of a registration is unknown here, as (kind, name): members, grants, methods, scopes."""
    yield from (("member", name) for name in said if name not in KNOWN)
    yield from (("grant", each) for each in _strings(said.get("grant_types")) if each not in GRANTS)
    yield from (("scope", each) for each in _words(said.get("scope")) if each not in set(scopes))
    method = said.get("token_endpoint_auth_method")
    if isinstance(method, str) and method and method not in set(Proof):
        yield "auth method", method


def _redirects(said: Any, rules: tuple[RedirectRule, ...]) -> tuple[str, ...]:
    admitted = tuple(dict.fromkeys(each for each in _strings(said) if is_admitted(each, rules)))
    if not admitted:
        raise Refused(
            "invalid_redirect_uri",
            "None of the redirect_uris may receive a code: use the platform's own https address, a loopback address or "
            "an application's own scheme, or ask the connector's owner to admit yours",
        )
    if len(admitted) > _MOST_REDIRECTS or sum(map(len, admitted)) > _MOST_CHARACTERS:
        raise Refused(
            "invalid_redirect_uri",
            f"{len(admitted)} redirect_uris are too many or too long: "
            f"register at most {_MOST_REDIRECTS} with {_MOST_CHARACTERS} characters together",
        )
    return admitted


def _proof(method: Any, *, has_keys: bool) -> Proof:
    """Without a usable method the client is a public one, and PKCE protects the code."""
    if method in (Proof.BASIC, Proof.POST):  # a tuple: anything may stand there, also what cannot be hashed
        return Proof(method)
    return Proof.KEY if method == Proof.KEY and has_keys else Proof.NONE


def _is_https(uri: str) -> bool:
    return is_sound(uri) and uri.startswith("https://")


def _is_short(jwks_uri: str | None) -> bool:
    return jwks_uri is not None and len(jwks_uri) <= 300  # noqa: PLR2004 it lives in the client id


def _grants(said: Any) -> tuple[str, ...]:
    asked = _strings(said)
    kept = tuple(grant for grant in GRANTS if grant in asked)
    return kept if GRANTS[0] in kept else GRANTS


def _scopes(said: Any, known: tuple[str, ...]) -> tuple[str, ...]:
    asked = _words(said)
    return tuple(scope for scope in known if scope in asked) or known


def _strings(said: Any) -> tuple[str, ...]:
    if isinstance(said, str):
        return (said,)  # one address instead of a list of one
    return tuple(each for each in said if isinstance(each, str)) if isinstance(said, list) else ()


def _words(said: Any) -> tuple[str, ...]:
    return tuple(said.split()) if isinstance(said, str) else _strings(said)
