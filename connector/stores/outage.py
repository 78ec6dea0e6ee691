"""A server that is gone for a moment: waited out, as an orderly restart needs it, and no longer. Knows no server."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")

WAITED_OUT: Final = 2.0
"""Seconds an outage is waited out: a server that is restarted in an orderly way is back by then. After that, and until
something gets through, every call tries once and says at once that it could not."""
_FIRST_PAUSE: Final = 0.05


class Outages:
    """What one client of a server knows of its outages."""

    def __init__(self) -> None:
        self._began: float | None = None

    async def outlast(self, work: Callable[[], Awaitable[T]], failure: type[Exception], *, again: bool = True) -> T:
        """What `work` comes to, done anew until the server is back. `again` says that it may be done twice.

        Raises:
            Exception: The `failure` of the last attempt.
        """
        pause = _FIRST_PAUSE
        while True:
            try:
                answer = await work()
            except failure:
                if not (self._is_waited_out() and again):
                    raise
            else:
                self._began = None
                return answer
            await asyncio.sleep(pause)
            pause *= 2

    def _is_waited_out(self) -> bool:
        now = time.monotonic()
        if self._began is None:
            self._began = now
        return now - self._began < WAITED_OUT
