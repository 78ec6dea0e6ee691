"""A call that is not taken on now: what is full, when to come back, and how that is said on the wire.

Pure. Whoever counts the calls raises `Busy`; `refuse` words it. A tool call is answered with a tool error, because
that is the one reply whose text a model reads and passes on; HTTP statuses reach only the platform, where 429 and 503
alike became a nameless error (facts on the protocol, section 6).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from ...errors import BallastError

BUSY: Final = 1429
"""Our JSON-RPC code: 1000 and the HTTP status nearest in meaning. Codes of one's own must stay outside
-32768..-32000 (facts on the protocol, section 2).
"""

RETRY_KEY: Final = "ballast/retryAfterSeconds"


class Scope(Enum):
    """What is full. The values are labels of metrics."""

    GLOBAL = "global"
    TOOL = "tool"
    PRINCIPAL = "principal"
    STREAMS = "streams"
    DRAINING = "draining"


class Busy(BallastError):
    """The call was not started, so it is safe to send again, after `retry_after` seconds (at least 1).

    `most` is how many `scope` takes at once; 0 if it takes none (draining). `reason` is a half-sentence for DRAINING.
    """

    def __init__(self, *, retry_after: float, scope: Scope, most: int = 0, reason: str = "") -> None:
        self.retry_after = retry_after
        self.scope = scope
        self.sentence = _SENTENCES[scope].format(most=most, reason=reason or "is about to restart")
        super().__init__(f"{self.sentence}. Come back in {self.seconds} s")

    @property
    def is_draining(self) -> bool:
        """Whether this process takes nothing at all any more."""
        return self.scope is Scope.DRAINING

    @property
    def seconds(self) -> int:
        """`retry_after` in whole seconds, rounded up: what `Retry-After` can say (RFC 9110, section 10.2.3)."""
        return max(1, math.ceil(self.retry_after))


_SENTENCES: Final[Mapping[Scope, str]] = {
    Scope.GLOBAL: "This connector is working on {most} calls, as many as it takes at once",
    Scope.TOOL: "{most} calls of this tool are running, as many as it takes at once",
    Scope.PRINCIPAL: "{most} calls of this user are running, as many as are taken at once",
    Scope.STREAMS: "This connector holds {most} streams open, as many as it keeps at once",
    Scope.DRAINING: "This connector {reason} and takes no new calls",
}

_STATUS: Final[Mapping[Scope, int]] = {
    Scope.GLOBAL: 503,
    Scope.TOOL: 503,
    Scope.PRINCIPAL: 429,  # RFC 6585, section 4: this user sent too much; the others are served
    Scope.STREAMS: 503,
    Scope.DRAINING: 503,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The reply to a call that is not taken on: an HTTP status, its headers, and a JSON-RPC message."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: dict[str, Any]


def refuse(busy: Busy, *, id_: str | float | None, tool: str | None = None, is_envelope: bool = False) -> Refusal:
    """Word `busy` for a call of `tool`, or with None for any other request.

    `is_envelope`: the request speaks a revision in which results have a `resultType` (2026-07-28 and later).
    """
    if tool is not None:
        result = _tool_error(busy, tool, is_envelope=is_envelope)
        return Refusal(status=200, headers=(), body={"jsonrpc": "2.0", "id": id_, "result": result})
    error = {
        "code": BUSY,
        "message": str(busy),
        "data": {"retryAfterSeconds": busy.seconds, "scope": busy.scope.value},
    }
    headers = ((b"retry-after", str(busy.seconds).encode()),)
    return Refusal(status=_STATUS[busy.scope], headers=headers, body={"jsonrpc": "2.0", "id": id_, "error": error})


def _tool_error(busy: Busy, tool: str, *, is_envelope: bool) -> dict[str, Any]:
    unit = "second" if busy.seconds == 1 else "seconds"
    text = (
        f"{tool} was not started and nothing was changed: {busy.sentence[0].lower()}{busy.sentence[1:]}. "
        f"Call it again, with the same arguments, in {busy.seconds} {unit}. "
        f"If you cannot wait, tell the person to ask again in {busy.seconds} {unit}."
    )
    result: dict[str, Any] = {"content": [{"type": "text", "text": text}], "isError": True}
    if is_envelope:
        result["resultType"] = "complete"
    return result | {"_meta": {RETRY_KEY: busy.seconds}}
