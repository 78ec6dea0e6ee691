"""The tables of the visitors' book: names the protocols and the platforms use, and what is done at which place.

Sources: MCP 2024-11-05 to 2026-07-28, RFC 6749, 7009, 7591, 7636, 8414, 8707, 9207, 9728, OpenID Connect, and what the
platforms were seen to send (facts on the wire, sections 1.3, 2.5 and 3). What is in no table is judged by its look.
"""

from typing import Final


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


KNOWN_NAMES: Final = _words(
    # JSON-RPC and MCP
    "jsonrpc id method params result error code message data _meta name title version description websiteUrl icons",
    "uri arguments argument value ref type context cursor level progressToken progress total requestId reason logger",
    "protocolVersion capabilities clientInfo experimental extensions elicitation form url roots listChanged sampling",
    "tools tasks requests list cancel create mimeTypes inputResponses requestState notifications subscriptions",
    "io.modelcontextprotocol/protocolVersion io.modelcontextprotocol/clientInfo io.modelcontextprotocol/logLevel",
    "io.modelcontextprotocol/clientCapabilities io.modelcontextprotocol/ui idempotencyKey ballast/idempotencyKey task",
    # what platforms put into _meta
    "timezone openai/locale openai/session openai/subject openai/userAgent openai/organization openai/userLocation",
    "openai/request_id openai/widgetSessionId openai/visibility webplus/i18n enabled city region country latitude",
    "longitude sessionId windowId callId itemId claudecode/toolUseId threadId turnId x-codex-turn-metadata",
    "traceparent tracestate baggage",
    # OAuth: registration, authorization, token, revocation
    "client_name redirect_uris grant_types response_types token_endpoint_auth_method token_endpoint_auth_signing_alg",
    "scope scopes client_uri logo_uri tos_uri policy_uri jwks_uri jwks contacts software_id software_version",
    "software_statement application_type client_id client_secret redirect_uri response_type response_mode state nonce",
    "code_challenge code_challenge_method code_verifier resource audience prompt max_age ui_locales id_token_hint",
    "login_hint acr_values display claims request request_uri grant_type refresh_token client_assertion iss",
    "client_assertion_type token token_type_hint subject_token subject_token_type requested_token_type device_code",
    "token_endpoint_auth_methods_supported password username approve deny consent question csrf",
    "post_logout_redirect_uris require_auth_time default_max_age initiate_login_uri sector_identifier_uri subject_type",
)
"""Members and parameters."""

KNOWN_HEADERS: Final = _words(
    "accept accept-language authorization cache-control content-type content-encoding cookie dnt expect",
    "if-modified-since if-none-match last-event-id mcp-method mcp-name mcp-protocol-version mcp-session-id origin",
    "pragma referer user-agent upgrade upgrade-insecure-requests x-openai-session x-openai-subject sec-ch-ua",
    "x-openai-organization x-anthropic-client x-requested-with x-api-key access-control-request-method",
    "access-control-request-headers sec-fetch-mode sec-fetch-site sec-fetch-dest sec-fetch-user from range signature",
    "signature-input signature-agent dpop x-client-cert x-mcp-header",
)
"""Headers, in lower case."""

KNOWN_WORDS: Final = _words(
    "mcp jsonrpc www http https html json jwt jwks csp oauth openid timezone offline xml tls sdk api fastmcp webplus",
    "ttl tz uuid utf txt ctx req db sql qty href ui openai anthropic chatgpt httpx aiohttp urllib okhttp",
    "uri url urn ietf params grant rpc dpop csrf hmac sha rsa pkce cimd dcr",
)
"""Words that are words whatever their letters."""

HOPS: Final = _words(
    "host connection keep-alive te trailer transfer-encoding content-length accept-encoding proxy-connection via",
    "forwarded traceparent tracestate baggage priority cdn-loop true-client-ip client-ip early-data x-real-ip",
    "x-request-id x-correlation-id x-request-start x-queue-start x-scheme x-proto x-host x-port x-waf",
    "x-cluster-client-ip sentry-trace uber-trace-id b3 do-connecting-ip incap-client-ip x-cloud-trace-context",
    "max-forwards x-country x-country-code x-geo x-tls-version x-ssl x-envoy x-lb x-trace-id x-span-id x-client-ip",
    "x-remote-ip x-remote-addr",
)
"""Headers that whatever lies between a client and the connector adds or rewrites."""

