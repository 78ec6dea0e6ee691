"""CT-31: a hundred clients that go away in the middle leave a server that answers the next one.

What becomes of health and of calls in flight stands in `shutdown`.
"""

import contextlib
from datetime import date
from typing import Final

import anyio

from ..replay.wire import Request
from .contract import Contract
from .inquiry import Inquiry
from .raw import as_bytes, connected
from .shutdown import ask_health, ask_shutdown
from .speech import CALLED, RESULT, Speech, offered, speaking

_CLIENTS: Final = 100
_AT_ONCE: Final = 20
_PATIENCE: Final = 5.0


async def ask(inquiry: Inquiry) -> None:
    """Go away after the headers, in the body, and as soon as an answer begins; then call once."""
    speech = await speaking(inquiry)
    call = speech.call(inquiry.tool())
    get = speech.get()
    places = anyio.CapacityLimiter(_AT_ONCE)

    async def leave(number: int) -> None:
        async with places:
            with (
                anyio.move_on_after(_PATIENCE),
                contextlib.suppress(OSError, anyio.EndOfStream, anyio.BrokenResourceError),
            ):
                await _WAYS[number % len(_WAYS)](call, get)

    async with anyio.create_task_group() as group:
        for number in range(_CLIENTS):
            group.start_soon(leave, number)
    if inquiry.catalogue.is_legacy:
        opened = Speech(inquiry=inquiry).request("initialize", offered())
        await inquiry.ask("initialize after a hundred clients went away", opened, RESULT)
    again = await speaking(inquiry)
    await inquiry.ask("a call after a hundred clients went away", again.call(inquiry.tool()), CALLED)
    await ask_health(inquiry)
    await ask_shutdown(inquiry)


async def _after_the_headers(call: Request, _: Request) -> None:
    head, _body = as_bytes(call)
    async with await connected(call.url) as stream:
        await stream.send(head)


async def _in_the_body(call: Request, _: Request) -> None:
    head, body = as_bytes(call)
    async with await connected(call.url) as stream:
        await stream.send(head + body[: len(body) // 2])


async def _after_the_body(call: Request, _: Request) -> None:
    head, body = as_bytes(call)
    async with await connected(call.url) as stream:
        await stream.send(head + body)


async def _in_the_answer(call: Request, _: Request) -> None:
    head, body = as_bytes(call)
    async with await connected(call.url) as stream:
        await stream.send(head + body)
        await stream.receive(16)


async def _in_a_stream(_: Request, get: Request) -> None:
    head, body = as_bytes(get)
    async with await connected(get.url) as stream:
        await stream.send(head + body)
        await stream.receive(64)


_WAYS: Final = (_after_the_headers, _in_the_body, _after_the_body, _in_the_answer, _in_a_stream)

CT_31: Final = Contract(
    id="CT-31",
    title="Clients that go away in the middle leave a server that answers",
    about="Hosts cut by the hundred: closed tabs, timeouts, retries. One of them must not fail the next call.",
    incidents=("T-11", "P-06", "CT-31"),
    severity="serious",
    advice="Take a disconnect for the end of one request: no error for others, nothing left running or registered.",
    source="incidents P-06 and T-11 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("tool",),
    is_alone=True,
    ask=ask,
)
