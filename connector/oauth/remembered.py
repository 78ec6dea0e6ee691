"""A value that is fetched, kept, renewed off the request's path, and served stale while its source is out.

Decides when to fetch; refuses to know what is fetched. The clock is an argument.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from ..errors import BallastError

logger = logging.getLogger("ballast.oauth")

_Value = TypeVar("_Value")

RETRY_AFTER: Final = 5
"""Seconds after which a caller is asked to come back. An authorization server's restart takes seconds."""


class IssuerUnavailable(BallastError):
    """The authorization server cannot be asked now, and nothing is known from before. It may answer later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long a value is kept. Seconds.

    `fresh`: used without asking; ten minutes is twice what ChatGPT's own documents are cached for. `stale`: used while
    the source is out; a day, so that a key withdrawn for cause does not live for ever. `between`: the least time
    between two fetches that succeed, which bounds what strangers with invented key ids can cause. `after_failure`: the
    same after a failure, short, because callers are waiting. `within`: how long they wait for one fetch, which may try
    several addresses; Claude gives a whole step of a login ten seconds.
    """

    fresh: float = 600.0
    stale: float = 86_400.0
    between: float = 30.0
    after_failure: float = 2.0
    within: float = 8.0


class Remembered(Generic[_Value]):
    """One value, fetched by `fetch`, which raises `IssuerUnavailable` when it cannot."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[_Value]],
        *,
        keeping: Keeping | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._keeping = keeping or Keeping()
        self._clock = clock
        self._value: _Value | None = None
        self._fetched_at = -float("inf")
        self._tried_at = -float("inf")
        self._failure: IssuerUnavailable | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def get(self) -> _Value:
        """The value. Waits for a fetch only when there is none that may still be used.

        Raises:
            IssuerUnavailable: There is none, and it could not be fetched.
        """
        age = self._clock() - self._fetched_at
        if self._value is None or age > self._keeping.stale:
            await self._renew()
            if self._value is None or self._clock() - self._fetched_at > self._keeping.stale:
                raise self._failure or IssuerUnavailable("Nothing was fetched yet")
        elif age > self._keeping.fresh:
            self._start()
        return self._value

    async def newer(self) -> _Value:
        """The value, fetched again if the last fetch is not too near. For a caller who misses something in it.

        Raises:
            IssuerUnavailable: The last fetch failed, so that nobody knows whether what is missed is there by now.
        """
        if self._value is not None:
            await self._renew()
        value = await self.get()
        if self._failure is not None:
            raise self._failure
        return value

    async def aclose(self) -> None:
        """End a fetch that is under way."""
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing

    async def _renew(self) -> None:
        self._start()
        if self._renewing is not None:
            await asyncio.shield(self._renewing)  # a caller that goes away takes no other caller's fetch with it

    def _start(self) -> None:
        if self._renewing is not None and not self._renewing.done():
            return
        pause = self._keeping.between if self._failure is None else self._keeping.after_failure
        self._renewing = None
        if self._clock() - self._tried_at >= pause:
            self._renewing = asyncio.create_task(self._try())

    async def _try(self) -> None:
        self._tried_at = self._clock()
        try:
            async with asyncio.timeout(self._keeping.within):
                self._value = await self._fetch()
        except IssuerUnavailable as failure:
            self._fail(failure)
        except TimeoutError:
            self._fail(IssuerUnavailable(f"The authorization server gave no answer within {self._keeping.within:g} s."))
        else:
            self._fetched_at, self._failure = self._clock(), None

    def _fail(self, failure: IssuerUnavailable) -> None:
        if self._failure is None:
            logger.warning("%s%s", failure, "" if self._value is None else " What was known before stays in use.")
        self._failure = failure
