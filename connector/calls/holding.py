"""One call that this worker holds: it is run apart from whoever asked, and its lease is renewed until it has ended.

Knows the store's port and a clock. Does not know what the call does, nor who waits for it.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from enum import Enum
from time import monotonic
from typing import Final

from ..errors import StoreUnavailable
from ..stores.port import Entry, State, Store

logger = logging.getLogger("ballast.calls")

RENEWALS: Final = 4
"""How often a lease is renewed in its own length: three failures in a row still leave time for a fourth try."""

PATIENCE: Final = 3.0
"""Seconds for which an answer waits while its outcome cannot be stored. Then the asker gets it, and storing goes on."""

STUBBORN: Final = 120.0
"""Seconds after which storing an outcome is given up: by then a retry has come and been told what could be known."""

_NO_LEASE: Final = 0.001
"""Seconds: over before anybody can look."""

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0


class Renewal(Enum):
    """What came of renewing a lease. The values are labels of metrics."""

    RENEWED = "renewed"
    FAILED = "failed"
    """The store did not answer; there is time to try again."""
    LOST = "lost"
    """The call is no longer this worker's."""


class Settled(Enum):
    """What became of storing an outcome."""

    STORED = "stored"
    TAKEN = "taken"
    """Somebody else took the call over, and this outcome counts for nothing."""
    NOT_YET = "not yet"
    """The store cannot be reached; storing goes on."""


class Hold:
    """A claim of this worker on a call."""

    def __init__(
        self,
        store: Store,
        entry: Entry,
        *,
        lease: float,
        yields: bool,
        stop: Callable[[], object],
        tally: Counter[Renewal],
    ) -> None:
        """`stop` is called when the call is no longer ours. `yields`: somebody else may run it once the lease is over,
        so it must stop here then, even if nobody said that it was taken.
        """
        self._store, self._entry, self._lease, self._stop = store, entry, lease, stop
        self.yields = yields
        self._tally = tally
        self._until = monotonic() + lease
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(lease / RENEWALS, self._renew_soon)
        self._renewal: asyncio.Task[None] | None = None
        self.is_lost = False

    def rest(self) -> None:
        """Renew no more."""
        self._timer.cancel()
        if self._renewal is not None:
            self._renewal.cancel()

    async def release(self) -> None:
        """Let the call go as if it had never been claimed."""
        entry = self._entry
        await _patiently(until_stored(lambda: self._store.release(entry.key, epoch=entry.epoch, holder=entry.holder)))

    async def lapse(self) -> None:
        """Let the lease run out now: somebody else may begin the call again at once."""
        entry = self._entry

        async def shorten() -> bool:
            return await self._store.renew(entry.key, epoch=entry.epoch, holder=entry.holder, lease=_NO_LEASE)

        await _patiently(until_stored(shorten))

    async def settle(self, state: State, result: bytes | None, window: float) -> Settled:
        """Store the outcome. While the store cannot be reached this waits for `PATIENCE` seconds, then keeps trying
        while the answer goes out.
        """
        entry = self._entry

        async def complete() -> bool:
            return await self._store.complete(
                entry.key, epoch=entry.epoch, holder=entry.holder, state=state, result=result, window=window
            )

        return await _patiently(until_stored(complete))

    def _renew_soon(self) -> None:
        self._renewal = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        entry = self._entry
        try:
            is_ours = await self._store.renew(entry.key, epoch=entry.epoch, holder=entry.holder, lease=self._lease)
        except StoreUnavailable as gone:
            is_ours = not self.yields or monotonic() < self._until
            self._tally[Renewal.FAILED] += is_ours
            logger.warning("The lease of a running call could not be renewed: %s", gone)
        else:
            self._until = monotonic() + self._lease
            self._tally[Renewal.RENEWED] += is_ours
        if is_ours:
            self._timer = self._loop.call_later(self._lease / RENEWALS, self._renew_soon)
        else:
            self.is_lost = True
            self._tally[Renewal.LOST] += 1
            self._stop()


_LATE: Final[set[asyncio.Future[bool]]] = set()
"""Writes that nobody waits for any longer; without a reference the loop would drop them."""


def until_stored(write: Callable[[], Awaitable[bool]]) -> "asyncio.Future[bool]":
    """Begin to repeat a write that may be repeated, until the store has answered it; for `STUBBORN` seconds at most."""
    trying = asyncio.ensure_future(_repeat(write))
    _LATE.add(trying)
    trying.add_done_callback(_forget)
    return trying


async def settled() -> None:
    """Wait until no write is under way that this loop began."""
    loop = asyncio.get_running_loop()
    if late := [each for each in _LATE if each.get_loop() is loop]:
        await asyncio.wait(late)


def _forget(trying: asyncio.Future[bool]) -> None:
    _LATE.discard(trying)
    if not trying.cancelled() and (raised := trying.exception()) is not None:
        logger.error("The outcome of a call could not be stored: %s", raised)


async def _patiently(trying: "asyncio.Future[bool]") -> Settled:
    done, _ = await asyncio.wait({trying}, timeout=PATIENCE)
    if not done:
        logger.warning("The outcome of a call could not be stored yet; its answer goes out, and storing goes on")
        return Settled.NOT_YET
    return Settled.STORED if trying.result() else Settled.TAKEN


async def _repeat(write: Callable[[], Awaitable[bool]]) -> bool:
    pause, until = _FIRST_PAUSE, monotonic() + STUBBORN
    while True:
        try:
            return await write()
        except StoreUnavailable:
            if monotonic() + pause > until:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
