"""Who is let in to what: a table over what was sent, what is wanted, and who asks.

Pure. Knows no token and no HTTP; `wanted` reads a body only as far as needed, and takes what it cannot read for
something that needs a token.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NoReturn

from .lock import ToolAccess

OPEN_METHODS: Final = frozenset(
    {
        "initialize",
        "server/discover",
        "ping",
        "tools/list",
        "resources/list",
        "resources/templates/list",
        "prompts/list",
        "logging/setLevel",
    }
)
"""What anybody may ask where listing is anonymous: handshakes, lists, and a courtesy that changes nothing."""

_VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"


class Subject(Enum):
    """What a request is about."""

    OPEN = "open"
    TOOL = "tool"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request wants. `id` and `is_envelope` are for answering it in band; `tool` only for a tool call."""

    subject: Subject
    tool: str | None = None
    id: str | int | float | None = None
    is_envelope: bool = False


class Held(Enum):
    """What the caller has in hand."""

    NOTHING = "nothing"
    REFUSED = "refused"
    TOKEN = "token"  # noqa: S105 the enum's value


class Verdict(Enum):
    """What happens to the request."""

    PASS = "pass"  # noqa: S105 not a password
    CHALLENGE = "challenge"
    """HTTP 401."""
    STEP_UP = "step up"
    """HTTP 403 `insufficient_scope`."""
    IN_BAND = "in band"
    """HTTP 200 with a result that carries the challenge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a connector lets in. `tools` says it by tool; a tool that is not in it needs `required` and no more."""

    anonymous: bool = False
    required: frozenset[str] = frozenset()
    tools: Mapping[str, ToolAccess] = field(default_factory=dict)

    def needed(self, wanted: Wanted) -> frozenset[str]:
        """The scopes that a token must have for this."""
        access = self.tools.get(wanted.tool) if wanted.tool is not None else None
        return self.required | (access.scopes if access is not None else frozenset())

    def is_open(self, wanted: Wanted) -> bool:
        """Whether this needs no token."""
        if not self.anonymous:
            return False
        access = self.tools.get(wanted.tool) if wanted.tool is not None else None
        return wanted.subject is Subject.OPEN or (access is not None and access.anonymous)


def decide(held: Held, scopes: frozenset[str], wanted: Wanted, rules: Rules, *, reads_results: bool) -> Verdict:
    """The table:

    | in hand | wanted | a host that reads results | any other | why |
    |---|---|---|---|---|
    | a refused token | anything | 401 | 401 | drives the refresh, also on GET (incident P-08) |
    | nothing | what is open | pass | pass | ChatGPT's mixed mode |
    | nothing | a tool | in band | 401 | ChatGPT ignores a bare 401 on a call; Claude needs it (facts 3.8, 6) |
    | nothing | anything else | 401 | 401 | 401 and well-known documents start the login (facts 3.1) |
    | a token without the scope | a tool | in band | 403 | step-up; the card needs the result (facts 3.8) |
    | a token without the scope | anything else | 403 | 403 | RFC 6750, section 3.1 |
    | a token | anything | pass | pass | |

    A token that is refused is refused also for what is open: the person believes to be logged in.
    """
    if held is Held.REFUSED:
        return Verdict.CHALLENGE
    if held is Held.NOTHING and rules.is_open(wanted):
        return Verdict.PASS
    if held is Held.TOKEN and (rules.needed(wanted) <= scopes or rules.is_open(wanted)):
        return Verdict.PASS
    if wanted.subject is Subject.TOOL and reads_results:
        return Verdict.IN_BAND
    return Verdict.CHALLENGE if held is Held.NOTHING else Verdict.STEP_UP


def reads_results(user_agent: str) -> bool:
    """Whether this host makes its login card from a tool's result and ignores HTTP 401 on a call.

    That is the ChatGPT app in all its spellings (`openai-mcp/1.0.0`, `(ChatGPT)`, `(Codex)`), and products of that
    family that are not known yet. Behind the Responses and the Realtime API there is no person to log in; there the
    developer who sent the token reads the status.
    """
    said = user_agent[:256].lower()
    return "openai-mcp" in said and "api)" not in said


def wanted_by(body: bytes) -> Wanted:
    """What a POST wants. Only what can be read in exactly one way is taken for open or for a tool call.

    A member that stands twice, a batch or broken JSON is `OTHER`: whoever reads it behind the lock may read it
    differently.
    """
    if not body.strip():
        return Wanted(subject=Subject.OPEN)
    try:
        message = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return Wanted(subject=Subject.OTHER)
    if message in ({}, []):
        return Wanted(subject=Subject.OPEN)  # asks for nothing (ChatGPT's probes, 2026-08-11)
    return _wanted(message) if isinstance(message, dict) else Wanted(subject=Subject.OTHER)


def _wanted(message: dict[str, Any]) -> Wanted:
    method, params, id_ = message.get("method"), message.get("params"), message.get("id")
    if not isinstance(method, str):
        return Wanted(subject=Subject.OTHER)
    params = params if isinstance(params, dict) else {}
    id_ = id_ if _is_id(id_) else None
    meta = params.get("_meta")
    is_envelope = isinstance(meta, dict) and _VERSION_KEY in meta
    if method == "tools/call":
        name = params.get("name")
        is_answerable = isinstance(name, str) and id_ is not None
        subject = Subject.TOOL if is_answerable else Subject.OTHER
        return Wanted(subject=subject, tool=name if is_answerable else None, id=id_, is_envelope=is_envelope)
    return Wanted(subject=Subject.OPEN if _is_open(method, params, id_) else Subject.OTHER, id=id_)


def _is_open(method: str, params: dict[str, Any], id_: Any) -> bool:
    if method.startswith("notifications/"):
        return id_ is None
    if method == "resources/read":
        # The pages of widgets, which ChatGPT reads when a connector is made, before anybody has logged in.
        return str(params.get("uri", "")).startswith("ui://")
    return method in OPEN_METHODS


def _is_id(said: object) -> bool:
    return isinstance(said, str | int | float) and not isinstance(said, bool) and said not in {math.inf, -math.inf}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found
