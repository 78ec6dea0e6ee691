"""Grants in the store: begun, turned by refreshing, ended. The one place where they are written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ....errors import StoreUnavailable
from ....stores.port import Record, Records
from .grant import Grant, Repeated, Replayed, Turned, turn

KIND: Final = "oauth-grant"

_TRIES: Final = 50
"""A write that finds the record changed looks again. Each round one of the competitors succeeds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """All grants. `lifetime` is seconds without a refresh after which one is forgotten.

    `scopes` and `resource` are those of grants that were stored before they were part of them.
    """

    records: Records
    now: Callable[[], float]
    window: float
    lifetime: float
    scopes: tuple[str, ...]
    resource: str

    async def begin(self, grant_id: str, grant: Grant) -> bool:
        """Store a new one. False: there is one already, or it was ended before it began."""
        return bool(await self.records.put(KIND, grant_id, grant.to_json(), expires_in=self.lifetime, version=0))

    async def look(self, grant_id: str) -> Grant | None:
        """The grant; None if it is unknown or ended."""
        record = await self.records.get(KIND, grant_id)
        grant = None if record is None else self._read(record)
        return None if grant is None or grant.is_ended else grant

    async def turn(self, grant_id: str, generation: int) -> tuple[Grant, float] | None:
        """Use refresh token number `generation`: the grant with its current number, and since when it is current.

        None: the grant is unknown, has ended, or ends now because the number was used long ago.
        """
        for _ in range(_TRIES):
            record = await self.records.get(KIND, grant_id)
            grant = None if record is None else self._read(record)
            if record is None or grant is None or grant.is_ended:
                return None
            match turn(grant, generation, now=self.now(), window=self.window):
                case Repeated(since=since):
                    return grant, since
                case Turned(grant=turned):
                    if await self._put(record, turned):
                        return turned, self.now()
                case Replayed():
                    if await self._put(record, grant.ended()):
                        return None
        raise StoreUnavailable("the grant changed at every try; nothing was done, try again")

    async def end(self, grant_id: str) -> None:
        """End it, also one that is only about to begin."""
        await self._change(grant_id, Grant.ended)

    async def give_back(self, grant_id: str, access: str, *, expires_at: float) -> None:
        """Take the power from one of its access tokens."""
        await self._change(grant_id, lambda grant: grant.without(access, expires_at=expires_at, now=self.now()))

    async def _change(self, grant_id: str, change: Callable[[Grant], Grant]) -> None:
        for _ in range(_TRIES):
            record = await self.records.get(KIND, grant_id)
            if record is None:
                if await self.records.put(KIND, grant_id, _NEVER, expires_in=self.window, version=0):
                    return
            elif await self._put(record, change(self._read(record))):
                return
        raise StoreUnavailable("the grant changed at every try; nothing was done, try again")

    async def _put(self, record: Record, grant: Grant) -> bool:
        stored = grant.to_json()
        return bool(await self.records.put(KIND, record.key, stored, expires_in=self.lifetime, version=record.version))

    def _read(self, record: Record) -> Grant:
        return Grant.from_json(record.value, scopes=self.scopes, resource=self.resource)


_NEVER: Final = Grant(client_id="", subject="", scopes=(), resource="-", granted_at=0.0, is_ended=True).to_json()
"""In the place of a grant that must not begin any more. It has to stay only while a redemption may be under way."""
