"""Which part of what there is goes into one answer, and where the next begins. Pure.

Content is read like a book: a place in it is a block and a byte within its text. A cursor is a place, said in one short
text, with the run it belongs to and a number that makes every answer's cursor new: ChatGPT suppresses a call that
repeats another (seen 2026-09-18), so a model could not wait by asking the same again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

RESULT: Final = 0
"""The run of a cursor that points into the final result; runs themselves count from 1."""

_READABLE: Final = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,12})\.(\d{1,9})")

_LONGEST_CHARACTER: Final = 4
_GOES_ON: Final = 0b1000_0000
"""The first two bits of every byte of a character in UTF-8 but its first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far somebody has read: `run` is the attempt, or `RESULT`."""

    run: int
    block: int = 0
    byte: int = 0
    turn: int = 0

    def __str__(self) -> str:
        return f"{self.run}.{self.block}.{self.byte}.{self.turn}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """What `str(cursor)` said; None for any other text."""
        found = _READABLE.fullmatch(text.strip())
        if found is None:
            return None
        run, block, byte, turn = map(int, found.groups())
        return cls(run=run, block=block, byte=byte, turn=turn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What goes into an answer. `then` is the place (block, byte) of what was left for the next; `has_more` whether
    there is anything.
    """

    blocks: Sequence[Mapping[str, Any]]
    then: tuple[int, int]
    has_more: bool


def page_of(blocks: Sequence[Mapping[str, Any]], cursor: Cursor, budget: int) -> Page:
    """As much as fits from the cursor on: `budget` bytes of text, and something in any case."""
    shown: list[Mapping[str, Any]] = []
    block, byte, left = cursor.block, cursor.byte, budget
    while block < len(blocks):
        text = blocks[block].get("text") if blocks[block].get("type") == "text" else None
        if not isinstance(text, str):
            shown.append(blocks[block])
            block, byte = block + 1, 0
            continue
        part = cut(text.encode("utf-8", "surrogatepass")[byte:], left if shown else max(left, _LONGEST_CHARACTER))
        if text and not part:
            break
        left -= len(part)
        byte += len(part)
        shown.append({**blocks[block], "text": part.decode("utf-8", "surrogatepass")})
        if byte < len(text.encode("utf-8", "surrogatepass")):
            break
        block, byte = block + 1, 0
    return Page(blocks=shown, then=(block, byte), has_more=block < len(blocks))


def cut(text: bytes, most: int) -> bytes:
    """The beginning of a UTF-8 text, up to `most` bytes: at the end of a line if one ends in the second half, and never
    within a character; so nothing where not even one fits.
    """
    if len(text) <= most:
        return text
    if most <= 0:
        return b""
    line = text.rfind(b"\n", most // 2, most)
    end = line + 1 if line >= 0 else most
    while end > 0 and text[end] & 0b1100_0000 == _GOES_ON:
        end -= 1
    return text[:end]


def size_of(blocks: Sequence[Mapping[str, Any]]) -> int:
    """Bytes of text."""
    return sum(len(str(block.get("text", "")).encode("utf-8", "surrogatepass")) for block in blocks)
