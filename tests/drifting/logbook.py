"""The visitors' book under a simulated clock: the real register, shelf and reading; only the socket is left out."""

import copy
import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from connector.recorder.reading import BookContents, read_book
from connector.recorder.register import Arrived, CameTo, Entry, Register
from connector.recorder.shelf.shelving import Shelf

from .asking import Asked
from .pages import Pages

_TOOK = 1.5  # seconds that an answer takes
_FLUSHED_EVERY = 43_200.0


@dataclass(slots=True)
class Logbook:
    """One connector's book. `keep` takes requests in, `contents` gives what the book says of them."""

    connector: str = "invoices"
    store: Pages = field(default_factory=Pages)
    register: Register = field(default_factory=lambda: Register(endpoint="/mcp"))
    _shelf: Shelf | None = None

    async def keep(self, asked: Iterable[Asked]) -> None:
        """Have requests come and go at their times, and put what was counted on the shelf now and then."""
        under_way: list[tuple[float, int, Asked, Entry]] = []
        flushed = 0.0
        for number, each in enumerate(asked):
            self._leave_until(under_way, each.at)
            if each.at - flushed > _FLUSHED_EVERY:
                await self._flush()
                flushed = each.at
            entry = self.register.enter(_arrived(each), each.at)
            heapq.heappush(under_way, (each.at + (each.cut or _TOOK), number, each, entry))
        self._leave_until(under_way, float("inf"))
        await self._flush()

    async def contents(self) -> BookContents:
        """What is in the book."""
        return await read_book(self.store)

    def copy(self) -> "Logbook":
        """The same book, to be continued otherwise."""
        return Logbook(self.connector, self.store.copy(), copy.deepcopy(self.register))

    def _leave_until(self, under_way: list[tuple[float, int, Asked, Entry]], moment: float) -> None:
        while under_way and under_way[0][0] <= moment:
            at, _, asked, entry = heapq.heappop(under_way)
            is_issued = asked.code == "issued"
            came_to = CameTo(
                status=None if asked.cut else 302 if is_issued else 200, cut_after=asked.cut, has_code=is_issued
            )
            self.register.leave(entry, came_to, at)

    async def _flush(self) -> None:
        shelf = self._shelf = self._shelf or Shelf(self.store, self.connector, "a secret of the tests")
        shapes, hours = self.register.take()
        for tally in shapes:
            await shelf.add_shape(tally)
        for (hour, surface), counted in hours.items():
            await shelf.add_hour(hour, surface, counted)


def _arrived(asked: Asked) -> Arrived:
    lines = [(name.lower().encode(), value.encode()) for name, value in asked.headers.items()]
    return Arrived(
        verb=asked.verb,
        path=asked.path,
        query=urlencode(asked.query).encode(),
        lines=lines,
        body=asked.body() or b"",
        peer="10.0.0.1",
    )
