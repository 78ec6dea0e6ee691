"""From a link to a file: https, public addresses, every redirect judged anew, bounded in bytes and in time.

Sends nothing but the request line and the host: no cookie, no referrer, no credential. Where a link may lead is decided
in `connector.reaching`. What is fetched is not looked at here.
"""

import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

import anyio
import anyio.to_thread
import httpx2

from ...file_settings import FileSettings
from ...reaching import Aim, Forbidden, Lost, Resolve, aimed, checked_addresses, resolve
from ..reading.problems import Problem, Refused
from .sink import Sink
from .unpacking import unpacking

MOST_REDIRECTS: Final = 3
TRIES: Final = 3
PAUSE: Final = 0.2
"""Seconds before the second try; twice as many before the third."""

CONNECT_WITHIN: Final = 5.0
"""Seconds, for each address."""

SAID: Final[Mapping[str, str]] = {"Accept": "*/*", "User-Agent": "mcp-ballast"}

SHARE: Final = 0.8
"""Of what is left of the call: a tool wants to do something with what it waited for."""

OK: Final = 200
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
GONE: Final = frozenset({400, 401, 403, 404, 410})
"""What stores answer to a link that has expired: Azure and S3 403, others the rest."""

LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class _Passing(Exception):
    """It may work at the next try; if not, the cause says why."""


class Download:
    """Downloads attachments. `resolve` looks names up; `trust` replaces the system's certificates."""

    def __init__(
        self, settings: FileSettings, *, resolve: Resolve = resolve, trust: ssl.SSLContext | None = None
    ) -> None:
        self._settings = settings
        self._resolve = resolve
        self._trust = trust

    async def into(self, sink: Sink, url: str, *, ends: float | None = None) -> None:
        """Fetch `url` into `sink`, within the time for it and four fifths of what is left until `ends` (seconds of the
        monotonic clock), or until whoever waits stops waiting.

        Raises:
            Refused: It cannot be had.
        """
        left = anyio.current_effective_deadline() - anyio.current_time()
        left = left if ends is None else min(left, ends - time.monotonic())
        seconds = min(self._settings.within, max(0.0, left * SHARE))
        try:
            with anyio.fail_after(seconds):
                await self._tried(sink, url)
                await sink.flush()
        except TimeoutError:
            raise Refused(Problem.SLOW, size=sink.size, seconds=seconds) from None

    async def _tried(self, sink: Sink, url: str) -> None:
        for attempt in range(TRIES):
            try:
                return await self._followed(sink, url)
            except _Passing as passing:
                if attempt == TRIES - 1:
                    raise (passing.__cause__ or passing) from None
            await anyio.sleep(PAUSE * 2**attempt)
            sink.restart()
        raise AssertionError("unreachable because the last try returns or raises")

    async def _followed(self, sink: Sink, url: str) -> None:
        for _ in range(1 + MOST_REDIRECTS):
            further = await self._hop(sink, url)
            if further is None:
                return
            url = _joined(url, further)
        raise Refused(Problem.FORBIDDEN, why="its link leads on and on")

    async def _hop(self, sink: Sink, url: str) -> str | None:
        parts = self._judged(url)
        for address in await self._addresses(parts):
            try:
                return await self._asked(sink, _aim(url, parts, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        raise _Passing from Refused(Problem.UNREACHABLE, why="no connection")

    def _judged(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").rstrip(".")
        except ValueError:
            raise Refused(Problem.UNFIT_URL) from None
        schemes = {"https", "http"} if self._settings.loopback else {"https"}
        if parts.scheme not in schemes or not host:
            raise Refused(Problem.UNFIT_URL)
        if "@" in parts.netloc:
            raise Refused(Problem.FORBIDDEN, why="its link carries a user name")
        hosts = [each.lower().lstrip(".") for each in self._settings.hosts]
        if hosts and not any(host == each or host.endswith(f".{each}") for each in hosts):
            raise Refused(Problem.FORBIDDEN, why="its link leads to a host that is not asked for files here")
        return parts

    async def _addresses(self, parts: SplitResult) -> Sequence[str]:
        try:
            return await checked_addresses(parts, loopback=self._settings.loopback, resolve=self._resolve)
        except Forbidden as refused:
            raise Refused(Problem.FORBIDDEN, why=str(refused)) from None
        except Lost as lost:
            raise _Passing from Refused(Problem.UNREACHABLE, why=str(lost))

    async def _asked(self, sink: Sink, aim: Aim) -> str | None:
        try:
            async with self._answer(aim) as answer:
                if answer.status_code in REDIRECTS and "location" in answer.headers:
                    return answer.headers["location"]
                _must_be_good(answer, sink)
                await self._taken(sink, answer)
                return None
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise
        except httpx2.TimeoutException:
            raise Refused(Problem.SLOW, size=sink.size, seconds=self._settings.stall) from None
        except (httpx2.TransportError, httpx2.DecodingError):
            raise _Passing from Refused(Problem.BROKEN_OFF, size=sink.size)

    @asynccontextmanager
    async def _answer(self, aim: Aim) -> AsyncIterator[httpx2.Response]:
        """The answer's head. Not by way of a client, which would log the link, and who has the link has the file."""
        stall = self._settings.stall
        limits = {"connect": CONNECT_WITHIN, "read": stall, "write": stall, "pool": stall}
        extensions = {**aim.extensions, "timeout": limits}
        request = httpx2.Request("GET", aim.url, headers={**aim.headers, **SAID}, extensions=extensions)
        trust = await self._trusted(aim.url.scheme)
        async with httpx2.AsyncHTTPTransport(verify=trust, trust_env=False) as transport:
            answer = await transport.handle_async_request(request)
            try:
                yield answer
            finally:
                await answer.aclose()

    async def _trusted(self, scheme: str) -> ssl.SSLContext:
        """The system's certificates, read once, in a thread: that takes a tenth of a second. None for plain http."""
        if self._trust is None and scheme == "https":
            self._trust = await anyio.to_thread.run_sync(httpx2.create_ssl_context)
        return self._trust or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def _taken(self, sink: Sink, answer: httpx2.Response) -> None:
        unpacked = unpacking(answer.headers.get("content-encoding", ""))
        async for part in answer.aiter_raw():
            for piece in unpacked.unpacked(part):
                await sink.write(piece)
        await sink.write(unpacked.rest())


def _aim(url: str, parts: SplitResult, address: str) -> Aim:
    try:
        return aimed(url, parts, address)
    except httpx2.InvalidURL:
        raise Refused(Problem.UNFIT_URL) from None


def _joined(url: str, further: str) -> str:
    try:
        return urljoin(url, further)
    except ValueError:
        raise Refused(Problem.UNFIT_URL) from None


def _must_be_good(answer: httpx2.Response, sink: Sink) -> None:
    status = answer.status_code
    if status in LATER:
        raise _Passing from Refused(Problem.UNREACHABLE, why=f"HTTP {status}")
    if status in GONE:
        raise Refused(Problem.GONE, status=status)
    if status != OK:
        raise Refused(Problem.UNREACHABLE, why=f"HTTP {status}")
    said = answer.headers.get("content-length", "")
    if said.isdecimal() and int(said[:19]) > sink.largest:
        raise Refused(Problem.TOO_LARGE, limit=sink.largest)
