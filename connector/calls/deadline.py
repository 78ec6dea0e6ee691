"""How long a call may take: until when it must be answered, and when its work is stopped.

Who asks decides the first (`http/request/surface.py`, or the caller itself by `_meta["ballast/timeout"]`), the tool's
declaration the second. Knows asyncio and a clock.
"""

import asyncio
import math
from collections.abc import Mapping
from contextvars import ContextVar
from time import monotonic
from types import TracebackType
from typing import Any, Final

from ..errors import ToolFailed

META: Final = "ballast/timeout"
"""Seconds that the caller itself says it waits. No host is known to say it; our own clients and tests do."""

LONGEST_SAID: Final = 86_400.0

ANSWER_BY: Final[ContextVar[float | None]] = ContextVar("ballast_answer_by", default=None)
"""When the call must be answered, on the monotonic clock; None where nobody waits on the other end of a wire."""


class NotEnoughTime(ToolFailed):
    """The work cannot be done in the time there is, and was not begun."""


class TimeIsUp(Exception):
    """The work was stopped because its time is over."""


def said_by(meta: Mapping[str, Any]) -> float | None:
    """The seconds that a caller says it waits; None if it says nothing that can be meant."""
    said = meta.get(META)
    if isinstance(said, bool) or not isinstance(said, int | float) or not math.isfinite(said):
        return None
    return float(said) if 0 < said <= LONGEST_SAID else None


class Bell:
    """Rings for calls whose time is up, with one timer for all of them: thousands may be quiet at once, and a timer of
    the loop for each weighs more than what else is kept of one (`http/exchange.py`). It rings up to `grain` seconds
    early, and never late by design.
    """

    def __init__(self, grain: float) -> None:
        self._grain = grain
        self._due: dict[int, set[Ringing]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def at(self, moment: float) -> "Ringing":
        """`with bell.at(moment):` stops what runs within when it is `moment` on the monotonic clock.

        Raises:
            TimeIsUp: On leaving, if it was stopped.
        """
        return Ringing(self, max(int(moment / self._grain), 0))

    def join(self, ringing: "Ringing", grain: int) -> None:
        """Ring for it then."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # a connector may be served again, and the timer of a loop that is gone never comes
            self._loop, self._timer = loop, None
            self._due.clear()
        self._due.setdefault(grain, set()).add(ringing)
        if self._timer is None:
            self._timer = loop.call_later(self._grain, self._tick)

    def leave(self, ringing: "Ringing", grain: int) -> None:
        """Do not ring for it."""
        members = self._due.get(grain)
        if members is not None:
            members.discard(ringing)
            if not members:
                del self._due[grain]

    def _tick(self) -> None:
        self._timer = None
        now = int(monotonic() / self._grain)
        for grain in [grain for grain in self._due if grain <= now]:
            for ringing in self._due.pop(grain):
                ringing.ring()
        if self._due and self._loop is not None:
            self._timer = self._loop.call_later(self._grain, self._tick)


class Ringing:
    """One call that a bell rings for."""

    __slots__ = ("_bell", "_grain", "_has_rung", "_task")

    def __init__(self, bell: Bell, grain: int) -> None:
        self._bell, self._grain, self._has_rung = bell, grain, False
        self._task: asyncio.Task[Any] | None = None

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._bell.join(self, self._grain)

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, _: TracebackType | None) -> None:
        self._bell.leave(self, self._grain)
        task, self._task = self._task, None
        is_stopped = self._has_rung and kind is not None and issubclass(kind, asyncio.CancelledError)
        if is_stopped and task is not None and task.uncancel() == 0:
            raise TimeIsUp from raised

    def ring(self) -> None:
        """Stop the call."""
        if self._task is not None:
            self._has_rung = True
            self._task.cancel()
