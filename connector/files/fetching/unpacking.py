"""What a server packed for the way, unpacked piece by piece, so that a bomb grows no further than the file may."""

import zlib
from collections.abc import Iterator
from typing import Final

from ..reading.problems import Problem, Refused

PIECE: Final = 256 * 1024
GZIP: Final = 16 + zlib.MAX_WBITS


class Plain:
    """Bytes as they come."""

    def unpacked(self, part: bytes) -> Iterator[bytes]:
        """What `part` holds."""
        yield part

    def rest(self) -> bytes:
        """Nothing is held back, and nothing can be missing."""
        return b""


class Gzip:
    """RFC 1952, several members included."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(GZIP)

    def unpacked(self, part: bytes) -> Iterator[bytes]:
        """What `part` holds, at most `PIECE` at a time.

        Raises:
            Refused: It is damaged.
        """
        try:
            while part:
                if self._member.eof:
                    self._member = zlib.decompressobj(GZIP)
                yield self._member.decompress(part, PIECE)
                part = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        except zlib.error:
            raise Refused(Problem.CORRUPT) from None

    def rest(self) -> bytes:
        """What was held back: a few bytes at most.

        Raises:
            Refused: The end did not come.
        """
        rest = self._member.flush()
        if not self._member.eof:
            raise Refused(Problem.CUT_OFF)
        return rest


def unpacking(encoding: str) -> Plain | Gzip:
    """How a body with that `Content-Encoding` is unpacked. It is asked for unpacked; some stores pack all the same.

    Raises:
        Refused: In no way that is known here.
    """
    named = encoding.strip().lower()
    if named in {"", "identity"}:
        return Plain()
    if named in {"gzip", "x-gzip"}:
        return Gzip()
    raise Refused(Problem.ENCODED, entry=named)
