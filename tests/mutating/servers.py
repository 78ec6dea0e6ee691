"""Servers that are deaf to one change: a careful one by hand, and what a test lets it refuse."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.replay.servers import Answer, Asked, Tolerant, refusal

MODERN = "2026-07-28"
META = "io.modelcontextprotocol/protocolVersion"
Deafness = Callable[[Asked], Answer | None]


class Careful(Tolerant):
    """Survives every rule: refuses what a revision says must be refused, and nothing else. `deaf` answers before it."""

    def __init__(self, deaf: Deafness | None = None) -> None:
        super().__init__()
        self._deaf = deaf

    def _answer(self, asked: Asked) -> Answer:
        early = self._deaf(asked) if self._deaf else None
        return early or _wrong_version(asked) or super()._answer(asked)


def params(asked: Asked) -> dict[str, Any]:
    """The params of a message, or nothing."""
    found = asked.message.get("params") if isinstance(asked.message, dict) else None
    return found if isinstance(found, dict) else {}


def meta(asked: Asked) -> dict[str, Any]:
    """The `_meta` of a message, or nothing."""
    found = params(asked).get("_meta")
    return found if isinstance(found, dict) else {}


def bad_request(asked: Asked, refused: Iterable[object]) -> Answer | None:
    """400 if there is anything to refuse."""
    has_id = isinstance(asked.message, dict) and "id" in asked.message
    if not any(refused):
        return None
    return refusal(asked, -32600, status=400) if has_id else Answer(status=400, media="")


def crash() -> Answer:
    """What a framework says when an exception got through."""
    return Answer(status=500, media="text/html", pieces=[(0, b"<h1>Internal Server Error</h1>")])


def _wrong_version(asked: Asked) -> Answer | None:
    if META not in meta(asked) or not isinstance(asked.message, dict) or "id" not in asked.message:
        return None
    header, body = asked.headers.get("mcp-protocol-version", ""), meta(asked)[META]
    if header != body:
        return refusal(asked, -32020, status=400)
    return refusal(asked, -32022, status=400) if body != MODERN else None
