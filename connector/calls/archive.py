"""The desk's own things for one connector: its store, its secret, and sweeping. Made when the first call needs them.

A store that cannot be reached at the start keeps nobody from starting: each tool's guard says what its calls do then.
"""

import asyncio
import logging
import secrets as random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from ..errors import StoreUnavailable
from ..patience import AnswerSettings
from ..settings import StoreSettings
from ..stores.port import Store
from ..stores.sealing import Keyring
from ..telemetry.meters import Meters
from ..telemetry.watched import Watched
from .desk import Desk, DeskPolicy
from .keeping import Keeping
from .operations import Operations
from .outcome import Outcome

logger = logging.getLogger("ballast.calls")

_SECRET: Final = ("secret", "calls")


class Archive:
    """What a connector remembers of its calls."""

    def __init__(
        self,
        store: Store,
        settings: StoreSettings,
        meters: Meters | None = None,
        answer: AnswerSettings | None = None,
    ) -> None:
        self.store = store
        if meters is not None:
            meters.watch(Watched.GUARDED, self.outcomes)
            meters.watch(Watched.LEASES, self.leases)
            meters.watch(Watched.LEASES_HELD, self.held)
        self._settings = settings
        self._answer = answer or AnswerSettings()
        self._desk: Desk | None = None
        self._opening: asyncio.Lock | None = None

    async def desk(self) -> Desk:
        """The desk, with the connector's secret.

        Raises:
            StoreUnavailable: The secret is in the store, and that cannot be reached.
        """
        if self._desk is None:
            self._opening = self._opening or asyncio.Lock()
            async with self._opening:
                self._desk = self._desk or await self._made()
        return self._desk

    def outcomes(self) -> dict[str, float]:
        """How many calls were answered in which way."""
        counted = {} if self._desk is None else self._desk.outcomes
        return {outcome.value: counted[outcome] for outcome in Outcome if counted.get(outcome)}

    def leases(self) -> dict[str, float]:
        """What came of renewing leases, by how often."""
        counted = {} if self._desk is None else self._desk.leases.copy()
        return {renewal.value: count for renewal, count in counted.items() if count}

    def held(self) -> int:
        """How many calls this worker runs under a lease."""
        return 0 if self._desk is None else self._desk.held()

    @asynccontextmanager
    async def running(self, *, drain: Callable[[], float]) -> AsyncIterator[None]:
        """Look after the store while the connector serves. At the end, calls still running get `drain()` seconds.

        Raises:
            StoreTooNew: A newer version wrote the store.
        """
        try:
            await self.store.check()
        except StoreUnavailable as gone:
            logger.warning("Calls that write are refused until the store is back: %s", gone)
        sweeping = asyncio.create_task(self._sweep())
        try:
            yield
        finally:
            sweeping.cancel()
            if self._desk is not None:
                await self._desk.aclose(within=drain())
                self._desk = self._opening = None
            await self.store.aclose()

    async def _made(self) -> Desk:
        settings = self._settings
        ring = Keyring(settings.secrets or (await self._kept_secret(),))
        is_sealed = bool(settings.secrets) if settings.sealed is None else settings.sealed
        answer = self._answer
        policy = DeskPolicy(
            lease=settings.lease,
            grace=settings.grace,
            join=settings.join,
            checkpoint=answer.checkpoint,
            most=answer.most,
            at_once=answer.at_once,
        )
        keeping = Keeping(settings.largest, ring if is_sealed else None)
        operations = Operations(self.store, ring, ring.digest, kept_for=answer.kept)
        return Desk(self.store, policy, keeping, ring.digest, operations)

    async def _kept_secret(self) -> bytes:
        """One secret for all workers on this store, made by the first."""
        await self.store.put(*_SECRET, random.token_bytes(32), version=0)
        record = await self.store.get(*_SECRET)
        if record is None:
            raise StoreUnavailable("The store does not keep what is written to it")
        return record.value

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._settings.sweep_every)
            with suppress(StoreUnavailable):
                await self.store.sweep()
