"""CT-23: every redirect a platform uses is accepted, and no other address ever gets a code."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from http import HTTPStatus
from typing import Any, Final

from ..login.discovery import Endpoints
from ..login.signing_in import authorization, challenge_of
from ..replay.territory import LeadsElsewhere
from ..replay.values import Client, text
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry

GOOD: Final[Mapping[str, str]] = {
    "ChatGPT, stable": "https://chatgpt.com/connector_platform_oauth_redirect",
    "ChatGPT, per connector": "https://chatgpt.com/connector/oauth/AbC123xyz_-9",
    "Claude": "https://claude.ai/api/mcp/auth_callback",
    "Claude, new host": "https://claude.com/api/mcp/auth_callback",
    "Gemini": "https://oauth-redirect.googleusercontent.com/r/ballast",
    "VS Code": "http://127.0.0.1:33418/",
    "Cursor": "http://localhost:49721/callback",
    "Codex": "http://127.0.0.1:53682/callback/AbC123xyz_-9",
}
_KNOWN = GOOD["ChatGPT, per connector"]
BAD: Final[Mapping[str, str]] = {
    "a host that looks alike": "https://chatgpt.com.evil.test/connector/oauth/AbC123xyz_-9",
    "a path that climbs": "https://chatgpt.com/connector/oauth/../x",
    "another host behind a user name": "https://chatgpt.com@evil.test/connector/oauth/AbC123xyz_-9",
    "plain http": "http://chatgpt.com/connector/oauth/AbC123xyz_-9",
    "another port": "https://chatgpt.com:8443/connector/oauth/AbC123xyz_-9",
    "an open redirect in the query": f"{_KNOWN}?next=https://evil.test/",
}
_ADVICE = "Accept the redirects of the platforms by host and path prefix; a loopback redirect matches with any port."
_STRICT = (
    "Compare the redirect with what the client registered, as a string (loopback ports aside), before anything is sent "
    "anywhere; a code that goes to another address is a stolen login."
)


async def ask(inquiry: Inquiry) -> None:
    """Register with every good redirect and authorize; then authorize with every bad one."""
    endpoints = await inquiry.endpoints()
    if not endpoints.registration:
        raise CannotBeChecked("the authorization server offers no dynamic registration to try redirects with")
    try:
        clients = {name: await _register(inquiry, endpoints, name, uri) for name, uri in GOOD.items()}
        for client in filter(None, clients.values()):
            await _accepted(inquiry, endpoints, client)
        known = clients["ChatGPT, per connector"]
        if known is None:
            inquiry.skip("bad redirects", "the client they would be tried with is not registered")
            return
        for name, uri in BAD.items():
            await _rejected(inquiry, endpoints, replace(known, redirect_uri=uri), name)
    except LeadsElsewhere as outside:
        raise CannotBeChecked(str(outside)) from outside


async def _register(inquiry: Inquiry, endpoints: Endpoints, name: str, uri: str) -> Client | None:
    body = {
        "client_name": name.partition(",")[0],
        "redirect_uris": [uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }
    expect = {
        "any_of": [
            {"name": "a registration", "status": [201], "json": [{"at": "client_id", "type": "string"}]},
            {"name": "429, too many", "status": [429]},
        ]
    }
    request = inquiry.agent.json(endpoints.registration, body)
    reply = await inquiry.ask(f"register: {name}", request, expect, advice=_ADVICE)
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise CannotBeChecked("it limits registrations: not every redirect could be tried")
    found = reply.message if isinstance(reply.message, dict) else {}
    if reply.status != HTTPStatus.CREATED or not found.get("client_id"):
        return None
    return Client(id=str(found["client_id"]), secret=str(found.get("client_secret") or ""), redirect_uri=uri)


async def _accepted(inquiry: Inquiry, endpoints: Endpoints, client: Client) -> None:
    back = {"status": [302, 303, 307], "redirect": [{"at": "error", "present": False}]}
    page = {"name": "a page for a person", "status": [200], "media": ["text/html"]}
    expect = {"any_of": [{**back, "name": "a redirect without an error"}, page]}
    request = _request(inquiry, endpoints, client)
    await inquiry.ask(f"authorize: {client.redirect_uri}", request, expect, until=client.redirect_uri, advice=_ADVICE)


async def _rejected(inquiry: Inquiry, endpoints: Endpoints, client: Client, name: str) -> None:
    """No code, and no redirect there: an error page, whatever its status, but none that is the server's own fault."""
    expect: dict[str, Any] = {
        "any_of": [
            {"name": "a refusal on the spot", "status": [400, 401, 403, 422]},
            {
                "name": "a redirect to an error page of its own",
                "status": [302, 303, 307],
                "redirect": [{"at": "code", "present": False}],
                "headers": {"Location": {"matches": r"^(?!https?://([^/]*@)?(chatgpt\.com|evil\.test|[^/]*evil))"}},
            },
        ]
    }
    request = _request(inquiry, endpoints, client)
    more = {"until": client.redirect_uri, "advice": _STRICT}
    await inquiry.ask(f"refuse: {name}", request, expect, **more)


def _request(inquiry: Inquiry, endpoints: Endpoints, client: Client) -> Any:
    random = inquiry.login.random
    challenge = challenge_of(text(random, 64))
    query = authorization(client, state=text(random, 24), challenge=challenge, **endpoints.asked)
    return inquiry.agent.page(endpoints.authorization, query)


CT_23: Final = Contract(
    id="CT-23",
    title="The redirects of every platform are accepted, and no look-alike gets a code",
    about=(
        "ChatGPT's redirect got a path of its own per connector, Claude's a new host, desktop clients listen on any "
        "port. Whoever loosens the comparison for them must not hand codes to strangers."
    ),
    incidents=("P-10", "P-11", "CT-23"),
    severity="critical",
    advice=_ADVICE,
    source="makeplane/plane-mcp-server pull 165, BasedHardware/omi issue 8824; RFC 9700, 4.1; RFC 8252, 7.3",
    seen=date(2026, 9, 21),
    expires=date(2027, 9, 21),
    residue="eight registered clients",
    ask=ask,
)
