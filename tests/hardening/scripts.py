"""ASGI apps that say on the wire exactly what a test wants said."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from connector import Settings, StreamSettings

EAGER = Settings(stream=StreamSettings(first_byte=0.05, interval=0.05))
PATIENT = Settings(stream=StreamSettings(first_byte=60, interval=60))

BEAT = b": still working\n\n"
EVENTS = ((b"content-type", b"text/event-stream"),)
JSON = ((b"content-type", b"application/json"),)

ANSWER: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "done"}]}}
ANSWERED = json.dumps(ANSWER).encode()
EVENT = b"event: message\r\ndata: " + ANSWERED + b"\r\n\r\n"


class Gate:
    """Opened by the test, awaited by the app."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def open(self) -> None:
        self.opened.set()

    async def passed(self) -> None:
        await asyncio.to_thread(self.opened.wait)


class Script:
    """An app that follows `play` for every request, and remembers what it was asked."""

    def __init__(self, play: Callable[["Script", Receive, Send], Awaitable[None]]) -> None:
        self.play = play
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []
        self.asked = threading.Event()
        self.left = threading.Event()
        self.lived: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                what = (await receive())["type"]
                self.lived.append(what)
                await send({"type": f"{what}.complete"})
            return
        self.scopes.append(scope)
        self.bodies.append(await _body(receive))
        self.asked.set()
        await self.play(self, receive, send)

    @property
    def headers(self) -> dict[str, str]:
        """Header lines of the last request, as the app got them."""
        return {name.decode(): value.decode() for name, value in self.scopes[-1]["headers"]}


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def head(status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = JSON) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def saying(*messages: Message) -> Script:
    """An app that says these and returns."""

    async def play(_: Script, __: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return Script(play)


def waiting(gate: Gate, before: list[Message], after: list[Message]) -> Script:
    """An app that says something, waits for the gate, and says the rest."""

    async def play(_: Script, __: Receive, send: Send) -> None:
        for message in before:
            await send(message)
        await gate.passed()
        for message in after:
            await send(message)

    return Script(play)
