"""A host with a client document and keys, on a loopback socket, as the platform's were seen."""

import time
import uuid
from typing import Any

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.oauth.identity import Key, make_key
from tests.oauth.issuing.house import CHATGPT

MAY = {"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "RS256"}
"""May 2026: only the singular member."""

AUGUST = {
    "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
    "token_endpoint_auth_signing_alg": "RS256",
}
"""August 2026: only the plural one."""

OCTOBER = {**AUGUST, "token_endpoint_auth_method": "private_key_jwt"}
"""October 2026: both, in transition."""

CODEX = {"token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/callback/FLLrQdlez6Uf"]}


class Platform:
    """Serves `/oauth/client.json` and `/oauth/jwks.json`. `app` is to be served; `origin` is then its address."""

    def __init__(self, **members: Any) -> None:
        self.origin = ""
        self.members = members
        self.key: Key = make_key("RS256", "cimd-1")
        self.keys = [self.key]
        self.asked: list[str] = []
        self.status = 200
        self.headers = {"Cache-Control": "public, max-age=300"}
        self.app = Starlette(
            routes=[Route("/oauth/client.json", self._document), Route("/oauth/jwks.json", self._jwks)]
        )

    @property
    def client_id(self) -> str:
        return f"{self.origin}/oauth/client.json"

    def document(self) -> dict[str, Any]:
        """The bytes of 2026-08-03 but for the addresses, and what this test says."""
        return {
            "client_id": self.client_id,
            "client_uri": "https://chatgpt.com/",
            "redirect_uris": [CHATGPT],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "client_name": "ChatGPT",
            "logo_uri": "https://persistent.oaistatic.com/sonic/misc/openai-logo.png",
            "jwks_uri": f"{self.origin}/oauth/jwks.json",
            **self.members,
        }

    def assertion(self, audience: Any, *, key: Key | None = None, **claims: Any) -> dict[str, str]:
        """A client assertion as seen on 2026-08-07, as the two members of a form. None leaves a claim out."""
        key, now = key or self.key, int(time.time())
        said = {
            "iss": self.client_id, "sub": self.client_id, "aud": audience, "exp": now + 300, "jti": str(uuid.uuid4()),
        } | claims  # fmt: skip
        kept = {name: value for name, value in said.items() if value is not None}
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(kept, key.private, key.algorithm, headers={"kid": key.key_id}),
        }

    async def _document(self, request: Request) -> Response:
        self.asked.append("document")
        return JSONResponse(self.document(), self.status, headers=self.headers)

    async def _jwks(self, request: Request) -> Response:
        self.asked.append("keys")
        return JSONResponse({"keys": [key.jwk for key in self.keys]}, self.status, headers=self.headers)
