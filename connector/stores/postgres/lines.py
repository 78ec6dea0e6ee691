"""What is asked of a server, how often and for how long, and what a failure is called.

Knows no table. Nothing is set on a session: any connection will do for any statement, as behind a pooler that hands out
connections for one transaction.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors

from ...errors import StoreUnavailable
from .pool import Line, Pool

T = TypeVar("T")

_PATIENCE: Final = 5.0
"""Seconds for an operation with everything it needs; after that the server is asked to cancel it."""
_LETTING_GO: Final = 1.0
"""Seconds the server has to confirm the cancellation before the connection is cut."""
_PAUSE: Final = 0.02
"""The most seconds before a statement is sent again."""

_UNDONE: Final = (errors.SerializationFailure, errors.DeadlockDetected)


class Lines:
    """The connections of one store, in every event loop that uses it: none can be used in two.

    `place` names the server in messages, without the password. `options` are for `AsyncConnection.connect`.
    """

    def __init__(self, options: dict[str, Any], *, place: str, most: int) -> None:
        self._options = options
        self._place = place
        self._most = most
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()

    async def ask(self, work: Callable[[Line], Awaitable[T]], *, again: bool) -> T:
        """What `work` comes to on some connection.

        `again` says that `work` may be repeated after a connection was lost in the middle of it.

        Raises:
            StoreUnavailable: There is no answer within `_PATIENCE` and `_LETTING_GO`; the text says why.
        """
        try:
            # The inner one cancels: psycopg asks the server to cancel, and waits for that. The outer one ends the wait.
            async with asyncio.timeout(_PATIENCE + _LETTING_GO), asyncio.timeout(_PATIENCE):
                return await self._repeated(work, losses=1 if again else 0)
        except TimeoutError:
            raise self._unavailable(f"it did not answer within {_PATIENCE:g} s") from None
        except psycopg.Error as failure:
            raise self._unavailable(_reason(failure)) from failure

    async def aclose(self) -> None:
        """Close the connections of this loop. Those of a loop that has ended went with it."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    async def _repeated(self, work: Callable[[Line], Awaitable[T]], *, losses: int) -> T:
        while True:
            async with self._pool().line() as line:
                try:
                    return await work(line)
                except errors.ReadOnlySqlTransaction:
                    await line.close()  # It was demoted, and stays so; its name may lead to another server by now.
                    raise
                except _UNDONE:
                    pass  # One of the others got through, so this ends, and `_PATIENCE` sees to it.
                except psycopg.OperationalError:
                    if not losses:
                        raise
                    losses -= 1
            await asyncio.sleep(_PAUSE * random.random())  # noqa: S311  # so that who collided does not do so again

    def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        if loop not in self._pools:
            self._pools[loop] = Pool(self._options, most=self._most)
        return self._pools[loop]

    def _unavailable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"The PostgreSQL store at {self._place} is unavailable: {reason}. Check that the server runs and that the "
            "store's URL is right; the next call asks it again."
        )


def _reason(failure: psycopg.Error) -> str:
    """What went wrong in one line: the server's first sentence, which holds no values, or else the driver's."""
    if failure.diag.message_primary:
        return failure.diag.message_primary
    return str(failure).partition("\n")[0].rstrip(".") or type(failure).__name__
