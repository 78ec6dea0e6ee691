"""The front of the desk, told of what stands around it: who waits how long, who may, and whether answers arrive."""

from collections.abc import Callable, Mapping
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool, ToolManager

from .calls.front import Front, Outside
from .calls.handing_over import Replying
from .guard import Guard
from .http.exchange import REPLY
from .http.request.surface import budget_for, patience_for, shortest_patience
from .oauth.lock import Inside
from .patience import AnswerSettings


def front_of(
    settings: AnswerSettings,
    tools: ToolManager,
    *,
    audience: str,
    lock: Callable[[], Inside | None],
    guard_of: Callable[[Tool], Guard | None],
) -> Front:
    """The front of one connector's desk. `lock` is asked for every call, because it is fitted later."""

    def lacking(tool: str, request: Any) -> Mapping[str, Any] | None:
        inside = lock()
        challenge = None if inside is None or request is None else inside.challenge(tool, request.scope)
        return None if challenge is None else challenge.in_band()

    outside = Outside(
        patience=lambda agent, client: patience_for(settings, agent, client),
        budget=lambda agent, client: budget_for(settings, agent, client),
        lacking=lacking,
        replying=_replying,
        tool=tools.get_tool,
        guard_of=guard_of,
    )
    return Front(settings, outside, audience=audience, shortest=shortest_patience(settings))


def _replying(context: Context[Any, Any]) -> Replying | None:
    request = context.request_context.request
    reply: Replying | None = None if request is None else request.scope.get(REPLY)
    return reply
