"""What this authorization server says of itself (RFC 8414). Pure. Claims what is there, and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ..one_string import origin_of
from .clients.authentication import ALGORITHMS
from .clients.client import Proof
from .clients.registration import GRANTS, RESPONSES

AUTHORIZE: Final = "/authorize"
TOKEN: Final = "/token"  # noqa: S105 a path
REGISTER: Final = "/register"
REVOKE: Final = "/revoke"

PROOFS: Final = (Proof.NONE, Proof.BASIC, Proof.POST, Proof.KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """The issuer, byte for byte the public URL, and what hangs on it."""

    issuer: str

    @property
    def token(self) -> str:
        """The token endpoint."""
        return origin_of(self.issuer) + TOKEN

    def of(self, path: str) -> str:
        """The address of one of our paths."""
        return origin_of(self.issuer) + path


def metadata(issuer: str, *, scopes: Iterable[str], reads_documents: bool) -> dict[str, Any]:
    """The document. The OpenID spelling gets the same one: ID tokens are not claimed."""
    urls = Urls(issuer=issuer)
    proofs = [proof.value for proof in PROOFS]
    return {
        "issuer": issuer,
        "authorization_endpoint": urls.of(AUTHORIZE),
        "token_endpoint": urls.token,
        "registration_endpoint": urls.of(REGISTER),
        "revocation_endpoint": urls.of(REVOKE),
        "scopes_supported": list(scopes),
        "response_types_supported": list(RESPONSES),
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANTS),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": proofs,
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": proofs,
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": reads_documents,
    }
