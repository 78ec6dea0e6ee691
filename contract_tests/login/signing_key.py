"""`SigningKey`: the RSA key of a client document, as a JWK set and as signatures (RS256)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from time import time
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from ..errors import BadConfiguration

_LIFETIME = 300  # seconds: assertions are used at once; five minutes allow for clocks that differ
_BITS = 2048  # what ChatGPT's own key had on 2026-08-03


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the id under which its public half is published."""

    private: RSAPrivateKey = field(repr=False)
    id: str = "ballast"

    @classmethod
    def generate(cls) -> Self:
        """Make a new key."""
        return cls(generate_private_key(public_exponent=65537, key_size=_BITS))

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a key in PEM, without a password.

        Raises:
            BadConfiguration: the file is missing or holds no RSA key.
        """
        try:
            key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as problem:
            raise BadConfiguration(f"client_key: {file} cannot be used: {problem}. Name an RSA key in PEM.") from None
        if not isinstance(key, RSAPrivateKey):
            raise BadConfiguration(f"client_key: {file} holds no RSA key. Assertions are signed with RS256.")
        return cls(key)

    @property
    def pem(self) -> bytes:
        """The private key in PEM."""
        form = serialization.PrivateFormat.PKCS8
        return self.private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

    def jwk_set(self) -> dict[str, Any]:
        """The public half as a JWK set."""
        public = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        return {"keys": [{**public, "kid": self.id, "use": "sig", "alg": "RS256"}]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Sign claims; `iat`, `exp` and `jti` are added where they are missing."""
        now = int(time())
        whole = {"iat": now, "exp": now + _LIFETIME, "jti": token_urlsafe(16), **claims}
        return jwt.encode(whole, self.private, algorithm="RS256", headers={"kid": self.id})
