"""Server-sent events as bytes: where one ends, what it carries, how a message becomes one.

Pure. Follows WHATWG HTML, "Interpreting an event stream": a line ends with LF, CR or CRLF, an event with an empty
line. What an event means to MCP is not known here.
"""

import re
from collections.abc import Iterator
from typing import Final

_EMPTY_LINE: Final = re.compile(rb"\n(?:\r\n?|\n)|\r\r\n?")
"""The end of an event: one line end right behind another. CRLF is one line end, so CRLF twice begins at its LF."""


class Splitter:
    """Cuts a stream into whole events, however its bytes arrive. No byte is lost, added or moved.

    The LF of a final CRLF may come with the next event: it would be an empty line there, which means nothing, and
    waiting for it would hold back the last event of a stream that ends its lines with CR.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that `chunk` completes, each with its end."""
        self._held += chunk
        events, begin, search = [], 0, self._searched
        while (found := _EMPTY_LINE.search(self._held, search)) is not None:
            search = found.end()
            events.append(bytes(self._held[begin:search]))
            begin = search
        del self._held[:begin]
        self._searched = max(0, len(self._held) - 1)  # the last byte may be the first half of an end
        return events

    @property
    def rest(self) -> bytes:
        """What has come of an event that is not complete."""
        return bytes(self._held)


def data_of(event: bytes) -> bytes | None:
    """The data of one event; None if it has none, as a comment."""
    parts = [value for name, value in _fields(event) if name == b"data"]
    return b"\n".join(parts) if parts else None


def names_itself(event: bytes) -> bool:
    """Whether the event has an id, from which a client can ask for what follows (`Last-Event-ID`)."""
    return any(name == b"id" and value for name, value in _fields(event))


def as_event(message: bytes) -> bytes:
    """A JSON text as one event. Line ends in it, which JSON allows between its parts only, become LF."""
    lines = message.splitlines() or [b""]
    return b"event: message\n" + b"".join(b"data: %b\n" % line for line in lines) + b"\n"


def _fields(event: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in event.splitlines():  # bytes end their lines exactly where SSE does
        name, _, value = line.partition(b":")
        yield name, value.removeprefix(b" ")
