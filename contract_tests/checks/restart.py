"""CT-29: clients, grants and tokens outlive the process. It needs a target that can be killed and started."""

from datetime import date
from typing import Any, Final

import anyio.to_thread

from ..login.signing_in import Grant, authorization, challenge_of, credentials_of
from ..replay.values import text
from ..replay.wire import Request
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry

_INITIALIZE: Final[dict[str, Any]] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "openai-mcp", "version": "1.0.0"},
    },
}
_BACK: Final[dict[str, Any]] = {
    "any_of": [
        {"name": "a redirect back", "status": [302, 303, 307], "redirect": [{"at": "error", "present": False}]},
        {"name": "a page for a person", "status": [200], "media": ["text/html"]},
    ]
}


async def ask(inquiry: Inquiry) -> None:
    """Log in, have the target restarted, and go on as if nothing had happened."""
    await inquiry.endpoints()
    if inquiry.restart is None:
        raise CannotBeChecked("the target has to be killed and started again: write command = [...] under [target]")
    grant = await inquiry.grant()
    session = await _opened(inquiry, grant)
    await anyio.to_thread.run_sync(inquiry.restart)
    await _use(inquiry, grant)
    await _go_on(inquiry, grant, session)
    await _authorize(inquiry, grant)
    if grant.refresh_token:
        fields = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token, **credentials_of(grant.client)}
        request = inquiry.agent.form(grant.endpoints.token, fields)
        await inquiry.ask("refresh", request, {"status": [200], "json": [{"at": "access_token", "type": "string"}]})


async def _opened(inquiry: Inquiry, grant: Grant) -> str:
    """The id of a session from before; empty if none is given."""
    reply = await inquiry.look(_post(inquiry, grant, _INITIALIZE))
    return reply.header("mcp-session-id") or ""


async def _go_on(inquiry: Inquiry, grant: Grant, session: str) -> None:
    """List in the session of before: hosts do not know that it is gone, and only 404 tells them."""
    if not session:
        inquiry.skip("the session from before", "initialize gives no session id")
        return
    message = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}
    request = _post(inquiry, grant, message, ("Mcp-Session-Id", session), ("MCP-Protocol-Version", "2025-11-25"))
    await inquiry.ask("the session from before", request, {"status": [200, 404]})


def _post(inquiry: Inquiry, grant: Grant, message: Any, *headers: tuple[str, str]) -> Request:
    bearer = ("Authorization", f"Bearer {grant.access_token}")
    accept = ("Accept", "application/json, text/event-stream")
    return inquiry.agent.json(inquiry.url, message, accept, bearer, *headers)


async def _use(inquiry: Inquiry, grant: Grant) -> None:
    await inquiry.ask("use", _post(inquiry, grant, _INITIALIZE), {"status": [200]})


async def _authorize(inquiry: Inquiry, grant: Grant) -> None:
    random = inquiry.login.random
    challenge = challenge_of(text(random, 64))
    query = authorization(grant.client, state=text(random, 24), challenge=challenge, **grant.endpoints.asked)
    request = inquiry.agent.page(grant.endpoints.authorization, query)
    await inquiry.ask("authorize", request, _BACK, until=grant.client.redirect_uri)


CT_29: Final = Contract(
    id="CT-29",
    title="Clients, grants and tokens outlive a restart",
    about="Who keeps registered clients in memory logs everybody out with every deployment, and hosts do not recover.",
    incidents=("T-08", "P-22", "CT-29"),
    severity="critical",
    advice="Keep clients and grants in a store, or sign them so that they need none.",
    source="incident T-08 of this project; OpenAI documentation on authorization, after 2026-07-28",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    residue="a restarted target and one registered client",
    ask=ask,
)
