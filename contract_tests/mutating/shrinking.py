"""From changes that break together to the fewest that break: delta debugging (Zeller, Hildebrandt 2002), bounded.

Knows nothing of sessions: it is given changes and a question. What it returns has been seen to break.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Evidence = TypeVar("_Evidence")


@dataclass(slots=True, kw_only=True)
class Shrinker(Generic[_Item, _Evidence]):
    """`breaks` plays some of the items and returns what broke, or None. At most `most` questions are asked."""

    breaks: Callable[[tuple[_Item, ...]], Awaitable[_Evidence | None]]
    most: int
    asked: int = field(default=0)

    async def shrink(
        self, items: tuple[_Item, ...], evidence: _Evidence, likely: Sequence[_Item] = ()
    ) -> tuple[tuple[_Item, ...], _Evidence]:
        """The smallest part found, with its evidence; each of `likely` is tried first, alone."""
        if len(items) == 1:
            return items, evidence
        for item in likely:
            if item in items and (found := await self._ask((item,))) is not None:
                return (item,), found
        parts = 2
        while len(items) > 1 and self.asked < self.most:
            smaller = await self._smaller(_split(items, parts), parts)
            if smaller is not None:
                items, evidence, parts = smaller
            elif parts >= len(items):
                break
            else:
                parts = min(len(items), parts * 2)
        return items, evidence

    async def _smaller(
        self, pieces: Sequence[tuple[_Item, ...]], parts: int
    ) -> tuple[tuple[_Item, ...], _Evidence, int] | None:
        for piece in pieces:
            if (found := await self._ask(piece)) is not None:
                return piece, found, 2
        for number in range(len(pieces)) if parts > 2 else ():  # noqa: PLR2004 - of two pieces the rest is the other
            rest = tuple(item for place, piece in enumerate(pieces) if place != number for item in piece)
            if (found := await self._ask(rest)) is not None:
                return rest, found, max(parts - 1, 2)
        return None

    async def _ask(self, items: tuple[_Item, ...]) -> _Evidence | None:
        if self.asked >= self.most:
            return None
        self.asked += 1
        return await self.breaks(items)


def _split(items: tuple[_Item, ...], parts: int) -> list[tuple[_Item, ...]]:
    size, more = divmod(len(items), parts)
    starts = [number * size + min(number, more) for number in range(parts + 1)]
    return [items[start:end] for start, end in pairwise(starts) if end > start]
