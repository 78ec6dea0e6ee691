"""How scripts are run on a server, and for how long, and what a failure is called. Knows no key.

A connection can be used in one event loop only, so each loop has a client of its own.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha1
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import redis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ...errors import StoreUnavailable
from ..outage import Outages

T = TypeVar("T")

Client = Redis
Word = bytes | str | int

_PATIENCE: Final = 5.0
"""Seconds for an operation with everything it needs."""
_ANSWER: Final = 3.0
"""Seconds a server has to answer: every script takes it well under a millisecond."""
_CONNECT: Final = 2.0


class Clients:
    """The connections of one store. `place` names the server in messages, without the password."""

    def __init__(self, url: str, *, place: str, most: int) -> None:
        self._url = url
        self._place = place
        self._most = most
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Client] = WeakKeyDictionary()
        self._outages = Outages()

    async def run(self, script: str, keys: Sequence[str], values: Sequence[Word] = (), *, again: bool = True) -> Any:
        """What a script returns. `again` says that it may be run twice when an answer is lost.

        Raises:
            StoreUnavailable: There is no answer within `_PATIENCE`, or it is a refusal; the text says why.
        """
        return await self.ask(lambda client: _run(client, script, keys, values), again=again)

    async def ask(self, work: Callable[[Client], Awaitable[T]], *, again: bool) -> T:
        """What `work` comes to.

        Raises:
            StoreUnavailable: As for `run`.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                # ConnectionError: also while the server loads its data
                return await self._outages.outlast(lambda: work(self._client()), redis.ConnectionError, again=again)
        except (redis.TimeoutError, TimeoutError):
            raise self._unavailable("it did not answer in time") from None
        except redis.RedisError as failure:
            raise self._unavailable(_reason(failure)) from failure

    async def aclose(self) -> None:
        """Close the connections of this loop. Those of a loop that has ended went with it."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _client(self) -> Client:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            pool = BlockingConnectionPool.from_url(
                self._url,
                max_connections=self._most,
                timeout=_PATIENCE,
                socket_timeout=_ANSWER,
                socket_connect_timeout=_CONNECT,
                retry=Retry(NoBackoff(), 0),  # what may be repeated is decided above
                protocol=2,
            )
            self._clients[loop] = Redis.from_pool(pool)
        return self._clients[loop]

    def _unavailable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"The Redis store at {self._place} is unavailable: {reason}. Check that the server runs and that the "
            "store's URL is right; the next call asks it again."
        )


async def _run(client: Client, script: str, keys: Sequence[str], values: Sequence[Word]) -> Any:
    """By its digest, and in full where the server does not know it (yet, or since a restart)."""
    digest = sha1(script.encode(), usedforsecurity=False).hexdigest()
    try:
        return await client.evalsha(digest, len(keys), *keys, *values)
    except redis.exceptions.NoScriptError:
        return await client.eval(script, len(keys), *keys, *values)


def _reason(failure: redis.RedisError) -> str:
    """What went wrong in one line, without the words of a command that servers repeat."""
    cause = failure.__cause__ or failure.__context__
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)  # redis-py says only its number
    said = str(failure).partition("\n")[0].partition(", with args")[0]
    return said.rstrip(".") or type(failure).__name__
