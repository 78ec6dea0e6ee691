"""Which client is calling, as one of a bounded set of labels, and after how long it gives a call up by itself.

Pure tables, each row with its source. Whoever is not listed is `OTHER`: an unknown client is served like any other, it
only shares its statistics with the rest of the unknown.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache, lru_cache
from typing import Final, NamedTuple

from ...patience import AnswerSettings


class Surface(Enum):
    """A client, or the part of a platform that speaks. The values are labels of metrics; never a raw User-Agent."""

    CHATGPT = "chatgpt"
    CHATGPT_CODEX = "chatgpt-codex"
    RESPONSES_API = "responses-api"
    REALTIME_API = "realtime-api"
    OPENAI = "openai"
    CODEX = "codex"
    CLAUDE = "claude"
    CLAUDE_CODE = "claude-code"
    VSCODE = "vscode"
    CURSOR = "cursor"
    COPILOT = "copilot"
    COPILOT_STUDIO = "copilot-studio"
    SLACK = "slack"
    OTHER = "other"


MARKS: Final[tuple[tuple[Surface, tuple[str, ...]], ...]] = (
    # What a User-Agent or a clientInfo.name must contain, all of it, in lower case. The special stands before the
    # general; the first row that either of the two satisfies decides. Facts on the wire, section 1.1, unless noted.
    (Surface.CHATGPT_CODEX, ("openai-mcp", "(codex)")),  # the app's model-side calls, seen 2026-09-17 to 10-09
    (Surface.RESPONSES_API, ("openai-mcp", "(responses api)")),  # seen 2026-09-18
    (Surface.REALTIME_API, ("openai-mcp", "(realtime api)")),  # clientInfo, seen 2026-09-28
    (Surface.CHATGPT, ("openai-mcp", "(chatgpt)")),  # first seen 2026-09-23
    (Surface.OPENAI, ("openai-mcp", "(")),  # ours: a product that is not known yet must not spoil a known one's record
    (Surface.CHATGPT, ("openai-mcp",)),  # the bare form: creation, refresh, card calls, mid-2025 to 2026-10
    (Surface.CODEX, ("codex-mcp-client",)),  # the command line's clientInfo, seen 2026-09-25
    (Surface.CLAUDE_CODE, ("claude-code",)),  # section 6; it also says `Claude-User (claude-code/...)`
    (Surface.CLAUDE, ("claude-user",)),  # section 6; its other User-Agent, python-httpx, is everybody's
    (Surface.CLAUDE, ("claude-ai",)),  # section 6, clientInfo
    (Surface.CLAUDE, ("anthropic",)),  # section 6, clientInfo `Anthropic/ClaudeAI`, `Anthropic/Toolbox`
    (Surface.CURSOR, ("cursor-vscode",)),  # section 6, clientInfo, 2026-08-14
    (Surface.VSCODE, ("visual studio code",)),  # section 6, clientInfo, 2026-07-23
    (Surface.COPILOT_STUDIO, ("microsoftcopilotstudio",)),  # section 6
    (Surface.COPILOT, ("ms-copilot",)),  # section 6, clientInfo
    (Surface.SLACK, ("slack-mcp-client",)),  # section 6
)


class Limit(NamedTuple):
    """Seconds that a client was seen to give one call, whatever it received meanwhile: the shortest and the longest,
    the day it was seen (ISO 8601), and where that is written down.
    """

    shortest: float
    longest: float
    seen: str
    source: str


_OPENAI_APP: Final = Limit(119.8, 119.8, "2026-09-18", "an operator's measurement; progress does not extend it")
_OPENAI_API: Final = Limit(59.76, 59.81, "2026-09-18", "an operator's measurement; the same call comes again at once")

CALL_LIMITS: Final[Mapping[Surface, tuple[Limit, ...]]] = {
    # Limits on silence or on the first byte are left out: with heartbeats they only strike when our bytes do not
    # arrive, and then it is a broken stream (Claude Code: first byte 60 s, idle 5 min).
    Surface.CHATGPT: (_OPENAI_APP,),  # the 60 s of 2025 and spring 2026 were raised by then
    Surface.CHATGPT_CODEX: (_OPENAI_APP,),  # the same measurement: these are the app's tool calls
    Surface.RESPONSES_API: (_OPENAI_API,),
    Surface.REALTIME_API: (_OPENAI_APP, _OPENAI_API),  # not measured; a guess that can only make us slower to judge
    Surface.OPENAI: (_OPENAI_APP, _OPENAI_API),  # the same guess
    # about 240 s in handshake revisions, 150 to 210 s in 2026-07-28
    Surface.CLAUDE: (Limit(150.0, 240.0, "2026-09-18", "operators' reports"),),
}


@cache
def limit_of(surface: Surface) -> float | None:
    """The seconds after which a call of `surface` is sure to be cut, by the shortest limit that was seen; None where
    none is known.
    """
    return min((limit.shortest for limit in CALL_LIMITS.get(surface, ())), default=None)


RESULT_BUDGETS: Final[Mapping[Surface, int]] = {
    # Bytes of text that a surface is known to read of one result, where that is more than the 8 KB everybody does.
    Surface.CLAUDE: 96
    * 1024,  # about 150,000 characters (operators' reports, 2026-06 to 10); a script may need 3 bytes
    Surface.CLAUDE_CODE: 48 * 1024,  # 25,000 tokens (its own documentation), at two bytes for a dense one
}


def budget_for(settings: AnswerSettings, user_agent: str | None, client_name: str | None = None) -> int:
    """Bytes of text in one answer, for whoever these speak of: never less than what is set for all."""
    surface = surface_of(user_agent, client_name)
    return settings.budgets.get(surface.value) or max(settings.budget, RESULT_BUDGETS.get(surface, 0))


def patience_for(settings: AnswerSettings, user_agent: str | None, client_name: str | None = None) -> float:
    """Seconds from the arrival of a call to its answer, for whoever these speak of."""
    surface = surface_of(user_agent, client_name)
    return settings.patience(surface.value, limit_of(surface))


def shortest_patience(settings: AnswerSettings) -> float:
    """The seconds in which even the most impatient surface gets its answer."""
    return min(settings.patience(surface.value, limit_of(surface)) for surface in Surface)


_LONGEST_READ: Final = 256
"""Characters of a name that are looked at: real ones are under 100, and what is remembered must stay small."""


def surface_of(user_agent: str | None, client_name: str | None = None) -> Surface:
    """The surface that a `User-Agent` header and `clientInfo.name` speak of. Any text is taken."""
    return _surface_of((user_agent or "")[:_LONGEST_READ], (client_name or "")[:_LONGEST_READ])


def is_own_limit(surface: Surface, lasted: float, *, tolerance: float) -> bool:
    """Whether a call of `surface` that was cut after `lasted` seconds was cut by the client's own clock.

    `tolerance` (seconds) covers what lies between its clock and ours: opening the connection, the way here, the way
    of the close.
    """
    return any(
        limit.shortest - tolerance <= lasted <= limit.longest + tolerance for limit in CALL_LIMITS.get(surface, ())
    )


@lru_cache(maxsize=256)
def _surface_of(user_agent: str, client_name: str) -> Surface:
    said = (user_agent.lower(), client_name.lower())
    for surface, marks in MARKS:
        if any(all(mark in text for mark in marks) for text in said):
            return surface
    return Surface.OTHER
