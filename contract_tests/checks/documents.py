"""CT-24, beside its sessions: a client document that cannot be read is an error that passes, not a crash."""

from datetime import date
from typing import Any, Final

from ..login.signing_in import authorization, challenge_of
from ..replay.territory import LeadsElsewhere
from ..replay.values import Client, text
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry

_NOWHERE: Final = "https://client-{}.invalid/oauth/client.json"
"""A name that never resolves (RFC 2606), so that whoever asks for it gets no answer."""

_REDIRECT: Final = "https://chatgpt.com/connector_platform_oauth_redirect"
_REFUSED: Final[dict[str, Any]] = {
    "within": 10.0,
    "any_of": [
        {"name": "a refusal, or an error that passes", "status": [400, 401, 403, 424, 502, 503, 504]},
        {
            "name": "a redirect without a code",
            "status": [302, 303, 307],
            "redirect": [{"at": "code", "present": False}],
        },
    ],
}


async def ask(inquiry: Inquiry) -> None:
    """Authorize with a document that nobody can read, then discover again."""
    endpoints = await inquiry.endpoints()
    if not endpoints.reads_documents:
        raise CannotBeChecked("the authorization server reads no client documents: hosts register there")
    random = inquiry.login.random
    client = Client(id=_NOWHERE.format(text(random, 8, "abcdefghij")), redirect_uri=_REDIRECT)
    query = authorization(client, state=text(random, 24), challenge=challenge_of(text(random, 64)), **endpoints.asked)
    try:
        request = inquiry.agent.page(endpoints.authorization, query)
    except LeadsElsewhere as outside:
        raise CannotBeChecked(str(outside)) from outside
    await inquiry.ask("a client document that cannot be reached", request, _REFUSED)
    await inquiry.endpoints()


CT_24: Final = Contract(
    id="CT-24",
    title="A client document that cannot be read is an error that passes, and no more",
    about="The address of a client document was out of reach for whole networks. Who crashes, or waits, locks out all.",
    incidents=("P-02", "CT-24"),
    severity="serious",
    advice="Use the copy you have, or answer within ten seconds with an error page or temporarily_unavailable.",
    source="MCP 2025-11-25, client ID metadata documents; incident P-02 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    ask=ask,
)
