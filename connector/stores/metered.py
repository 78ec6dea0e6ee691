"""A store with a meter before it: how long it takes to answer, and how often it does not.

Every method is passed on as it is, and every exception too. Knows the port; knows no driver.
"""

from collections import Counter
from collections.abc import Awaitable, Sequence
from time import perf_counter
from types import TracebackType
from typing import Self, TypeVar

from ..errors import StoreUnavailable
from ..telemetry.meters import Meters
from ..telemetry.watched import Watched
from .port import Claim, Claimed, Entry, Record, State, Store

_Answer = TypeVar("_Answer")


class Metered(Store):
    """`store`, measured. What it cannot do, this cannot do either."""

    def __init__(self, store: Store, meters: Meters) -> None:
        self._store, self._meters = store, meters
        self._errors: Counter[str] = Counter()
        meters.watch(Watched.STORE_ERRORS, self._errors.copy)

    async def claim(self, claim: Claim) -> Claimed:
        """See the port."""
        return await self._timed("claim", self._store.claim(claim))

    async def look(self, key: str) -> Entry | None:
        """See the port."""
        return await self._timed("look", self._store.look(key))

    async def renew(self, key: str, *, epoch: int, holder: str, lease: float) -> bool:
        """See the port."""
        return await self._timed("renew", self._store.renew(key, epoch=epoch, holder=holder, lease=lease))

    async def complete(
        self, key: str, *, epoch: int, holder: str, state: State, result: bytes | None, window: float
    ) -> bool:
        """See the port."""
        completing = self._store.complete(key, epoch=epoch, holder=holder, state=state, result=result, window=window)
        return await self._timed("complete", completing)

    async def release(self, key: str, *, epoch: int, holder: str) -> bool:
        """See the port."""
        return await self._timed("release", self._store.release(key, epoch=epoch, holder=holder))

    async def delivered(self, key: str, *, epoch: int) -> bool:
        """See the port."""
        return await self._timed("delivered", self._store.delivered(key, epoch=epoch))

    async def get(self, kind: str, key: str) -> Record | None:
        """See the port."""
        return await self._timed("get", self._store.get(kind, key))

    async def put(
        self, kind: str, key: str, value: bytes, *, expires_in: float | None = None, version: int | None = None
    ) -> int | None:
        """See the port."""
        return await self._timed("put", self._store.put(kind, key, value, expires_in=expires_in, version=version))

    async def take(self, kind: str, key: str) -> Record | None:
        """See the port."""
        return await self._timed("take", self._store.take(kind, key))

    async def page(self, kind: str, *, prefix: str = "", after: str = "", limit: int = 100) -> Sequence[Record]:
        """See the port."""
        return await self._timed("page", self._store.page(kind, prefix=prefix, after=after, limit=limit))

    async def check(self) -> None:
        """See the port."""
        await self._timed("check", self._store.check())

    async def sweep(self, *, limit: int = 1000) -> int:
        """See the port."""
        return await self._timed("sweep", self._store.sweep(limit=limit))

    async def aclose(self) -> None:
        """See the port."""
        await self._store.aclose()

    async def __aenter__(self) -> Self:
        await self._store.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._store.__aexit__(kind, raised, trace)

    async def _timed(self, operation: str, answer: Awaitable[_Answer]) -> _Answer:
        began = perf_counter()
        try:
            return await answer
        except StoreUnavailable:
            self._errors[operation] += 1
            raise
        finally:
            self._meters.stored(perf_counter() - began, operation)
