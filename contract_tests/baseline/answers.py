"""What a target answers to one question, as values by place: the same question asked often shows which of them vary.

A question is a method with its tool or resource, in one era. Pure.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..judging.operators import look_up
from ..judging.reply import load, read_reply
from ..notation.session import MISSING
from ..outcome import Ending, StepRun

VARIES: Final = "*"
"""Stands for a value that differed from answer to answer, and in a file for one that nobody wants compared."""

_LONGEST = 160
"""Characters of a text that are kept as they are: a sentence. Of longer ones only a change can be seen."""

_ENVELOPE: Final = {"id", "jsonrpc"}


def question(step: StepRun) -> str:
    """What a step asked, or empty if it is no JSON-RPC request with a complete answer."""
    message = load(step.sent.body) if step.sent else MISSING
    method, asks = look_up(message, ("method",)), look_up(message, ("id",)) is not MISSING
    if not isinstance(method, str) or not asks or not step.received or step.received.ending is not Ending.COMPLETE:
        return ""
    subject = next((look_up(message, ("params", key)) for key in ("name", "uri", "protocolVersion")
                    if isinstance(look_up(message, ("params", key)), str)), "")  # fmt: skip
    version = look_up(message, ("params", "_meta", "io.modelcontextprotocol/protocolVersion"))
    era = version if isinstance(version, str) else "with a handshake"
    return " ".join(filter(None, (method, subject, f"({era})")))


def answer(step: StepRun) -> dict[str, Any]:
    """The message of a reply by place (a JSON pointer), without what repeats the question."""
    message = read_reply(step.received).message if step.received else MISSING
    if not isinstance(message, dict):
        return {}
    return dict(_leaves({key: value for key, value in message.items() if key not in _ENVELOPE}, ""))


def merged(answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One answer that stands for all: what differed, or was there only sometimes, is `VARIES`."""
    places = sorted({place for one in answers for place in one})
    return {place: _one([one.get(place, MISSING) for one in answers]) for place in places}


def _one(values: Sequence[Any]) -> Any:
    first = values[0]
    return first if all(type(value) is type(first) and value == first for value in values) else VARIES


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every value that has no members, with its place; empty objects and lists are values."""
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _leaves(member, f"{place}/{_escaped(str(key))}")
    elif isinstance(value, list) and value:
        for number, member in enumerate(value):
            yield from _leaves(member, f"{place}/{number}")
    else:
        yield place, _short(value)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) <= _LONGEST:
        return value
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{text[:40]}... ({len(text)} characters, sha256 {digest})"
