"""A connector whose writes leave a mark outside of it, and calls that can be cut short."""

import asyncio
import json
import socket
import threading
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx2
from anyio import to_thread
from mcp_types import CallToolResult, InputRequiredResult
from pydantic import Field

from connector import Call, Connector, Guard, OutcomeUnknown, ToolFailed, tool
from tests import wire

CHAT = {"openai/session": "v1/chat-one", "openai/subject": "v1/anna"}


class Ledger(Connector):
    """Notes what was done. Everything here is a write, except `count`."""

    name = "ledger"
    version = "1.0.0"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.done: list[str] = []
        self.tries: list[tuple[int, str | None]] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()

    @tool(read_only=True)
    def count(self) -> int:
        """Say how often something was done."""
        self.done.append("counted")
        return len(self.done)

    @tool
    async def note(self, text: str, times: int = 1) -> str:
        """Note at once."""
        self.done.append(text)
        return f"{text} is number {len(self.done)}"

    @tool
    async def slowly(self, text: str, call: Call) -> str:
        """Note when the test lets it end."""
        self.tries.append((call.attempt, call.key))
        self.begun.release()
        await to_thread.run_sync(self.may_end.wait, abandon_on_cancel=True)
        self.done.append(text)
        return f"{text} is number {len(self.done)}"

    @tool(guard=Guard(key="reference"))
    async def pay(self, amount: int, reference: str | None = None) -> dict[str, int]:
        """Pay, under a reference."""
        self.done.append(f"paid {amount}")
        return {"amount": amount, "payments": len(self.done)}

    @tool(guard=False)
    async def unguarded(self, text: str) -> str:
        """Note as often as asked."""
        self.done.append(text)
        return text

    @tool
    async def refuse(self, text: str) -> str:
        """Try, and fail for a reason."""
        self.done.append(text)
        raise ToolFailed(f"try number {len(self.done)} failed")

    @tool(guard=Guard(failures="retried"))
    async def refuse_again(self, text: str) -> str:
        """Fail, having changed nothing."""
        self.done.append(text)
        raise ToolFailed(f"try number {len(self.done)} failed")

    @tool
    async def lose(self, text: str) -> str:
        """Do it, and lose sight of it."""
        self.done.append(text)
        raise OutcomeUnknown("the bank did not answer; look into the account")

    @tool(deadline=0.05)
    async def late(self, text: str) -> str:
        """Take longer than is allowed."""
        self.done.append(text)
        await asyncio.sleep(30)
        return text

    @tool
    async def crash(self, text: str) -> str:
        """Fail unexpectedly."""
        self.done.append(text)
        raise RuntimeError("secret words")

    @tool
    async def ask_back(self, text: str) -> InputRequiredResult:
        """Ask for something first."""
        self.done.append(text)
        return InputRequiredResult(request_state="asked once")

    @tool
    async def odd(self, text: str) -> CallToolResult:
        """Do it, and answer with what is no JSON."""
        self.done.append(text)
        return CallToolResult(content=[], structured_content={"it": object()})

    @tool
    async def large(self, size: Annotated[int, Field(ge=1)]) -> str:
        """Answer at length."""
        self.done.append("large")
        return "x" * size


def meta(**more: Any) -> dict[str, Any]:
    """What ChatGPT says of a conversation, and more; a name whose value is None is left out."""
    named = {name.replace("__", "/"): value for name, value in more.items()}
    return {name: value for name, value in (CHAT | named).items() if value is not None}


def ask(url: str, name: str, arguments: Mapping[str, Any], *, id_: Any = 1, **more: Any) -> dict[str, Any]:
    """Call a tool as ChatGPT does; the result."""
    reply = wire.post(url, wire.call(name, dict(arguments), id_=id_, meta=meta(**more)))
    assert reply.status_code == 200, reply.text
    return result_in(reply)


def result_in(reply: httpx2.Response) -> dict[str, Any]:
    """The result in a reply, whole or streamed."""
    is_whole = reply.headers["content-type"] == "application/json"
    result: dict[str, Any] = (reply.json() if is_whole else wire.messages(reply.content)[-1])["result"]
    return result


def text_of(result: Mapping[str, Any]) -> str:
    """The first text of a result."""
    text: str = result["content"][0]["text"]
    return text


def mark_of(result: Mapping[str, Any]) -> str | None:
    """How the result says that it came about."""
    mark = (result.get("_meta") or {}).get("ballast/idempotency") or {}
    outcome: str | None = mark.get("outcome")
    return outcome


class CutShort:
    """A call whose client hangs up when it is told to, without reading an answer."""

    def __init__(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(url)
        content = json.dumps(body).encode()
        lines = {"Host": parts.netloc, "Content-Length": str(len(content)), **(headers or wire.headers())}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20)
        self._socket.sendall(f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + content)

    def is_let_go(self) -> None:
        """Say that nothing more comes, and wait until the server has closed the connection because of it."""
        self._socket.shutdown(socket.SHUT_WR)
        while self._socket.recv(4096):
            pass
        self._socket.close()

    def hang_up(self) -> None:
        """Close the connection."""
        self._socket.close()


def in_thread(work: Any) -> tuple[threading.Thread, list[Any]]:
    """Run `work` beside the test; its result comes into the list."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()
    return thread, results
