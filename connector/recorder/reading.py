"""Reads the book of a whole fleet from the store it shares.

Knows how rows are written (`rows`); decides nothing. A row that cannot be read is left out and counted.
"""

from dataclasses import dataclass

from ..stores.port import Records
from .sighting import Cadence, Deploy, Failures, FirstSight, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class BookContents:
    """Everything that is known, each sorted by connector first. `unreadable` rows were left out."""

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
    raise NotImplementedError