HOP_PREFIXES: Final = (
    "x-forwarded-", "x-original-", "cf-", "x-amzn-", "x-amz-", "x-azure-", "x-arr-", "x-envoy-", "x-b3-", "x-goog-",
    "x-appengine-", "x-gfe-", "fly-", "x-vercel-", "x-railway-", "x-render-", "x-nf-", "fastly-", "x-fastly-",
    "akamai-", "x-akamai-", "cloudfront-", "x-datadog-", "x-newrelic-", "x-ssl-", "x-nginx-", "x-heroku-", "ot-tracer-",
    "x-sucuri-", "x-tencent-", "x-client-geo", "x-ms-", "ngrok-", "x-cloud-", "x-client-cert-", "ssl-client-",
)  # fmt: skip

TELLING_OF_BROWSERS: Final = frozenset({"authorization", "content-type"})
"""All that counts of a browser's headers: the rest differs from one person's browser to the next."""

LEAVES: Final = frozenset({"arguments", "result", "data", "jwks", "claims"})
"""Members below which a tool's own, a user's or a client's words begin: only their type is said."""

MAPS: Final = frozenset({"inputResponses", "inputRequests", "requests", "responses"})
"""Members whose keys are ids: `requests` of a capability is known by its place (`DECLARED`)."""

DECLARED: Final = frozenset({"capabilities", "io.modelcontextprotocol/clientCapabilities"})
"""Members below which everything declares what a client can do."""

PATH_WORDS: Final = _words(
    ".well-known oauth-protected-resource oauth-authorization-server openid-configuration openai-apps-challenge mcp",
    "sse health healthz live livez ready readyz metrics oauth oauth2 connect authorize authorization token register",
    "revoke registration revocation introspect introspection userinfo consent login logout callback jwks jwks.json par",
    "answer approve device_authorization api v1 v2 favicon.ico robots.txt security.txt messages message assets",
    "static files connector client.json connector_platform_oauth_redirect codex mcp-oauth-client-metadata",
    "auth_callback",
)
"""Parts of a path that say what is asked for; every other part is `{}`."""

OAUTH_PATHS: Final = _words(
    "authorize authorization token register registration revoke revocation introspect introspection userinfo consent",
    "login logout callback jwks jwks.json par answer approve device_authorization",
)
"""A path with one of these in it is OAuth's."""

VERBS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})

SCOPES: Final = _words("openid profile email address phone offline_access mcp")
"""Scopes that belong to nobody."""

MEDIA: Final = _words(
    "application/json text/event-stream */* application/* text/* text/html text/plain application/xml image/*",
    "application/x-www-form-urlencoded multipart/form-data application/jwt application/xhtml+xml application/jrd+json",
    "application/json-rpc application/vnd.api+json application/problem+json application/octet-stream image/webp",
    "image/avif image/apng application/signed-exchange image/png image/svg+xml application/jwk-set+json",
)
"""Media types that are said by name; another is `(other)`."""

PLATFORM_HOSTS: Final = (
    "chatgpt.com", "openai.com", "claude.ai", "anthropic.com", "claude.com", "vscode.dev", "cursor.com", "slack.com",
    "microsoft.com", "google.com", "googleusercontent.com", "mistral.ai", "perplexity.ai",
)  # fmt: skip
"""Hosts that say which platform speaks, with what stands before them."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

CREDENTIALS: Final = _words(
    "accesstoken refreshtoken idtoken idtokenhint token code password passwd secret clientsecret clientassertion",
    "assertion codeverifier apikey authorization cookie otp registrationaccesstoken subjecttoken actortoken devicecode",
    "usercode sessiontoken privatekey pin credential credentials passphrase signature samlresponse jwt csrf",
)
"""Members, parameters and headers that are credentials by name: in lower case, without `-` and `_`."""

STAND_INS: Final = {
    "latitude": "0.0", "longitude": "0.0", "timezone": "Etc/UTC", "openai/locale": "en-US", "webplus/i18n": "en-US",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
}  # fmt: skip
"""What a sample has instead of texts that servers parse; the challenge is the one of RFC 7636, appendix B."""
