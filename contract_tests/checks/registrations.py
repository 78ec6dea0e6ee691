"""What registration bodies a server may be sent: made by rule from the one ChatGPT sends. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_REDIRECT = "https://chatgpt.com/connector/oauth/{}"
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def base(number: int) -> dict[str, Any]:
    """The body ChatGPT sends; the redirect is new for every number."""
    return {
        "client_name": "ChatGPT",
        "redirect_uris": [_REDIRECT.format(f"Ballast{number:05d}")],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }


SEEN: Final[Mapping[str, Mapping[str, Any]]] = {
    "as ChatGPT": {},
    "a word twice in scope": {"scope": "mcp offline_access mcp"},
    "as VS Code, with device_code": {
        "client_name": "Visual Studio Code",
        "grant_types": ["authorization_code", "refresh_token", _DEVICE],
        "application_type": "native",
        "client_uri": "https://code.visualstudio.com",
        "redirect_uris": ["http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
    },
    "native with an https redirect": {"application_type": "native"},
    "as an SDK client of 2026": {"application_type": "native", "scope": "openid offline_access"},
    "software_statement and version": {
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.2",
        "software_statement": "eyJhbGciOiJub25lIn0.e30.",
    },
    "an unknown member": {"x_openai_visibility": {"enabled": True}},
    "an unknown grant": {"grant_types": ["authorization_code", "refresh_token", "urn:example:grant:new"]},
    "an unknown scope": {"scope": "openid profile email phone address"},
    "a method it may not know": {"token_endpoint_auth_methods_supported": ["none", "private_key_jwt"]},
}
"""Bodies that hosts send or that differ from one by what RFC 7591 says to ignore or replace: 201."""

_MEMBERS: Final = (
    "client_name", "redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method", "scope",
    "client_uri", "logo_uri", "contacts", "tos_uri", "policy_uri", "jwks_uri", "jwks",
)  # fmt: skip
_WRONG: Final[Mapping[str, Any]] = {"null": None, "an empty string": "", "a number": 7}
_OTHERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "a redirect with a scheme of its own": {"redirect_uris": ["warp://mcp/oauth2callback"]},
    "a redirect with a fragment": {"redirect_uris": ["https://chatgpt.com/connector/oauth/x#y"]},
    "a redirect that is no address": {"redirect_uris": ["nowhere"]},
    "no redirect": {"redirect_uris": []},
    "a hundred redirects": {"redirect_uris": [_REDIRECT.format(f"Many{n:08d}") for n in range(100)]},
    "an implicit client": {"response_types": ["token"], "grant_types": ["implicit"]},
    "a machine": {"grant_types": ["client_credentials"], "response_types": []},
    "an unknown method": {"token_endpoint_auth_method": "tls_client_auth"},
    "a name with markup": {"client_name": "<script>alert(1)</script>"},
    "a long name": {"client_name": "n" * 5_000},
    "a name in another script": {"client_name": "\u4f60\u597d \U0001f600"},
}


def hostile() -> Iterator[tuple[str, Any]]:
    """Bodies that may be refused, as RFC 7591 writes a refusal."""
    number = 100
    for member in _MEMBERS:
        for name, value in _WRONG.items():
            number += 1
            yield f"{member} is {name}", {**base(number), member: value}
    for name, change in _OTHERS.items():
        number += 1
        yield name, {**base(number), **change}
    yield "no member", {}
    yield "a list", []
