"""Reads a client document (OAuth Client ID Metadata Document): who the client is that its address names. Pure.

Unknown members are ignored. A document has said how the client proves itself in a single member, in a plural one and
in both (incident P-02); whatever either names and is supported here will do.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from ..refused import Refused, unknown_client
from .client import Client, Origin, Proof, shown
from .redirects import is_sound

_LONGEST: Final = 1000

_MOST_REDIRECTS: Final = 50

_LOCAL: Final = ("127.0.0.1", "localhost", "::1")

KNOWN: Final = frozenset(
    {
        "application_type", "client_id", "client_name", "client_uri", "contacts", "grant_types", "jwks", "jwks_uri",
        "logo_uri", "policy_uri", "redirect_uris", "response_types", "scope", "software_id", "software_version",
        "token_endpoint_auth_method", "token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg",
        "tos_uri",
    }
)  # fmt: skip


def is_address(client_id: str, *, loopback: bool = False) -> bool:
    """Whether a client id is the address of a document: https with a path, spelt in one way only.

    `loopback` also admits http to this machine.
    """
    if len(client_id) > _LONGEST or not client_id.startswith(("https://", "http://")) or not is_sound(client_id):
        return False
    parts = urlsplit(client_id)
    has_path = len(parts.path) > 1 and not parts.fragment
    return has_path and (parts.scheme == "https" or (loopback and parts.hostname in _LOCAL))


def client_of(client_id: str, said: Mapping[str, Any]) -> Client:
    """The client that the document at `client_id` describes.

    Raises:
        Refused: The document is another client's, or names no address to which a code may be sent.
    """
    if said.get("client_id") != client_id:
        raise unknown_client("The client_id in the client document is not the address it was fetched from")
    redirects = said.get("redirect_uris")
    sound = tuple(each for each in redirects if is_sound(each)) if isinstance(redirects, list) else ()
    if not sound:
        raise Refused("invalid_redirect_uri", "The client document lists no redirect_uris that may receive a code")
    host = urlsplit(client_id).netloc
    jwks, jwks_uri, scope = said.get("jwks"), said.get("jwks_uri"), said.get("scope")
    return Client(
        client_id=client_id,
        name=shown(said.get("client_name")) or host,
        redirect_uris=sound[:_MOST_REDIRECTS],
        origin=Origin.DOCUMENT,
        proofs=_proofs(said),
        scopes=frozenset(scope.split()) if isinstance(scope, str) and scope.split() else None,
        host=host,
        jwks=jwks if isinstance(jwks, dict) else None,
        jwks_uri=jwks_uri if isinstance(jwks_uri, str) else None,
    )


def _proofs(said: Mapping[str, Any]) -> frozenset[Proof]:
    """A secret cannot be kept in a public document, so what is neither of the two is a public client."""
    plural, single = said.get("token_endpoint_auth_methods_supported"), said.get("token_endpoint_auth_method")
    named = [*(plural if isinstance(plural, list) else []), single]
    return frozenset(proof for proof in (Proof.NONE, Proof.KEY) if proof.value in named) or frozenset({Proof.NONE})
