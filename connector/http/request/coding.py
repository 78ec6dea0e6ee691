"""In what a client packed its body: `Content-Encoding` of requests (RFC 9110, section 8.4). Pure.

No host packs requests today; one that begins to must not meet "not JSON". What Python has no decoder for is refused as
RFC 9110 says, so that a client can send it again unpacked.
"""

import zlib
from collections.abc import Mapping
from typing import Final

from .reading import INVALID_REQUEST, PARSE_ERROR, Refused

_GZIP: Final = 16 + zlib.MAX_WBITS
_WINDOWS: Final[Mapping[str, tuple[int, ...]]] = {
    "gzip": (_GZIP,),
    "x-gzip": (_GZIP,),
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),  # some send it without the zlib format around it (section 8.4.1.2)
}
_MOST_MEMBERS: Final = 16
"""Members of one gzip body (RFC 1952, section 2.2). Nobody sends more, and hundreds of thousands of empty ones would be
looked through for minutes.
"""
_SPOKEN: Final = ((b"accept-encoding", b"gzip, deflate"),)


def unpacked(coding: str, body: bytes, most: int) -> bytes | Refused:
    """The body as it was before it was packed; a refusal if that is not known here, damaged, or above `most` bytes."""
    named = coding.strip().lower()
    if not body or named in {"", "identity"}:
        return body
    if named not in _WINDOWS:
        said = f"Content-Encoding {named!r} is not served here: send the body as it is, or as 'gzip'"
        return Refused(415, INVALID_REQUEST, said, lines=_SPOKEN)
    for window in _WINDOWS[named]:
        try:
            return _inflated(body, window, most)
        except zlib.error:
            continue
        except OverflowError:
            return too_large(most)
    return Refused(400, PARSE_ERROR, f"Parse error: the body is not {named!r}, as Content-Encoding says")


def _inflated(body: bytes, window: int, most: int) -> bytes:
    out = b""
    for _ in range(_MOST_MEMBERS):
        inflating = zlib.decompressobj(window)
        out += inflating.decompress(body, most + 1 - len(out))
        if len(out) > most:
            raise OverflowError
        if not inflating.eof:
            raise zlib.error("it ends early")
        body = inflating.unused_data
        if not body:
            return out
    raise zlib.error("it has too many members")


def too_large(most: int) -> Refused:
    """The refusal of a body above `most` bytes."""
    return Refused(413, INVALID_REQUEST, f"The body is larger than the {most} bytes that are read (BALLAST_MAX_BODY)")
