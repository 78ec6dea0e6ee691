"""The request to the Responses API that makes it call one tool of a connector. Pure.

Fields as the platform's own client library has them (openai-python 3.52.0).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

LABEL: Final = "ballast_canary"
"""What the connector is called in the request; it comes back in every item about it."""

_MOST_TOKENS: Final = 512  # enough for a call and one sentence; a canary need not cost more


def request_body(
    model: str, server_url: str, tool: str, arguments: Mapping[str, Any] | None, authorization: str = ""
) -> dict[str, Any]:
    """The body that asks for exactly one call, without asking a person for approval, and keeps nothing there."""
    server: dict[str, Any] = {
        "type": "mcp",
        "server_label": LABEL,
        "server_url": server_url,
        "allowed_tools": [tool],
        "require_approval": "never",
    }
    if authorization:
        server["authorization"] = authorization
    said = json.dumps(dict(arguments), sort_keys=True) if arguments is not None else "any fitting arguments"
    return {
        "model": model,
        "input": f"Call the tool {tool} once, with the arguments {said}. Then answer with the word done.",
        "tools": [server],
        "tool_choice": {"type": "mcp", "server_label": LABEL, "name": tool},
        "max_output_tokens": _MOST_TOKENS,
        "store": False,
    }
