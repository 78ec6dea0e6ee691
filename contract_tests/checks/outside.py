"""CT-40, the half that can be seen from here: who asks, and what stands in arguments, changes no status."""

from dataclasses import replace
from datetime import date
from typing import Any, Final

from ..judging.reply import EVENT_STREAM
from ..offer.catalogue import CallableTool
from ..replay.values import is_loopback, origin_of
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry
from .speech import MODERN, Speech, offered, speaking

_AGENTS: Final = (
    "openai-mcp/1.0.0", "Claude-User", "python-httpx/0.28.1", "node", "Go-http-client/2.0", "curl/8.5.0",
)  # fmt: skip
_TEXTS: Final = ("; rm -rf /", "<script>alert(1)</script>", "' OR 1=1 --", "../../etc/passwd", "${jndi:ldap://x}")


async def ask(inquiry: Inquiry) -> None:
    """Begin as several clients do, and call with texts that alarm firewalls."""
    is_modern = not inquiry.catalogue.is_legacy
    first = Speech(inquiry=inquiry, version=MODERN) if is_modern else Speech(inquiry=inquiry)
    method, params = ("tools/list", {}) if is_modern else ("initialize", offered())
    expect: dict[str, Any] = {"status": [200], "media": ["application/json", "text/event-stream"]}
    for agent in _AGENTS:
        await inquiry.ask(f"User-Agent {agent}", first.request(method, params, headers={"User-Agent": agent}), expect)
    speech, tool = await speaking(inquiry), inquiry.tool()
    places = [name for name, value in tool.arguments.items() if isinstance(value, str)]
    plain = await inquiry.look(speech.call(tool))
    expect = {"status": [plain.status], "media": like(plain.media)}
    for text in _TEXTS if places else ():
        changed = changed_arguments(tool, places[0], text)
        await inquiry.ask(f"{places[0]} is {text}", speech.call(changed), expect)
    if not places:
        inquiry.skip("texts that alarm firewalls", f"{tool.name} takes no text")
    await _oauth(inquiry)
    if is_loopback(inquiry.url):
        inquiry.skip("from outside", "the target is on this machine: run this against its public address too")


async def _oauth(inquiry: Inquiry) -> None:
    """Whoever asks, the places of OAuth answer with one status."""
    try:
        endpoints = await inquiry.endpoints()
    except CannotBeChecked as problem:
        inquiry.skip("the places of OAuth, by client", str(problem))
        return
    document = inquiry.agent.request("GET", f"{origin_of(inquiry.url)}/.well-known/oauth-protected-resource")
    requests = {"its metadata": document, "/token": inquiry.agent.form(endpoints.token, {"grant_type": "none"})}
    if endpoints.registration:
        requests["/register"] = inquiry.agent.json(endpoints.registration, {"redirect_uris": []})
    for name, request in requests.items():
        plain = await inquiry.look(request)
        expect = {"status": [plain.status, 429], **({"media": like(plain.media)} if plain.media else {})}
        for agent in _AGENTS:
            headers = tuple((key, agent if key == "User-Agent" else value) for key, value in request.headers)
            await inquiry.ask(f"{name}, User-Agent {agent}", replace(request, headers=headers), expect, quiet=True)


def like(media: str) -> list[str]:
    """The media types that say the same: a server may answer as an event stream what took it a moment longer. Pure."""
    both = ["application/json", EVENT_STREAM]
    return both if media in both else [media]


def changed_arguments(tool: CallableTool, name: str, value: str) -> CallableTool:
    """The tool with another value for one argument. Pure."""
    return replace(tool, arguments={**tool.arguments, name: value})


CT_40: Final = Contract(
    id="CT-40",
    title="Neither the client's name nor the text of an argument changes the status",
    about="Bot rules and firewalls in front answer platforms, or a harmless text, with 403 and a page of HTML.",
    incidents=("P-19", "CT-40"),
    severity="serious",
    advice="Let the rules in front of the connector pass the platforms' clients and any text in JSON arguments.",
    source="incident P-19 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("tool",),
    ask=ask,
)
