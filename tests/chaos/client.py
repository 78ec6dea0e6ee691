"""One request as a host sends it, over a connection of its own, which may be cut anywhere.

It knows HTTP as far as it must to see whether an answer came whole, and how the connector words its answers.
"""

import asyncio
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from tests.chaos.faults import HEADER, Plan
from tests.chaos.history import Ending, Wish
from tests.wire import call, headers, messages, modern

LONGEST: Final = 30.0
"""Seconds a client waits."""

_DECLINED: Final = re.compile(r"declined \w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one request."""

    ending: Ending
    receipt: str | None = None
    of: str | None = None
    user: str | None = None
    mark: str | None = None
    worker: str | None = None
    said: str = ""


def request_for(wish: Wish, plan: Plan, number: int, *, is_modern: bool) -> bytes:
    """The bytes of a request. Where the key stands depends on the wish, so that retries say it in the same place."""
    meta: dict[str, Any] = {"openai/session": wish.conversation, "openai/subject": wish.subject}
    is_param = int(wish.id[1:]) % 2 == 0
    if wish.key is not None and not is_param:
        meta["ballast/idempotencyKey"] = wish.key
    arguments = {"item": wish.item, "amount": wish.amount}
    if is_modern:
        said, body = modern("tools/call", {"name": wish.tool, "arguments": arguments, "_meta": meta}, id_=number)
    else:
        said, body = headers(), call(wish.tool, arguments, id_=number, meta=meta)
    if wish.key is not None and is_param:
        body["params"]["idempotencyKey"] = wish.key
    content = json.dumps(body).encode()
    said |= {"Host": "127.0.0.1", "Connection": "close", "Content-Length": str(len(content)), HEADER: plan.header()}
    if wish.has_token:
        said["Authorization"] = f"Bearer {wish.user}"
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"POST /mcp HTTP/1.1\r\n{lines}\r\n".encode() + content


async def ask(port: int, request: bytes, cut: str | None) -> Answer:
    """Send a request, and read the answer unless it is to be cut."""
    try:
        async with asyncio.timeout(LONGEST):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                raw = await _exchange(reader, writer, request, cut)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError) as trouble:
        return Answer(ending=Ending.LOST, said=f"{type(trouble).__name__}: {trouble}")
    return _lost(f"cut: {cut}") if raw is None else _read(raw)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, cut: str | None
) -> bytes | None:
    if cut == "upload":
        writer.write(request[: len(request) - 20])
        await writer.drain()
        await asyncio.sleep(0.01)
        return None
    writer.write(request)
    await writer.drain()
    if cut == "sent":
        await asyncio.sleep(0.01)
        return None
    if cut is not None:
        mark = b"HTTP/1.1" if cut == "first byte" else b"\r\n\r\n"
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(mark)
        await reader.read(1)
        return None
    return await reader.read(-1)


def _read(raw: bytes) -> Answer:
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    status = lines[0].split(" ")[1] if " " in lines[0] else "none"
    if fields.get("transfer-encoding") == "chunked":
        whole = _unchunked(body)
    else:
        whole = body if len(body) == int(fields.get("content-length", -1)) else None
    if whole is None or status != "200":
        return _lost(f"status {status}, {'cut' if whole is None else whole[:200]!r}")
    is_stream = fields.get("content-type", "").startswith("text/event-stream")
    try:
        message = messages(whole)[-1] if is_stream else json.loads(whole)
    except (IndexError, ValueError):
        return _lost(f"not to be read: {whole[:200]!r}")
    return _answer(message, fields.get("x-worker"))


def _answer(message: dict[str, Any], worker: str | None) -> Answer:
    if "result" not in message:
        return Answer(ending=Ending.LOST, worker=worker, said=json.dumps(message.get("error")))
    result = message["result"]
    mark = ((result.get("_meta") or {}).get("ballast/idempotency") or {}).get("outcome")
    data = result.get("structuredContent")
    if not result.get("isError") and data:
        return Answer(
            ending=Ending.SUCCESS, receipt=data["receipt"], of=data["wish"], user=data["user"], mark=mark, worker=worker
        )
    text = " ".join(block.get("text", "") for block in result["content"])
    declined = _DECLINED.search(text)
    return Answer(
        ending=Ending.FAILURE if declined else _in_words(text, mark),
        receipt=declined and declined.group(),
        mark=mark,
        worker=worker,
        said=text,
    )


def _in_words(text: str, mark: str | None) -> Ending:
    """What a sentence of the connector means for who asked."""
    if mark == "mismatch":
        return Ending.MISMATCH
    if mark == "unknown" or "is not known" in text:
        return Ending.UNKNOWN
    if text.startswith("Nothing was done") or "still running" in text:
        return Ending.REFUSED
    return Ending.FAILURE


def _unchunked(body: bytes) -> bytes | None:
    """The body of a chunked reply; None if its end is missing."""
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        if length == 0:
            return whole
        whole, body = whole + rest[:length], rest[length + 2 :]
    return None


def _lost(said: str) -> Answer:
    return Answer(ending=Ending.LOST, said=said)
