"""A protected server: the SDK's own authorization server over memory, that approves everyone at once."""

import secrets
import time
from typing import Any

from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    RefreshToken,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from mcp_types import ToolAnnotations
from pydantic import AnyHttpUrl


class Memory:
    """The provider the SDK asks. `as_documented`: it rotates refresh tokens and binds tokens to what was asked for."""

    def __init__(self, *, as_documented: bool = False) -> None:
        self.resource = ""
        self.as_documented = as_documented
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self._codes: dict[str, AuthorizationCode] = {}
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self._resources: dict[str, str | None] = {}

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client: OAuthClientInformationFull) -> None:
        assert client.client_id
        self.clients[client.client_id] = client

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        assert client.client_id
        code = AuthorizationCode(
            code=secrets.token_hex(16),
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=True,
            resource=params.resource,
        )
        self._codes[code.code] = code
        return construct_redirect_uri(str(params.redirect_uri), code=code.code, state=params.state)

    async def load_authorization_code(self, _: Any, code: str) -> AuthorizationCode | None:
        return self._codes.pop(code, None)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, code: AuthorizationCode
    ) -> OAuthToken:
        return self._issue(client, code.scopes, code.resource)

    async def load_refresh_token(self, _: Any, token: str) -> RefreshToken | None:
        return self._refresh.get(token)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        if self.as_documented:
            del self._refresh[token.token]
        return self._issue(client, scopes, self._resources[token.token])

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self._access.get(token)

    async def exchange_identity_assertion(self, *_: Any) -> OAuthToken:
        raise NotImplementedError

    async def revoke_token(self, _: Any) -> None:
        return None

    def _issue(self, client: OAuthClientInformationFull, scopes: list[str], asked: str | None) -> OAuthToken:
        assert client.client_id
        access, refresh = secrets.token_hex(16), secrets.token_hex(16)
        self._access[access] = AccessToken(
            token=access,
            client_id=client.client_id,
            scopes=scopes,
            resource=asked if self.as_documented else self.resource,
        )
        self._resources[refresh] = asked
        self._refresh[refresh] = RefreshToken(token=refresh, client_id=client.client_id, scopes=scopes)
        return OAuthToken(access_token=access, refresh_token=refresh, scope=" ".join(scopes) or None)


def protected(public_url: str, *, registers: bool = True, memory: Memory | None = None) -> MCPServer[Any]:
    """A server that publishes `public_url` as its own address and answers nobody without a token."""
    auth = AuthSettings(
        issuer_url=AnyHttpUrl(public_url),
        resource_server_url=AnyHttpUrl(f"{public_url}/mcp"),
        validate_token_resource=True,
        client_registration_options=ClientRegistrationOptions(enabled=registers),
    )
    memory = memory or Memory()
    memory.resource = f"{public_url}/mcp"
    server = MCPServer("protected", auth_server_provider=memory, auth=auth)

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def find(query: str) -> str:
        return query

    return server
