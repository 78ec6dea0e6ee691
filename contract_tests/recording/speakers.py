"""Who speaks, as far as a request says: the host's name, its surface, its build. Pure."""

import re
from dataclasses import dataclass
from typing import Any, Final

from ..judging.operators import look_up
from .exchange import Exchange
from .plain import scrubbed, slug

_HOSTS: Final = (
    ("openai-mcp", "chatgpt"), ("chatgpt", "chatgpt"), ("codex", "codex"), ("claude-code", "claude-code"),
    ("claude", "claude"), ("anthropic", "claude"), ("visual studio code", "vscode"), ("vscode", "vscode"),
    ("cursor", "cursor"), ("copilot", "copilot"), ("slack", "slack"), ("gemini", "gemini"), ("inspector", "inspector"),
)  # fmt: skip
"""What a User-Agent or a client's name contains, and the host it tells of; the first that fits."""

_SURFACES: Final = (("(codex)", "model"), ("responses api", "responses-api"), ("realtime", "realtime"))
_LONGEST_BUILD = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A client as a session names it."""

    host: str
    surface: str
    build: str


def speaker_of(exchange: Exchange, message: Any) -> Speaker:
    """Who sent a request; what it does not say is `client`, `recorded` and `unknown`."""
    agent = exchange.header("user-agent")
    client = look_up(message, ("params", "_meta", "io.modelcontextprotocol/clientInfo", "name"))
    client = client if isinstance(client, str) else look_up(message, ("params", "clientInfo", "name"))
    said = f"{agent} {client if isinstance(client, str) else ''}".lower()
    product = slug(re.split(r"[/ ]", agent)[0], "client")
    build = scrubbed(agent, lambda _: "...")[:_LONGEST_BUILD].strip()
    return Speaker(
        host=next((host for part, host in _HOSTS if part in said), product),
        surface=next((surface for part, surface in _SURFACES if part in said), "recorded"),
        build=build if len(build) > 1 else "unknown",
    )
