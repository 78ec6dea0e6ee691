"""A loopback proxy that misbehaves on purpose, the same way every time. It knows TCP and nothing of HTTP.

Each connection of a client gets one connection to the server behind; what the fault says is done to each.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

_MOST: Final = 65_536
_LAST_CHUNK: Final = b"0\r\n\r\n"

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class Fault(Protocol):
    """What is done to one connection."""

    async def requests(self, client: Reader, server: Writer) -> None:
        """Carry what the client sends."""

    async def replies(self, server: Reader, client: Writer) -> None:
        """Carry what the server sends; the connection is closed when this returns."""


@asynccontextmanager
async def chaos(behind: int, fault: Fault) -> AsyncIterator[int]:
    """Listen on a free loopback port in front of `behind`; gives the port. Every connection is closed at the end."""
    at_work: set[asyncio.Task[None]] = set()

    async def serve(client: Reader, answers: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        at_work.add(task)
        try:
            with suppress(asyncio.CancelledError, OSError):  # asyncio logs whatever a connection's task raises
                await _carry(client, answers, behind, fault)
        finally:
            answers.transport.abort()
            at_work.discard(task)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)


async def _carry(client: Reader, answers: Writer, behind: int, fault: Fault) -> None:
    server, requests = await asyncio.open_connection("127.0.0.1", behind)
    forth = asyncio.create_task(fault.requests(client, requests))
    back = asyncio.create_task(fault.replies(server, answers))
    client_left = asyncio.create_task(_left(forth, client))
    try:
        await asyncio.wait({back, client_left}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        requests.close()  # without waiting first: this may be cancelled while it waits
        answers.close()
        for task in (forth, back, client_left):
            task.cancel()
        await asyncio.gather(forth, back, client_left, return_exceptions=True)
        await answers.wait_closed()


async def _left(forth: "asyncio.Task[None]", client: Reader) -> None:
    """Return when the client closed; never when the fault only stopped carrying its requests."""
    await asyncio.wait({forth})
    while not client.at_eof():
        with suppress(OSError):
            await client.read(_MOST)


async def carry(reader: Reader, writer: Writer) -> None:
    """Carry bytes as they come, until there are no more."""
    with suppress(OSError):
        while data := await reader.read(_MOST):
            writer.write(data)
            await writer.drain()


@dataclass(frozen=True, slots=True)
class CutWhenSilent:
    """Closes both sides when the server has said nothing for `after` seconds, as balancers with an idle timeout do."""

    after: float

    async def requests(self, client: Reader, server: Writer) -> None:
        """Carry what the client sends."""
        await carry(client, server)

    async def replies(self, server: Reader, client: Writer) -> None:
        """Carry what the server sends while it keeps talking."""
        with suppress(OSError, TimeoutError):
            while data := await asyncio.wait_for(server.read(_MOST), self.after):
                client.write(data)
                await client.drain()


@dataclass(frozen=True, slots=True)
class Throttle:
    """Lets `rate` bytes a second through in each direction, `piece` bytes at a time."""

    rate: float
    piece: int = 20

    async def requests(self, client: Reader, server: Writer) -> None:
        """Carry what the client sends, slowly."""
        await self._slowly(client, server)

    async def replies(self, server: Reader, client: Writer) -> None:
        """Carry what the server sends, slowly."""
        await self._slowly(server, client)

    async def _slowly(self, reader: Reader, writer: Writer) -> None:
        with suppress(OSError):
            while data := await reader.read(self.piece):
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(len(data) / self.rate)


@dataclass(frozen=True, slots=True)
class ResetAfter:
    """Resets the client's connection (RST, not FIN) once a mark was seen in the reply and passed on."""

    mark: bytes

    async def requests(self, client: Reader, server: Writer) -> None:
        """Carry what the client sends."""
        await carry(client, server)

    async def replies(self, server: Reader, client: Writer) -> None:
        """Carry until the mark, then reset."""
        await _until(self.mark, server, client)
        raw: socket.socket = client.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.transport.abort()


@dataclass(frozen=True, slots=True)
class EndAfter:
    """Says once a mark was passed on that no more will come (FIN), though the server is not at its end."""

    mark: bytes

    async def requests(self, client: Reader, server: Writer) -> None:
        """Carry what the client sends."""
        await carry(client, server)

    async def replies(self, server: Reader, client: Writer) -> None:
        """Carry until the mark, then half-close, and go on swallowing what the server says."""
        await _until(self.mark, server, client)
        client.write_eof()
        while await server.read(_MOST):
            pass


@dataclass(frozen=True, slots=True)
class EndRequests:
    """Half-closes towards the server once the whole request has been passed on, and carries the reply back."""

    mark: bytes

    async def requests(self, client: Reader, server: Writer) -> None:
        """Carry what the client sends up to the mark, then say that no more will come."""
        await _until(self.mark, client, server)
        server.write_eof()

    async def replies(self, server: Reader, client: Writer) -> None:
        """Carry what the server sends."""
        await carry(server, client)


@dataclass(frozen=True, slots=True)
class Hoard:
    """Keeps a reply back from where a mark begins until it ends: what a buffering proxy does to event streams."""

    mark: bytes = b"HTTP/1.1 200 OK"
    only: bytes = b"text/event-stream"

    async def requests(self, client: Reader, server: Writer) -> None:
        """Carry what the client sends."""
        await carry(client, server)

    async def replies(self, server: Reader, client: Writer) -> None:
        """Carry what the server sends; hold what follows the mark in a reply that names `only`."""
        held, is_meant = b"", False
        with suppress(OSError):
            while data := await server.read(_MOST):
                held += data
                is_meant = (is_meant or self.only in held) and not held.endswith(_LAST_CHUNK)
                ready = len(held.partition(self.mark)[0]) if is_meant else len(held)
                client.write(held[:ready])
                held = held[ready:]
            client.write(held)
            await client.drain()


async def _until(mark: bytes, reader: Reader, writer: Writer) -> None:
    seen = b""
    with suppress(OSError):
        while mark not in seen and (data := await reader.read(_MOST)):
            seen = (seen + data)[-_MOST:]
            writer.write(data)
            await writer.drain()
