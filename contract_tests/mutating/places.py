"""What of a session can be changed: its MCP messages, their envelopes, clients and capabilities. Pure.

A step that was taken over from another session is left alone: it is changed there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..notation.session import MISSING, JsonBody, Place, Session, Step

META: Place = ("params", "_meta")
PREFIX = "io.modelcontextprotocol/"
VERSION_HEADER = "MCP-Protocol-Version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A step that sends one JSON-RPC message, and the message."""

    step: Step
    body: Mapping[str, Any]

    @property
    def method(self) -> str:
        """Its method."""
        return str(self.body["method"])

    @property
    def is_request(self) -> bool:
        """Whether an answer is due."""
        return "id" in self.body

    @property
    def is_modern(self) -> bool:
        """Whether it carries the envelope of 2026-07-28."""
        return self.at((*META, f"{PREFIX}protocolVersion")) is not MISSING

    def at(self, place: Place) -> Any:
        """What stands at a place, or `MISSING`."""
        value: Any = self.body
        for key in place:
            if not isinstance(value, Mapping) or key not in value:
                return MISSING
            value = value[str(key)]
        return value

    def objects(self, *places: Place) -> Iterator[Place]:
        """Those of the places where an object stands."""
        yield from (place for place in places if isinstance(self.at(place), Mapping))

    def header(self, name: str) -> str | None:
        """A header of the step, as it is written in the session."""
        return next((value for key, value in self.step.send.headers.items() if key.lower() == name.lower()), None)


def own_steps(session: Session) -> Iterator[Step]:
    """The steps that are the session's own and are sent once."""
    yield from (step for step in session.steps if not step.opening and not step.idle)


def messages(session: Session) -> Iterator[Message]:
    """The session's own JSON-RPC messages to the target."""
    for step in own_steps(session):
        body = step.send.body
        is_message = isinstance(body, JsonBody) and isinstance(body.value, Mapping) and "jsonrpc" in body.value
        if isinstance(body, JsonBody) and is_message and isinstance(body.value.get("method"), str):
            yield Message(step=step, body=body.value)


def at_endpoint(session: Session) -> Iterator[Message]:
    """The messages that go to the target's own path: elsewhere nobody need understand them."""
    yield from (message for message in messages(session) if message.step.send.path == "${target.path}")


def requests(session: Session) -> Iterator[Message]:
    """The messages that are answered."""
    yield from (message for message in messages(session) if message.is_request)


def client_places(message: Message) -> Iterator[Place]:
    """Where the client names itself."""
    yield from message.objects(("params", "clientInfo"), (*META, f"{PREFIX}clientInfo"))


def capability_places(message: Message) -> Iterator[Place]:
    """Where the client says what it can do."""
    yield from message.objects(("params", "capabilities"), (*META, f"{PREFIX}clientCapabilities"))
