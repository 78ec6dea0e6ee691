"""What a call has given before it ended: content blocks as JSON data, up to a size. Knows no SDK and no store.

A piece that finds no room is counted, never dropped in silence: whoever answers says how many are missing, and the
final result has them all.
"""

import json
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Final

LARGEST: Final = 1024 * 1024
"""Bytes, where nobody says otherwise."""


class Pieces:
    """The pieces of one run. Added to by the tool, also from a thread; read by whoever answers."""

    __slots__ = ("_room", "blocks", "left_out")

    def __init__(self, most: int = LARGEST) -> None:
        self._room = most
        self.blocks: list[Mapping[str, Any]] = []
        self.left_out = 0

    def add(self, blocks: Iterable[Mapping[str, Any]]) -> None:
        """Keep these, in this order, as long as there is room."""
        for block in blocks:
            size = len(json.dumps(block, default=str))
            if self.left_out or size > self._room:
                self.left_out += 1
                continue
            self._room -= size
            self.blocks.append(block)


PIECES: Final[ContextVar[Pieces | None]] = ContextVar("ballast_pieces", default=None)
"""Where the call that is being answered puts its pieces."""
