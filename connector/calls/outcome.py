"""What became of a call, and the words for it. Pure.

A replay and everything that is no ordinary answer is marked in the result's `_meta` and said in words, because the
model decides what happens next: it must know whether something was done, and how to do it again on purpose.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from ..stores.port import Entry, State

META: Final = "ballast/idempotency"

BACK_IN: Final = 5
"""Seconds after which a caller is told to ask again."""


class Outcome(Enum):
    """How a call was answered."""

    EXECUTED = "executed"
    RUNNING = "running"
    """It goes on, and was answered with what there is."""
    UNSTORED = "unstored"
    """It ran, and its outcome could not be stored in time: an equal call may yet meet what a crash leaves behind."""
    JOINED = "joined"
    REPLAYED = "replayed"
    TAKEOVER = "takeover"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"
    BYPASSED = "bypassed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What one run of a tool came to. `state` is None when nothing was begun, or nothing that should be kept."""

    state: State | None
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the store must be told when an answer has arrived."""

    key: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a call, as JSON data. `receipt` is None where it does not matter whether the answer arrives.
    `origin` names the call that was run, where that was another one.
    """

    outcome: Outcome
    result: Mapping[str, Any]
    receipt: Receipt | None = None
    key_hash: str | None = None
    origin: str | None = None


LOST: Final = (
    "This call was taken from this worker before it was finished, because the worker was out of touch for too long. "
    "Whether it had an effect is not known; look first."
)
STOPPED: Final = (
    "The connector is being restarted and stopped this call. Whether it had an effect is not known; look first."
)
LEAVING: Final = "Nothing was done: the connector is being restarted. Try again in {seconds} seconds."
ABANDONED: Final = "Nothing was done: whoever asked had left before this call was begun."
ELSEWHERE: Final = "An equal call is still running. Nothing was begun a second time. Ask again in {seconds} seconds."
NO_STORE: Final = (
    "Nothing was done: the connector's memory of finished calls cannot be reached, and without it this call could run "
    "twice. Try again in {seconds} seconds."
)
MISMATCH: Final = (
    "Nothing was done: this key was used before for a call with other arguments. A new wish needs a new key; for a "
    "retry, send exactly the arguments of the first call."
)
NOT_KEPT: Final = (
    "This call was completed at {when}. Its result ({size} bytes, SHA-256 {digest}) was too large to be kept."
)
UNREADABLE: Final = (
    "This call was completed at {when}. Its result can no longer be read, because the secret has changed."
)
CUT_OFF: Final = (
    "An equal call was begun at {when} and cut off before it was finished. Whether it had its effect is not known, so "
    "it was not run again. Look first whether it took place. {again}"
)
AGAIN_NAMED: Final = "To do it again on purpose, use a new key."
AGAIN_IMPLIED: Final = "To do it again on purpose, make the call again."
UNRECORDED: Final = (
    "This call was carried out, but that could not be recorded, and an equal call may be carried out again. Look "
    "whether it took place before you repeat it."
)
NO_OUTCOME: Final = "This ended in a way that has no result. Call the tool again."
NO_JSON: Final = (
    "This call was completed, but its result cannot be put into JSON. Do not repeat it; look whether it took place, "
    "and tell the connector's owner."
)
REPLAY_NOTE: Final = (
    "Note: this is the answer to the equal call of {when}, which had not reached you. It was not done a second time. "
    "To do it again on purpose, make the call again."
)


def refusal(text: str) -> dict[str, Any]:
    """A tool error that says `text`."""
    return {"content": [{"type": "text", "text": text}], "isError": True}


def marked(result: Mapping[str, Any], outcome: Outcome, entry: Entry, *, note: str | None = None) -> dict[str, Any]:
    """The result with the mark of how it came about, and a note for the model."""
    mark = {"outcome": outcome.value, "keyHash": hash_of(entry.key), "firstAt": when(entry.begun_at)}
    content = result.get("content")
    added = [*content, {"type": "text", "text": note}] if note and isinstance(content, list) else content
    return {**result, "content": added, "_meta": {**(result.get("_meta") or {}), META: mark}}


def hash_of(key: str) -> str:
    """As much of a key's digest as a person needs to compare two calls."""
    return key[:16]


def when(moment: float) -> str:
    """A store's time as people and models read it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
