"""An identity provider on a loopback socket: metadata, keys that rotate, introspection, and outages."""

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

RESOURCE = "https://notes.example.com/mcp"


class Key:
    """A signing key with its public half as a JWK."""

    def __init__(self, private: Any, algorithm: str, key_id: str) -> None:
        self.private = private
        self.algorithm = algorithm
        self.key_id = key_id

    @property
    def jwk(self) -> dict[str, Any]:
        public = json.loads(self._algorithm.to_jwk(self.private.public_key()))
        return {**public, "kid": self.key_id, "use": "sig", "alg": self.algorithm}

    @property
    def _algorithm(self) -> Any:
        by_type: Mapping[str, Any] = {"RS": RSAAlgorithm, "PS": RSAAlgorithm, "ES": ECAlgorithm}
        return by_type.get(self.algorithm[:2], OKPAlgorithm)

    @property
    def public_pem(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        pem: bytes = self.private.public_key().public_bytes(serialization.Encoding.PEM, form)
        return pem


_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_key(algorithm: str = "ES256", key_id: str = "first") -> Key:
    """A new key (RSA keys are slow to make: one serves all tests)."""
    curves: Mapping[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    if algorithm in curves:
        return Key(ec.generate_private_key(curves[algorithm]), algorithm, key_id)
    private = ed25519.Ed25519PrivateKey.generate() if algorithm == "EdDSA" else _RSA
    return Key(private, algorithm, key_id)


class IdentityProvider:
    """`app` is to be served; `issuer` is then its origin."""

    def __init__(self, *, issuer: str = "") -> None:
        self.issuer = issuer
        self.key = make_key()
        self.published = [self.key.jwk]
        self.is_out = False
        self.asked: Counter[str] = Counter()
        self.metadata: dict[str, Any] = {}
        self.known: dict[str, dict[str, Any]] = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/keys", self._keys),
                Route("/introspect", self._introspect, methods=["POST"]),
            ]
        )

    def claims(self, **said: Any) -> dict[str, Any]:
        """Good claims, with some said otherwise; None leaves one out."""
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "sub": "anna",
            "aud": RESOURCE,
            "exp": now + 600,
            "iat": now,
            "client_id": "chat",
            "scope": "notes.read",
        }
        return {name: value for name, value in (good | said).items() if value is not None}

    def token(self, *, key: Key | None = None, headers: Mapping[str, Any] | None = None, **said: Any) -> str:
        """A signed token."""
        key = key or self.key
        header = {"kid": key.key_id, "typ": "at+jwt", **(headers or {})}
        header = {name: value for name, value in header.items() if value is not None}
        return jwt.encode(self.claims(**said), key.private, algorithm=key.algorithm, headers=header)

    async def _metadata(self, request: Request) -> Response:
        return self._answer(request, self.described())

    def described(self) -> dict[str, Any]:
        """The metadata as it stands."""
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "introspection_endpoint": f"{self.issuer}/introspect",
        }
        return said | self.metadata

    async def _keys(self, request: Request) -> Response:
        return self._answer(request, {"keys": self.published})

    async def _introspect(self, request: Request) -> Response:
        form = await request.form()
        return self._answer(request, self.known.get(str(form["token"]), {"active": False}))

    def _answer(self, request: Request, body: Any) -> Response:
        self.asked[request.url.path] += 1
        return PlainTextResponse("no", 500) if self.is_out else JSONResponse(body)
