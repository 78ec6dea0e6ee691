"""One exchange on a real socket: exactly the headers given, arrival times of every chunk, and how it ended.

Knows HTTP and clocks; knows nothing of MCP. Connections are kept alive between exchanges, as hosts do; one that the
target closed while it was idle is replaced without a word. HTTP adds `Host` and a length, nothing else is added.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import anyio
import httpx2

from ..judging.reply import is_heartbeat
from ..mark import marks
from ..notation.session import FormBody, JsonBody, RawBody
from ..outcome import Chunk, Ending, Received
from .arrivals import thinned

MOST_BYTES = 32 * 1024 * 1024
"""Bytes of a body that are kept. Far above what any host accepts, far below what hurts."""

_MOST_ARRIVALS = 2_000  # kept while a reply comes; a stream of single bytes must not fill the memory
_PIECES = 4  # of a body that is sent slowly: a server that reads once, or twice, has not read it
_SECONDS_TO_CLOSE = 5.0  # a socket that does not close in this time is left to the operating system


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request ready to be sent. `cut_after` is when the client leaves, `limit` when this tool gives up (seconds).

    With `send_over` the body is sent in pieces over so many seconds, as over a bad line.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None = None
    cut_after: float | None = None
    limit: float = 30.0
    send_over: float = 0.0


@dataclass(slots=True)
class _Arrival:
    """What has come so far; `since` is when the request's last byte was handed to the socket."""

    since: float = field(default_factory=monotonic)
    is_new_connection: bool = False
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    headers_at: float | None = None
    media: str = ""
    body: bytearray = field(default_factory=bytearray)
    chunks: list[Chunk] = field(default_factory=list)
    longest_gap: float = 0.0
    last: float = 0.0

    def now(self) -> float:
        return max(monotonic() - self.since, 0.0)

    async def note(self, event: str, _: Any) -> None:
        """Take the moments that only the HTTP layer knows."""
        if event == "connection.connect_tcp.started":
            self.is_new_connection = True
        elif event.endswith("send_request_body.complete"):
            self.since = monotonic()

    def begin(self, response: httpx2.Response) -> None:
        self.headers_at = self._heard()
        self.status = response.status_code
        raw = response.headers.raw
        self.headers = tuple((key.decode("latin-1"), value.decode("utf-8", "replace")) for key, value in raw)
        self.media = response.headers.get("content-type", "").split(";")[0].strip().lower()

    def add(self, data: bytes) -> None:
        self.chunks.append(Chunk(at=self._heard(), size=len(data), is_heartbeat=is_heartbeat(data, self.media)))
        self.body += data
        if len(self.chunks) > _MOST_ARRIVALS:
            self.chunks = list(thinned(self.chunks))

    def _heard(self) -> float:
        """Now, as a moment at which a silence ended."""
        now = self.now()
        self.longest_gap, self.last = max(self.longest_gap, now - self.last), now
        return now

    def received(self, ending: Ending, trouble: str = "") -> Received:
        duration = self._heard()
        return Received(
            status=self.status,
            headers=self.headers,
            body=self.body.decode("utf-8", "replace"),
            chunks=thinned(self.chunks),
            ending=ending,
            duration=duration,
            first_byte=self._first_byte(ending),
            longest_gap=self.longest_gap,
            trouble=trouble,
        )

    def _first_byte(self, ending: Ending) -> float | None:
        """The first byte of the body: proxies hold headers back until it comes. A complete reply may lack one."""
        if self.chunks:
            return self.chunks[0].at
        return self.headers_at if ending is Ending.COMPLETE else None


class Wire:
    """Connections to targets, kept alive: `async with Wire() as wire`."""

    def __init__(self) -> None:
        self._transport = httpx2.AsyncHTTPTransport(retries=0, trust_env=False)
        self.opened = 0
        """Connections opened so far: one is enough for any number of exchanges, one after the other."""

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.move_on_after(_SECONDS_TO_CLOSE, shield=True):
            await self._transport.aclose()

    async def exchange(self, request: Request) -> Received:
        """Send one request and read the reply until it ends, is cut, or the limit is reached; that is no error."""
        received, is_stale = await self._attempt(request)
        if is_stale:
            # RFC 9112, 9.3.1: the target closed an idle connection in the same moment; nothing of the request was read.
            received, _ = await self._attempt(request)
        return received

    async def _attempt(self, request: Request) -> tuple[Received, bool]:
        arrival = _Arrival()
        seconds = request.limit if request.cut_after is None else min(request.cut_after, request.limit)
        ending, trouble = Ending.CUT_BY_CLIENT, ""
        with anyio.move_on_after(seconds) as scope:
            try:
                trouble = await self._read(request, arrival)
                ending = Ending.CUT_BY_CLIENT if trouble else Ending.COMPLETE
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol) as problem:
                ending, trouble = Ending.UNREACHABLE, _in_words(problem)
            except httpx2.TransportError as problem:
                ending, trouble = Ending.BROKEN, _in_words(problem)
        self.opened += arrival.is_new_connection
        if scope.cancelled_caught and (request.cut_after is None or seconds < request.cut_after):
            trouble = f"no end of the reply within the limit of {seconds:g} s"
        is_stale = ending is Ending.BROKEN and arrival.status is None and not arrival.is_new_connection
        return arrival.received(ending, trouble), is_stale

    async def _read(self, request: Request, arrival: _Arrival) -> str:
        """Fill `arrival`; return what made the client stop before the end, if anything did."""
        response = await self._transport.handle_async_request(_as_httpx(request, arrival))
        try:
            arrival.begin(response)
            if not isinstance(response.stream, httpx2.AsyncByteStream):
                raise TypeError(response.stream)
            async for data in response.stream:
                arrival.add(data)
                if len(arrival.body) > MOST_BYTES:
                    return f"more than {MOST_BYTES} bytes came: stopped reading"
        finally:
            with anyio.move_on_after(_SECONDS_TO_CLOSE, shield=True):
                await response.aclose()
        return ""


def encode(body: JsonBody | RawBody | FormBody | None) -> bytes | None:
    """The bytes of a filled body: compact JSON in the given order, raw text, or a form."""
    match body:
        case None:
            return None
        case JsonBody(value=value):
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        case RawBody(text=text):
            return text.encode()
        case FormBody(fields=fields):
            texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
            return urlencode(texts).encode()


def _as_httpx(request: Request, arrival: _Arrival) -> httpx2.Request:
    headers = [(name.encode(), value.encode()) for name, value in (*request.headers, *marks())]
    extensions: dict[str, Any] = {"trace": arrival.note, "timeout": {}}
    content: bytes | AsyncIterator[bytes] | None = request.body
    if request.body and request.send_over:
        headers.append((b"Content-Length", str(len(request.body)).encode()))
        content = _slowly(request.body, request.send_over)
    return httpx2.Request(request.method, request.url, headers=headers, content=content, extensions=extensions)


async def _slowly(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    """The body in pieces, the last one after so many seconds."""
    size = -(-len(body) // _PIECES)
    for start in range(0, len(body), size):
        if start:
            await anyio.sleep(seconds / (_PIECES - 1))
        yield body[start : start + size]


def _in_words(problem: Exception) -> str:
    said = str(problem).strip()
    return said or type(problem).__name__
