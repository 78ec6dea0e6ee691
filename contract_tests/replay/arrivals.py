"""The arrivals of a long stream as few that say the same: when something came, how much, and when nothing did. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ..outcome import Chunk

MOST: Final = 500
"""Arrivals of one reply that a report has. Nobody can tell more of them apart on a line."""

_SLICES: Final = 248  # of the time that passed: each holds at most one of either kind; the first and last stay


def thinned(chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
    """The arrivals themselves, or at most `MOST` if there are more: neighbours of one kind become one.

    Sizes and counts keep their sums; the first keeps its moment. A silence may look longer by a slice of the time that
    passed, about 1 in 248.
    """
    if len(chunks) <= MOST:
        return tuple(chunks)
    first, last = chunks[0], chunks[-1]
    width = (last.at - first.at) / _SLICES or 1.0
    kept: dict[tuple[int, bool], Chunk] = {}
    for chunk in chunks[1:-1]:
        key = (int((chunk.at - first.at) / width), chunk.is_heartbeat)
        one = kept.get(key)
        kept[key] = chunk if one is None else _joined(one, chunk)
    return (first, *kept.values(), last)


def _joined(one: Chunk, other: Chunk) -> Chunk:
    return replace(one, size=one.size + other.size, count=one.count + other.count)
