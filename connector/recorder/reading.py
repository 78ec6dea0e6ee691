"""Reads the book of a whole fleet from the store it shares.

Knows how rows are written (`shelf.rows`); decides nothing. A row that cannot be read is left out and counted.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final, TypeVar

from ..stores.port import Records
from .shape import Shape
from .shelf.rows import CADENCE, DEPLOY, FIRST_SIGHT, SHAPE, unpacked
from .sighting import Cadence, Deploy, Failures, FirstSight, Sighting

T = TypeVar("T")

_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class BookContents:
    """Everything that is known, each in the order of connectors and then of what is said. `unreadable` rows were left
    out: a newer version wrote them, or somebody else.
    """

    sightings: tuple[Sighting, ...] = ()
    cadences: tuple[Cadence, ...] = ()
    deploys: tuple[Deploy, ...] = ()
    failures: tuple[Failures, ...] = ()
    first_sights: tuple[FirstSight, ...] = ()
    unreadable: int = 0


async def read_book(store: Records) -> BookContents:
    """Read all connectors' books in a store. Nothing is changed.

    Raises:
        StoreUnavailable: The store cannot be reached.
    """
    sightings, lost = await _rows(store, SHAPE, _sighting)
    hours, lost_hours = await _rows(store, CADENCE, _hour)
    deploys, lost_deploys = await _rows(store, DEPLOY, _deploy)
    firsts, lost_firsts = await _rows(store, FIRST_SIGHT, _first_sight)
    return BookContents(
        sightings=tuple(sightings),
        cadences=tuple(each for cadences, _ in hours for each in cadences),
        failures=tuple(each for _, failures in hours for each in failures),
        deploys=tuple(_changes(deploys)),
        first_sights=tuple(firsts),
        unreadable=lost + lost_hours + lost_deploys + lost_firsts,
    )


async def _rows(store: Records, kind: str, read: Callable[[Mapping[str, Any]], T]) -> tuple[list[T], int]:
    found, lost = list[T](), 0
    async for value in _values(store, kind):
        try:
            found.append(read(unpacked(value)))
        except (AttributeError, KeyError, TypeError, ValueError):
            lost += 1
    return found, lost


async def _values(store: Records, kind: str) -> AsyncIterator[bytes]:
    after = ""
    while page := await store.page(kind, after=after, limit=_AT_ONCE):
        for record in page:
            yield record.value
        after = page[-1].key


def _sighting(row: Mapping[str, Any]) -> Sighting:
    shape = replace(Shape.from_json(row["shape"]), hops=tuple(map(str, row["hops"])))
    return Sighting(
        connector=str(row["connector"]),
        shape=shape,
        first_seen=float(row["first"]),
        last_seen=float(row["last"]),
        count=int(row["count"]),
        subjects=len(row["subjects"]),
        sample=dict(row["sample"]),
    )


def _hour(row: Mapping[str, Any]) -> tuple[list[Cadence], list[Failures]]:
    connector, surface, hour = str(row["connector"]), str(row["surface"]), int(row["hour"])
    cadences = [
        Cadence(
            connector=connector,
            surface=surface,
            method=method,
            hour=hour,
            count=said["count"],
            retries=said["retries"],
            cut_after={
                int(bucket): count for bucket, count in sorted(said["cuts"].items(), key=lambda cut: int(cut[0]))
            },
            longest_parallel=said["parallel"],
            codes_issued=said["issued"],
            codes_redeemed=said["redeemed"],
        )
        for method, said in sorted(row["methods"].items())
    ]
    kinds = sorted(row["failures"].items()) or [("", 0)]
    failures = [
        Failures(connector=connector, hour=hour, surface=surface, kind=kind, count=count, total=int(row["total"]))
        for kind, count in kinds
    ]
    return cadences, failures


def _deploy(row: Mapping[str, Any]) -> Deploy:
    return Deploy(
        connector=str(row["connector"]), build=str(row["build"]), version=str(row["version"]), at=float(row["at"])
    )


def _first_sight(row: Mapping[str, Any]) -> FirstSight:
    return FirstSight(
        connector=str(row["connector"]),
        kind=str(row["kind"]),
        where=str(row["where"]),
        name=str(row["name"]),
        first_seen=float(row["first"]),
    )


def _changes(deploys: Iterable[Deploy]) -> Iterable[Deploy]:
    """The first of each run of starts with one build: workers that start together each say so."""
    return (next(starts) for _, starts in groupby(deploys, key=lambda deploy: (deploy.connector, deploy.build)))
