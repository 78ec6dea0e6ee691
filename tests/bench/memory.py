"""What an idle session weighs: resident memory before and after many of them, per session.

Decides what counts as idle: the handshake is done, then nothing; once with the connection closed, once with
it kept open. Knows the wire, not the servers.
"""

import asyncio
from dataclasses import dataclass

from .process import Server
from .wire import handshake, header, take_reply

# The first sessions fill allocator arenas and caches that are no property of a session.
_FIRST_SESSIONS = 50
_SETTLE_SECONDS = 0.5
_STEP_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Bytes of resident memory per idle session; None where the system does not tell."""

    closed: float | None
    open: float | None


async def weigh(server: Server, *, sessions: int) -> Weight:
    """Open `sessions` sessions and close their connections, then as many that stay connected."""
    await _open_sessions(server.port, _FIRST_SESSIONS, keep=False)
    empty = await _settled(server)
    await _open_sessions(server.port, sessions, keep=False)
    with_closed = await _settled(server)
    kept = await _open_sessions(server.port, sessions, keep=True)
    with_open = await _settled(server)
    for writer in kept:
        writer.close()
    return Weight(closed=_each(empty, with_closed, sessions), open=_each(with_closed, with_open, sessions))


def _each(before: int | None, after: int | None, sessions: int) -> float | None:
    return None if before is None or after is None else (after - before) / sessions


async def _settled(server: Server) -> int | None:
    await asyncio.sleep(_SETTLE_SECONDS)
    return server.resident_bytes()


async def _open_sessions(port: int, count: int, *, keep: bool) -> list[asyncio.StreamWriter]:
    writers = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = await _exchange(reader, writer, handshake("initialize"))
        await _exchange(
            reader, writer, handshake("notifications/initialized", session=header(answer, "mcp-session-id"))
        )
        if keep:
            writers.append(writer)
        else:
            writer.close()
            await writer.wait_closed()
    return writers


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    writer.write(request)
    data = b""
    async with asyncio.timeout(_STEP_SECONDS):
        while (reply := take_reply(data)) is None:
            chunk = await reader.read(65536)
            if not chunk:
                raise ConnectionError(f"the server closed the connection in a handshake after {data[:80]!r}")
            data += chunk
    if reply.status not in (200, 202):
        raise ConnectionError(f"a handshake was answered with HTTP {reply.status}: {reply.body[:200]!r}")
    return data
