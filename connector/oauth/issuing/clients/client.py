"""What is known of a client. A value; how it came to be known, and whether it is who it says, is decided elsewhere."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

_LONGEST_NAME: Final = 60

_SPACES: Final = re.compile(r"\s+")

_SHOWN_CATEGORIES: Final = ("L", "N", "P", "S", "Zs", "Mn", "Mc")


class Proof(StrEnum):
    """How a client shows at the token endpoint who it is."""

    NONE = "none"
    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    KEY = "private_key_jwt"


class Origin(StrEnum):
    """How a client became known."""

    REGISTERED = "registered"
    """It said so itself; nobody vouches for its name."""
    DOCUMENT = "document"
    """By a document at an address; the host of the address vouches for it."""
    PREDEFINED = "predefined"
    """The connector's owner named it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client. `proofs` are all of which one suffices; `scopes` is None where nothing was said of them.

    `host` vouches for a client that is known by a document. Keys are a JWK set, or where one is found.
    """

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    origin: Origin
    proofs: frozenset[Proof] = frozenset({Proof.NONE})
    scopes: frozenset[str] | None = None
    host: str | None = None
    secret: str | None = field(default=None, repr=False)
    jwks: Mapping[str, Any] | None = field(default=None, repr=False)
    jwks_uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClient:
    """A client named beforehand, as some hosts ask for. Without `secret` it is a public one.

    Its redirect addresses are compared exactly, except for loopback ports.
    """

    client_id: str
    redirect_uris: tuple[str, ...]
    name: str = ""
    secret: str | None = field(default=None, repr=False)

    def as_client(self) -> Client:
        """It, as any other client."""
        return Client(
            client_id=self.client_id,
            name=shown(self.name) or shown(self.client_id),
            redirect_uris=self.redirect_uris,
            origin=Origin.PREDEFINED,
            proofs=frozenset({Proof.NONE} if self.secret is None else {Proof.BASIC, Proof.POST}),
            secret=self.secret,
        )


def shown(name: object) -> str:
    """A stranger's name as it may be shown to a person: one line, short, nothing that turns or hides text."""
    if not isinstance(name, str):
        return ""
    one_line = _SPACES.sub(" ", name[: 4 * _LONGEST_NAME]).strip()
    return "".join(c for c in one_line if unicodedata.category(c).startswith(_SHOWN_CATEGORIES))[:_LONGEST_NAME]
