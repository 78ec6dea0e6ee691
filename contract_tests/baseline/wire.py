"""What of one exchange is worth remembering, as words: status, media type, headers, ending, and how long it took.

Decides which header values mean something and where one class of time ends. Knows no file.
"""

import re
from collections.abc import Mapping
from typing import Final

from ..judging.reply import EVENT_STREAM, read_reply
from ..outcome import Ending, Received

_VALUES: Final = frozenset({
    "access-control-allow-origin", "allow", "cache-control", "connection", "content-encoding", "content-type",
    "deprecation", "location", "mcp-protocol-version", "vary", "www-authenticate", "x-accel-buffering",
})  # fmt: skip
"""Headers whose values say how a reply is to be treated. Of others only the presence is kept: most are identifiers."""

_NEVER: Final = frozenset({"date", "content-length", "server", "transfer-encoding", "keep-alive", "age", "via"})
"""Headers that say more about the machine, or the moment, than about the target."""

_CLASSES: Final = ((1.0, "at once"), (5.0, "within 5 s"), (20.0, "within 20 s"), (120.0, "within 2 min"))
"""Upper limits in seconds: what nobody notices, what people wait for, where proxies begin to cut, where hosts cut."""


_LOOPBACK: Final = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?")
"""A target on this machine has another port in every run."""


def line(received: Received) -> str:
    """The reply in one line that differs if, and only if, its framing does."""
    parts = [str(received.status or "no reply"), _ending(received), _messages(received), *_headers(received)]
    return "; ".join(part for part in parts if part)


def time_class(seconds: float | None) -> str:
    """A duration as the class it is in."""
    if seconds is None:
        return "never"
    return next((word for limit, word in _CLASSES if seconds < limit), "later")


def is_slower(now: str, before: str) -> bool:
    """Whether one class of time is worse than another."""
    order = [word for _, word in _CLASSES] + ["later", "never"]
    return now in order and before in order and order.index(now) > order.index(before)


def _ending(received: Received) -> str:
    return "" if received.ending is Ending.COMPLETE else str(received.ending)


def _messages(received: Received) -> str:
    """How many messages an event stream carried: a second one is a duplicate, or something new."""
    reply = read_reply(received)
    if reply.media != EVENT_STREAM:
        return ""
    count = sum(bool(event.data) for event in reply.events)
    return f"{count} messages" if count != 1 else "1 message"


def _headers(received: Received) -> list[str]:
    found: Mapping[str, str] = {name.lower(): value for name, value in received.headers}
    named = {name: (found[name] if name in _VALUES else "*") for name in sorted(found) if name not in _NEVER}
    return [f"{name}: {_LOOPBACK.sub('<target>', value)}" for name, value in named.items()]
