"""The tables of redaction: what may stay as it is, and what is a secret whatever it looks like.

Everything that is in no table is replaced. Names compare in lower case without `-` and `_`.
"""

import re
from typing import Final

CREDENTIALS: Final = frozenset(
    {
        "accesstoken", "refreshtoken", "idtoken", "idtokenhint", "token", "code", "password", "passwd", "secret",
        "clientsecret", "clientassertion", "assertion", "codeverifier", "apikey", "authorization", "cookie", "otp",
        "registrationaccesstoken", "subjecttoken", "actortoken", "devicecode", "usercode", "sessiontoken",
        "privatekey", "pin", "credential", "credentials", "passphrase", "signature", "samlresponse", "jwt",
    }
)  # fmt: skip
"""Members and parameters that are credentials by name."""

CREDENTIAL_HEADER: Final = re.compile(
    r"authorization|api-?key|token|secret|password|assertion|signature", re.IGNORECASE
)

TRANSPORT_HEADERS: Final = frozenset(
    {
        "host", "content-length", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect",
        "proxy-connection", "accept-encoding", "forwarded", "via", "x-forwarded-for", "x-forwarded-proto",
        "x-forwarded-host", "x-forwarded-port", "x-real-ip", "x-request-id", "traceparent", "tracestate", "baggage",
        "if-none-match", "if-modified-since", "priority",
    }
)  # fmt: skip
"""Headers that belong to one connection or one moment: a replay makes its own, or has none."""

KEPT_HEADERS: Final = frozenset(
    {
        "accept", "accept-language", "cache-control", "content-type", "mcp-method", "mcp-protocol-version", "pragma",
        "user-agent", "access-control-request-method", "access-control-request-headers", "sec-fetch-mode",
        "sec-fetch-site", "sec-fetch-dest", "upgrade-insecure-requests",
    }
)  # fmt: skip
"""Headers whose value is kept, but for parts of it that could be secrets."""

KEPT_MEMBERS: Final = frozenset(
    {
        ("jsonrpc",), ("method",), ("params", "protocolVersion"), ("params", "level"), ("ref", "type"),
        ("_meta", "io.modelcontextprotocol/protocolVersion"),
        ("clientInfo", "name"), ("clientInfo", "version"), ("clientInfo", "title"),
        ("io.modelcontextprotocol/clientInfo", "name"), ("io.modelcontextprotocol/clientInfo", "version"),
        ("io.modelcontextprotocol/clientInfo", "title"), ("_meta", "openai/locale"), ("_meta", "webplus/i18n"),
        ("_meta", "openai/userAgent"), ("client_name",), ("grant_types",), ("response_types",), ("scope",),
        ("token_endpoint_auth_method",), ("token_endpoint_auth_methods_supported",), ("application_type",),
        ("token_endpoint_auth_signing_alg",),
    }
)  # fmt: skip
"""Members whose text is kept, but for parts of it that could be secrets: the last names of their place. A single name
counts at the top only."""

KEPT_TREES: Final = frozenset({"capabilities", "io.modelcontextprotocol/clientCapabilities"})
"""Members below which everything is a declaration."""

KEPT_PARAMETERS: Final = frozenset(
    {
        "response_type", "response_mode", "grant_type", "code_challenge_method", "client_assertion_type", "scope",
        "prompt", "token_type_hint", "subject_token_type", "requested_token_type", "display",
    }
)  # fmt: skip
"""Query and form parameters that choose a way and name nobody."""

MADE_UP: Final = {
    "state": "${state}", "code_challenge": "${pkce.challenge}", "code_verifier": "${pkce.verifier}",
}  # fmt: skip
"""Parameters that every client makes up for itself: the replay does too."""

ADDRESSES: Final = frozenset(
    {
        "redirect_uri", "redirect_uris", "client_uri", "logo_uri", "tos_uri", "policy_uri", "jwks_uri", "resource",
        "uri", "websiteUrl", "audience", "client_id", "iss",
    }
)  # fmt: skip
"""Members and parameters that are addresses."""

PUBLIC_HOSTS: Final = re.compile(
    r"(?:[a-z0-9-]+\.)?(?:chatgpt\.com|openai\.com|claude\.ai|anthropic\.com|vscode\.dev|cursor\.com|slack\.com"
    r"|microsoft\.com)|localhost|127\.0\.0\.1|\[::1\]"
)
"""Hosts that say which platform speaks, and nobody's network."""

FORMS: Final = {"latitude": "0.0", "longitude": "0.0", "timezone": "Etc/UTC"}
"""What is written for members that servers parse."""


def plain_name(name: str) -> str:
    """A name as the tables have it."""
    return re.sub(r"[-_]", "", name.lower())


def is_credential(name: str) -> bool:
    """Whether a member or a parameter is a credential by name."""
    return plain_name(name.rpartition("/")[2]) in CREDENTIALS
