"""The process that reads: one step after the other, over the socket it was started with, within limits it sets itself.

It may be killed at any moment; nothing of it is missed. It writes no file and knows no secret: the environment it
starts in is empty.
"""

import math
import resource
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from .frames import LENGTHS, Garbled, check, framed, said
from .limits import Limits
from .problems import Problem, Refused
from .steps import answer

GROWN: Final = 3
"""A process that has taken a third of its memory is replaced: what parsers keep is never given back."""


def main(wire: socket.socket, limits: Limits) -> None:
    """Answer until the other side closes, or until this process should not be used again."""
    _restrict(resource.RLIMIT_AS, limits.memory)
    _restrict(resource.RLIMIT_FSIZE, 0)
    _restrict(resource.RLIMIT_CORE, 0)
    with wire:
        while (asked := _read(wire)) is not None:
            _allow_seconds(limits.step)
            reply, body, is_spent = _replying(asked, limits)
            wire.sendall(framed({**reply, "is_spent": is_spent}, body))
            if is_spent:
                return


def _replying(asked: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], bytes, bool]:
    try:
        reply, body = answer(asked["path"], asked, limits)
    except Refused as refused:
        return {"problem": refused.problem, "detail": refused.detail}, b"", _has_grown(limits)
    except MemoryError:
        return {"problem": Problem.MEMORY, "detail": {}}, b"", True
    except Exception as raised:  # noqa: BLE001  parsers raise anything at what is damaged
        told = {"problem": Problem.CORRUPT, "detail": {}, "raised": type(raised).__qualname__}
        return told, b"", isinstance(raised, RecursionError)
    return reply, body, _has_grown(limits)


def _has_grown(limits: Limits) -> bool:
    return _resident() > limits.memory / GROWN


def _resident() -> int:
    """Bytes of memory this process has; on other systems than Linux, the most it ever had.

    Linux counts into that most what the process had that started this one: below a connector of half a gigabyte, none
    would ever be used again.
    """
    if sys.platform == "linux":
        with Path("/proc/self/statm").open("rb") as sizes:
            return int(sizes.read().split()[1]) * resource.getpagesize()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024)


def _restrict(what: int, value: int) -> None:
    with suppress(ValueError, OSError):  # macOS knows no limit of the address space
        resource.setrlimit(what, (value, value))


def _allow_seconds(seconds: float) -> None:
    """Processor time for one more step; then the system ends the process, even if nobody is left to kill it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _read(wire: socket.socket) -> dict[str, Any] | None:
    lengths = _exactly(wire, LENGTHS.size)
    if lengths is None:
        return None
    text, body = LENGTHS.unpack(lengths)
    check(text, body)
    asked = _exactly(wire, text)
    if asked is None or body:
        raise Garbled("a question that ends early, or has bytes behind it")
    return said(asked)


def _exactly(wire: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = wire.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
