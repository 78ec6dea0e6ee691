"""CT-26: a token request that does not say who asks is refused as OAuth says, never with an error of the server."""

from datetime import date
from typing import Any, Final

from ..replay.territory import LeadsElsewhere
from ..replay.values import text
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry

_CODE = {"grant_type": "authorization_code", "redirect_uri": "https://chatgpt.com/connector/oauth/AbC123xyz_-9"}
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def _refused(*errors: str) -> dict[str, Any]:
    return {
        "status": [400, 401],
        "media": ["application/json"],
        "json": [{"at": "error", "one_of": list(errors)}],
    }


_ANY: Final = _refused(
    "invalid_client", "invalid_request", "invalid_grant", "unauthorized_client", "unsupported_grant_type"
)
_NO_CLIENT: Final = _refused("invalid_client")


async def ask(inquiry: Inquiry) -> None:
    """Send token requests that name nobody, somebody unknown, or prove it wrongly."""
    endpoints = await inquiry.endpoints()
    random = inquiry.login.random
    code = {**_CODE, "code": text(random, 32), "code_verifier": text(random, 64)}
    refresh = {"grant_type": "refresh_token", "refresh_token": text(random, 43)}
    unknown = {"client_id": f"ballast-{text(random, 12)}"}
    cases: list[tuple[str, dict[str, str], dict[str, Any]]] = [
        ("a code and no client", code, _ANY),
        ("a refresh token and no client", refresh, _ANY),
        ("an empty client_id", {**code, "client_id": ""}, _ANY),
        ("an assertion that is none", {**code, "client_assertion_type": _ASSERTION, "client_assertion": "x.y.z"}, _ANY),
        ("an unknown way to prove it", {**code, **unknown, "client_assertion_type": "urn:example:new"}, _ANY),
        ("no grant type", unknown, _ANY),
        ("an unknown client with a code", {**code, **unknown}, _NO_CLIENT),
        ("an unknown client with a refresh token", {**refresh, **unknown}, _NO_CLIENT),
        ("an unknown client with a secret", {**refresh, **unknown, "client_secret": text(random, 32)}, _NO_CLIENT),
        ("a client document that is not there", {**code, "client_id": "https://chatgpt.com.invalid/c.json"}, _ANY),
    ]
    for name, fields, expect in cases:
        try:
            request = inquiry.agent.form(endpoints.token, fields)
        except LeadsElsewhere as outside:
            raise CannotBeChecked(str(outside)) from outside
        await inquiry.ask(name, request, expect)


CT_26: Final = Contract(
    id="CT-26",
    title="A token request from nobody, or from a client that is gone, is refused as OAuth says",
    about="A host that hears invalid_client registers again; one that hears 500, 404 or a page gives up.",
    incidents=("P-02", "T-08", "CT-26"),
    severity="serious",
    advice="Answer an unknown client with invalid_client (401 or 400, JSON), and whatever is incomplete with 400.",
    source="RFC 6749, 5.2; OpenAI documentation on authorization, after 2026-07-28",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    ask=ask,
)
