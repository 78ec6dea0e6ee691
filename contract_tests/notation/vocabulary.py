"""The words a session file may use: variables, what they mean, and what a session can need of its target.

The one list that the reader, the player and docs/sessions.md share.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ALWAYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "id": "a JSON-RPC id: an integer, the next one in every step",
        "target.url": "the address under test",
        "target.origin": "its scheme, host and port",
        "target.path": "its path",
        "target.resource_pattern": "a regular expression for the protected-resource identifier it may publish",
        "session": "an `openai/session` value, constant within the session",
        "subject": "an `openai/subject` value, constant within the session",
        "organization": "an `openai/organization` value, constant within the session",
        "conversation": "a UUIDv7-like identifier, constant within the session",
        "call": "an identifier, new in every step",
        "callback_id": "twelve URL-safe characters, constant within the session",
        "state": "an OAuth state, new in every step",
        "pkce.verifier": "a PKCE code verifier, constant within the session",
        "pkce.challenge": "its S256 challenge",
        "expired_token": "a bearer token nobody issued",
    }
)

SOMETIMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "target.protected": "known if the target answers an anonymous request with a challenge",
        "target.modern": "known if the target speaks 2026-07-28",
        "target.legacy": "known if the target answers `initialize`",
        "target.access": "known if the target lets us in, if need be with headers you configure",
        "ui.uri": "the first ui:// resource a tool names, known if one does",
    }
)

NEEDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "access": "a target that lets us in, if need be with headers you configure",
        "modern": "a target that does not speak the older revisions only",
        "legacy": "a target that does not speak 2026-07-28 only",
        "tool": "a tool that may be called: read-only with arguments that can be made, or one with examples",
        "slow_tool": "the tool that ballast.toml marks as slow, or else the same as `tool`",
        "protected_tool": "a callable tool whose securitySchemes ask for OAuth",
        "no_oauth": "a target without OAuth: no challenge, no authorization servers published",
        "oauth": "a target that asks for OAuth",
        "predefined_client": "a client_id in ballast.toml, section [oauth]",
        "client_document": "a place for the session's client document that the authorization server can reach",
        "login": "an authorization server that approves without a person, or tokens in ballast.toml",
    }
)

PROVIDED_BY_NEED: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "tool": {
            "tool.name": "the chosen tool's name",
            "tool.arguments": "its arguments",
            "tool.output_schema": "its output schema, null without one",
        },
        "slow_tool": {
            "slow_tool.name": "the chosen tool's name",
            "slow_tool.arguments": "its arguments",
            "slow_tool.output_schema": "its output schema, null without one",
        },
        "protected_tool": {
            "protected_tool.name": "the chosen tool's name",
            "protected_tool.arguments": "its arguments",
        },
        "predefined_client": {
            "client.id": "the configured client_id",
            "client.redirect_uri": "the configured redirect URI",
        },
        "client_document": {
            "document.url": "the address of the session's client document, which is its client_id",
            "document.jwks": "the address of the key that signs for it",
        },
        "login": {"login.access_token": "a token that was just issued, or the configured one"},
    }
)

MAYBE_BY_NEED: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "predefined_client": {"client.secret": "the configured client_secret"},
        "login": {
            "login.refresh_token": "the refresh token that came with it",
            "login.client_id": "the client it was issued to",
            "login.client_secret": "its secret",
            "login.redirect_uri": "its redirect",
            "login.scope": "the scope that was asked for",
            "login.expires_in": "seconds the access token lives",
            "login.resource": "the resource it was issued for",
            "login.issuer": "who issued it",
            "login.authorization_endpoint": "where it came from",
            "login.token_endpoint": "where it came from",
        },
    }
)
