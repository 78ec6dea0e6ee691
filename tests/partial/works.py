"""A connector whose tools end when a test lets them, and a host that asks for the rest."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
from anyio import to_thread

from connector import Call, Connector, DrainSettings, Guard, Settings, StoreSettings, StreamSettings, tool
from connector.patience import AnswerSettings
from tests import wire

CHAT = {"openai/session": "v1/chat-one", "openai/subject": "v1/anna"}

SOON = AnswerSettings(limits={"chatgpt": 1.0}, margin=0.4, checkpoint=0.05)
"""ChatGPT's clock, a hundred and twenty times as fast: an answer goes out after 0.6 s."""


class Works(Connector):
    """Tools that work until `may_end`. `begun` counts what was begun."""

    name = "works"
    version = "1.0.0"

    def __init__(self, *, store: Any = "memory:", answer: AnswerSettings = SOON, **options: Any) -> None:
        settings = Settings(
            answer=answer,
            stream=StreamSettings(first_byte=0.05, interval=0.1),
            store=StoreSettings(lease=1.0),
            drain=DrainSettings(notice=0.01, within=0.2),
        )
        super().__init__(store=store, settings=settings, **options)
        self.begun: list[str] = []
        self.stopped = threading.Event()
        self.may_end = threading.Event()

    async def _work(self) -> None:
        try:
            await to_thread.run_sync(self.may_end.wait, abandon_on_cancel=True)
        except asyncio.CancelledError:
            self.stopped.set()
            raise

    @tool(read_only=True)
    async def read(self, what: str) -> AsyncIterator[str]:
        """Read, line by line."""
        self.begun.append(what)
        yield f"{what} 1"
        yield f"{what} 2"
        await self._work()
        yield f"{what} 3"

    @tool
    async def write(self, what: str, call: Call) -> dict[str, int]:
        """Write, and tell on the way."""
        self.begun.append(what)
        call.partial(f"began {what}")
        await self._work()
        await call.partial({"wrote": what})
        return {"written": len(self.begun)}

    @tool(partial=True, guard=Guard(after_crash="rerun"))
    async def write_again(self, what: str, call: Call) -> str:
        """Write what may be written twice."""
        self.begun.append(what)
        call.partial(f"attempt {call.attempt}")
        await self._work()
        return f"wrote {what} in attempt {call.attempt}"

    @tool(guard=False, partial=True)
    async def write_often(self, what: str) -> int:
        """Write as often as asked."""
        self.begun.append(what)
        await self._work()
        return len(self.begun)

    @tool
    async def plain_write(self, what: str) -> int:
        """Write, and say nothing of how long it takes."""
        self.begun.append(what)
        await self._work()
        return len(self.begun)

    @tool(read_only=True, partial=False)
    async def plain_read(self, call: Call) -> str:
        """Read, with nobody to ask for the rest."""
        call.partial("half of it")
        await self._work()
        return "all of it"

    @tool
    async def fail(self, call: Call) -> str:
        """Fail after some work."""
        call.partial("the first half")
        raise ValueError("a secret")

    @tool(partial=True)
    async def times(self, call: Call) -> list[bool | None]:
        """Say what is known of the time."""
        return [call.remaining is None, call.answer_in is not None and 0 < call.answer_in <= 20]


class Plain(Connector):
    """Nothing here takes long."""

    name = "plain"

    @tool
    def add(self, one: int, two: int) -> int:
        """Add."""
        return one + two


def ask(url: str, name: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Call a tool as ChatGPT does; the result. `headers` are added, everything else goes into `_meta`."""
    said = wire.headers() | more.pop("headers", {})
    meta = {name.replace("__", "/"): value for name, value in more.items()}
    body = wire.call(name, dict(arguments or {}), meta={k: v for k, v in (CHAT | meta).items() if v is not None})
    content = json.dumps(body).encode()
    reply = httpx2.post(
        f"{url}/mcp", content=content, headers=said, timeout=20, verify=False
    )  # certificates take a while
    assert reply.status_code == 200, reply.text
    return result_in(reply)


def result_in(reply: httpx2.Response) -> dict[str, Any]:
    """The result in a reply, whole or streamed."""
    is_whole = reply.headers["content-type"] == "application/json"
    result: dict[str, Any] = (reply.json() if is_whole else wire.messages(reply.content)[-1])["result"]
    return result


def rest(url: str, answer: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """What `continue_operation` gives after an answer."""
    state = state_of(answer)
    return ask(url, "continue_operation", {"operation_id": state["operation_id"], "after": state["after"]}, **more)


def state_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer says of its operation."""
    state: dict[str, Any] = (answer.get("_meta") or {}).get("ballast/operation", {})
    return state


def texts(answer: Mapping[str, Any]) -> list[str]:
    """Every text of an answer."""
    return [block["text"] for block in answer["content"]]
