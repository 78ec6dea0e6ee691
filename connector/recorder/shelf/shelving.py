"""`Shelf`: one connector's rows in a store that it shares with other workers and other connectors.

Counts are added with conditional puts, again and again until nobody was faster; a put whose answer was lost may be
counted twice, never not at all. Rows stay bounded whatever is sent.
"""

import asyncio
import hmac
import random
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from ...errors import StoreUnavailable
from ...http.request.surface import Surface
from ...stores.port import Record, Records
from ..sighting import FirstSight
from .rows import (
    CADENCE,
    DEPLOY,
    FIRST_SIGHT,
    KEPT,
    MOST_DEPLOYS,
    MOST_SHAPES,
    MOST_UNKNOWN_SURFACES,
    SHAPE,
    deploy_key,
    first_sight_key,
    hour_key,
    kept_for,
    of_connector,
    packed,
    shape_key,
    unpacked,
    weakest,
)
from .tally import HourTally, ShapeTally

_SECRET: Final = ("secret", "book")
_TRIES: Final = 20
_PAUSE: Final = 0.02
"""Seconds, times a random number: workers that were beaten to a row do not come back together."""

Added = Callable[[Mapping[str, Any] | None], dict[str, Any]]


class TooBusy(StoreUnavailable):
    """Somebody else was faster every time. The counts are still the caller's; add them later."""


class Shelf:
    """Where one connector puts its counts. Every method raises `StoreUnavailable` when the store cannot answer."""

    def __init__(self, records: Records, connector: str, given: str | None = None) -> None:
        """`given` is the secret that subjects are made unrecognisable with; without it one is kept in the store."""
        self._records = records
        self._connector = connector
        self._key = None if given is None else sha256(b"ballast book" + given.encode()).digest()
        self._there: dict[str, set[str]] = {}
        self._unknown: set[str] = set()

    async def add_shape(self, tally: ShapeTally) -> bool:
        """Add what was counted of one shape. True: the shelf did not have it."""
        surface = await self._named(tally.shape.surface)
        if surface != tally.shape.surface:
            tally = replace(tally, shape=replace(tally.shape, surface=surface))
        key = shape_key(self._connector, surface, tally.shape.id)
        marks = {await self._mark(subject) for subject in sorted(tally.subjects)}
        if key not in self._there.get(surface, ()):
            await self._make_room(surface, key)
        is_new = await self._add(SHAPE, key, lambda row: tally.added_to(row, self._connector, marks))
        self._there.setdefault(surface, set()).add(key)
        return is_new

    async def add_hour(self, hour: int, surface: str, tally: HourTally) -> None:
        """Add what was counted of one surface in one hour."""
        surface = await self._named(surface)
        key = hour_key(self._connector, hour, surface)
        await self._add(CADENCE, key, lambda row: tally.added_to(row, self._connector, hour, surface))

    async def add_first_sight(self, sight: FirstSight) -> None:
        """Note something unknown, if nobody has."""
        said = {"kind": sight.kind, "where": sight.where, "name": sight.name, "connector": self._connector}
        key = first_sight_key(self._connector, sight.kind, sight.where, sight.name)
        await self._add(
            FIRST_SIGHT,
            key,
            lambda row: {**said, "first": min(sight.first_seen, (row or {}).get("first", sight.first_seen))},
        )

    async def deployed(self, build: str, version: str, at: float) -> None:
        """Note that this build runs from `at` on, unless it was the last that started."""
        starts = await self._page_all(DEPLOY, of_connector(self._connector))
        if starts and _row(starts[-1]).get("build") == build:
            return
        row = {"connector": self._connector, "build": build, "version": version, "at": at}
        await self._records.put(DEPLOY, deploy_key(self._connector, at), packed(row), expires_in=KEPT[DEPLOY])
        for old in starts[: max(0, len(starts) + 1 - MOST_DEPLOYS)]:
            await self._records.take(DEPLOY, old.key)

    async def unknown_surfaces(self) -> set[str]:
        """Clients in no table that this connector has seen already, in any worker."""
        found = await self._page_all(SHAPE, shape_key(self._connector, "unknown:", "").rstrip("/"))
        return {surface for record in found if (surface := _surface(record))}

    async def _named(self, surface: str) -> str:
        """The surface, unless it is one more unknown client than get a name of their own, in all workers together."""
        if not surface.startswith("unknown:") or surface in self._unknown:
            return surface
        self._unknown |= await self.unknown_surfaces()
        if is_one_too_many(surface, self._unknown):
            return Surface.OTHER.value
        self._unknown.add(surface)
        return surface

    async def _make_room(self, surface: str, key: str) -> None:
        """Take the weakest shape of a surface away if a new one would be one too many."""
        there = await self._page_all(SHAPE, shape_key(self._connector, surface, ""))
        self._there[surface] = {record.key for record in there}
        rows = {record.key: row for record in there if (row := _row(record)).keys() >= {"count", "last"}}
        while key not in self._there[surface] and len(rows) >= MOST_SHAPES:
            gone = weakest(rows)
            await self._records.take(SHAPE, gone)
            self._there[surface].discard(gone)
            del rows[gone]

    async def _add(self, kind: str, key: str, added: Added) -> bool:
        """Lay a row over what is there. True: nothing was."""
        for _ in range(_TRIES):
            record = await self._records.get(kind, key)
            row = added(_row(record) or None if record is not None else None)
            version = 0 if record is None else record.version
            put = self._records.put(kind, key, packed(row), expires_in=kept_for(kind, row), version=version)
            if await put is not None:
                return record is None
            await asyncio.sleep(_PAUSE * random.random())  # noqa: S311 spreads workers
        raise TooBusy(f"{key} of {kind} was changed {_TRIES} times in a row by others")

    async def _page_all(self, kind: str, prefix: str) -> list[Record]:
        found, after = list[Record](), ""
        while page := await self._records.page(kind, prefix=prefix, after=after, limit=200):
            found += page
            after = page[-1].key
        return found

    async def _mark(self, subject: bytes) -> str:
        """A subject as the store may have it: the same everywhere on this store, and nobody's name."""
        if self._key is None:
            await self._records.put(*_SECRET, secrets.token_bytes(32), version=0)
            record = await self._records.get(*_SECRET)
            if record is None:
                raise StoreUnavailable("The store does not keep what is written to it")
            self._key = record.value
        return hmac.new(self._key, subject, sha256).hexdigest()[:12]


def is_one_too_many(surface: str, known: Iterable[str]) -> bool:
    """Whether an unknown client gets no name of its own any more."""
    names = {name for name in known if name.startswith("unknown:")}
    return surface.startswith("unknown:") and surface not in names and len(names) >= MOST_UNKNOWN_SURFACES


def _row(record: Record) -> dict[str, Any]:
    """The row, or an empty one if it cannot be read: it is then written anew."""
    try:
        return unpacked(record.value)
    except ValueError:
        return {}


def _surface(record: Record) -> str:
    shape = _row(record).get("shape")
    return str(shape.get("surface", "")) if isinstance(shape, dict) else ""
