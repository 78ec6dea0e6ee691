"""CT-08: what nobody knows is ignored or refused as JSON-RPC says; capability objects are opaque."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from ..notation.session import JsonBody
from ..replay.wire import encode
from .contract import Contract
from .inquiry import Inquiry
from .mutants import mutants
from .speech import ERROR, RESULT, Speech, offered, speaking

_COUNT: Final = 200
_CAPABILITIES: Final[Mapping[str, dict[str, Any]]] = {
    "none": {},
    "those of a coding assistant": {
        "roots": {"listChanged": True},
        "sampling": {},
        "elicitation": {"form": {}, "url": {}},
    },
    "extensions": {"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}},
    "tasks": {"tasks": {"list": {}, "cancel": {}, "requests": {"sampling": {"createMessage": {}}}}},
    "experimental": {"experimental": {"openai/visibility": {"enabled": True}}},
    "of an unheard-of kind": {"telepathy": {"range": [1, None, {"deep": True}]}, "x": {}},
}
_FUZZED: Final[dict[str, Any]] = {
    "any_of": [
        RESULT,
        {"name": "202", "status": [202]},
        {**ERROR, "name": "a JSON-RPC error with status 200, 400 or 404", "status": [200, 400, 404]},
    ]
}


async def ask(inquiry: Inquiry) -> None:
    """Shake hands with recorded and invented capabilities; then send two hundred mutated bodies."""
    if inquiry.catalogue.is_legacy:
        for name, capabilities in _CAPABILITIES.items():
            request = Speech(inquiry=inquiry).request("initialize", {**offered(), "capabilities": capabilities})
            await inquiry.ask(f"initialize, capabilities {name}", request, RESULT)
    speech = await speaking(inquiry)
    requests = [speech.request("tools/list", {}), speech.call(inquiry.tool())]
    if inquiry.catalogue.is_legacy:
        requests.insert(0, Speech(inquiry=inquiry).request("initialize", offered()))
    messages: list[Mapping[str, Any]] = [_message(request.body) for request in requests]
    for number, body in enumerate(mutants(messages, inquiry.login.random, count=_COUNT)):
        template = requests[number % len(requests)]
        own = {name: value for name, value in template.headers if name.lower().startswith("mcp-")}
        mutated = speech.post(encode(JsonBody(value=body)) or b"", dict(own))
        await inquiry.ask(f"mutated {body.get('method')}, number {number + 1}", mutated, _FUZZED, quiet=True)
        if inquiry.has_enough:
            return


def _message(body: bytes | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body or b"{}")
    return found


CT_08: Final = Contract(
    id="CT-08",
    title="Unknown members and values never break the door",
    about="Hosts add members at every level without notice; a strict model in front answers them 422 or 500.",
    incidents=("P-18", "S-01", "CT-08"),
    severity="critical",
    advice="Ignore members you do not know; refuse what you cannot read with a JSON-RPC error, never with 422 or 500.",
    source="JSON-RPC 2.0; incidents P-18 and S-01 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("tool",),
    ask=ask,
)
