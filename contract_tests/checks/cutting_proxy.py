"""A proxy on loopback that cuts a connection on which nothing has come for some seconds, as load balancers do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream

_CHUNK = 65536


@dataclass(slots=True)
class CuttingProxy:
    """Where it listens, and how many connections it has cut."""

    url: str = ""
    cuts: int = 0


@asynccontextmanager
async def cutting_proxy(url: str, *, idle: float) -> AsyncIterator[CuttingProxy]:
    """Relay to an http address until the block ends; cut what is silent towards the client for `idle` seconds."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    proxy = CuttingProxy()

    async def relay(client: SocketStream) -> None:
        try:
            async with client, await anyio.connect_tcp(host, port) as target, anyio.create_task_group() as group:
                group.start_soon(_forward, client, target)
                await _back(client, target, proxy, idle)
                group.cancel_scope.cancel()
        except* (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass  # either side has gone: so does the other

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as serving:
        local = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, no database
        proxy.url = parts._replace(netloc=f"127.0.0.1:{local}").geturl()
        serving.start_soon(listener.serve, relay)
        yield proxy
        serving.cancel_scope.cancel()


async def _forward(client: SocketStream, target: SocketStream) -> None:
    try:
        async for data in client:
            await target.send(data)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        return


async def _back(client: SocketStream, target: SocketStream, proxy: CuttingProxy, idle: float) -> None:
    while True:
        with anyio.move_on_after(idle) as silence:
            try:
                data = await target.receive(_CHUNK)
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return
            await client.send(data)
        if silence.cancelled_caught:
            proxy.cuts += 1
            return
