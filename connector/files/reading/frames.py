"""What passes between a connector and a process that reads: a question or an answer, and bytes behind it.

A frame is two lengths, JSON and bytes. Both lengths are checked before anything is taken in, because the process that
reads may have been taken over by what it reads.
"""

import json
import struct
from typing import Any, Final

LENGTHS: Final = struct.Struct(">II")
MOST_JSON: Final = 32 * 1024 * 1024
MOST_BYTES: Final = 64 * 1024 * 1024


class Garbled(Exception):
    """What came is no frame."""


def framed(said: dict[str, Any], body: bytes = b"") -> bytes:
    """One frame.

    Raises:
        Garbled: It would be too long.
    """
    text = json.dumps(said).encode()
    check(len(text), len(body))
    return LENGTHS.pack(len(text), len(body)) + text + body


def check(text: int, body: int) -> None:
    """Refuse lengths that no honest frame has.

    Raises:
        Garbled: They are too long.
    """
    if text > MOST_JSON or body > MOST_BYTES:
        raise Garbled(f"a frame of {text} and {body} bytes")


def said(text: bytes) -> dict[str, Any]:
    """The JSON object of a frame.

    Raises:
        Garbled: It is none.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Garbled("no JSON object")
    return value
