"""How a request is refused, at the door and wherever another app stands behind it: one wording for both.

Knows what is said and how it is sent; whether to refuse is decided elsewhere.
"""

from typing import Final

from starlette.types import Message, Send

from ..exchange import Answer, encode, send_json
from ..request.cors import Lines
from ..request.reading import Asked, Era, Refused, error_body
from .busy import Busy
from .busy import refuse as worded

CLOSING: Final = ((b"connection", b"close"),)
"""What replies carry while the process leaves, so that nobody keeps a connection to it."""

RESTARTING: Final = 19_503
"""Our own error code: outside JSON-RPC's -32768..-32000, as MCP 2026-07-28 asks of codes that are not its own."""

LOOK_FIRST: Final = "Whether the call had an effect is not known; look first."


def restarting(id_: str | float | None) -> Refused:
    """What the client of a call is told that was stopped because the drain is over."""
    said = f"The connector is being restarted and stopped this call. {LOOK_FIRST}"
    return Refused(503, RESTARTING, said, id_, {"retryAfterSeconds": 5})


def answer_of(refused: Refused) -> Answer:
    """A refusal as the last of a reply."""
    return Answer(encode(error_body(refused)), refused.status)


async def refuse(send: Send, refused: Refused, lines: Lines = ()) -> None:
    """Send a refusal, with more header lines if need be."""
    await send_json(send, answer_of(refused), (*refused.lines, *lines))


async def turn_away(send: Send, busy: Busy, asked: Asked, *, tool: str | None, lines: Lines = ()) -> None:
    """Say that there is no room now, and when to come back: to the model where `tool` was called.

    While draining it is a status instead, so that a balancer tries another worker.
    """
    tool = None if busy.is_draining else tool
    refusal = worded(busy, id_=asked.id, tool=tool, is_envelope=asked.era is Era.ENVELOPE)
    await send_json(send, Answer(encode(refusal.body), refusal.status), (*refusal.headers, *lines))


def adding(lines: Lines, send: Send) -> Send:
    """A `send` that adds header lines to the reply."""

    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": (*message.get("headers", ()), *lines)}
        await send(message)

    return add
