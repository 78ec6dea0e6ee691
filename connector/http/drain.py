"""Leaving: what happens between SIGTERM and the end of the process, so that a deploy loses nothing.

    serving ──SIGTERM──► leaving: /ready fails, idle streams end, answers ask for a new connection
                            │ notice
                            ▼
                         the server is told (it stops listening); calls in flight go on
                            │ within, counted from SIGTERM
                            ▼
                         calls that still run are stopped, and their clients told

The signal reaches the server's own handler only after the notice, so this works under `Connector.serve`, `mcp-ballast
serve` and a plain `uvicorn module:app` alike. A second SIGTERM ends the process at once.
"""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any, Final, TypeGuard

from ..settings import DrainSettings
from ..telemetry.meters import Meters
from ..telemetry.watched import Watched

logger = logging.getLogger("ballast.http")

Handler = Callable[[int, FrameType | None], Any]

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Drain:
    """Whether this process is leaving, and what has to be told when it does."""

    def __init__(
        self, settings: DrainSettings, meters: Meters | None = None, *, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        """`tell` is told the name of what happens, for the traces of calls in flight."""
        self._settings = settings
        self._tell = tell
        self._is_overdue = self._has_ended = False
        if meters is not None:
            meters.watch(Watched.DRAIN_STATE, lambda: self.is_leaving + self._is_overdue)
            meters.watch(Watched.DRAIN_LEFT, self.remaining)
            meters.watch(Watched.DRAINED, self._outcome)
        self._on_leaving: list[Callable[[], None]] = []
        self._on_closing: list[Callable[[], None]] = []
        self._on_overdue: list[Callable[[], None]] = []
        self.is_leaving = False
        self._until: float | None = None

    def remaining(self) -> float:
        """Seconds that calls in flight still have; all of them as long as nobody has told us to leave."""
        return self._settings.within if self._until is None else max(0.0, self._until - monotonic())

    def when_leaving(self, tell: Callable[[], None]) -> None:
        """Have `tell` called in the loop's thread when leaving begins."""
        self._on_leaving.append(tell)

    def when_closing(self, tell: Callable[[], None]) -> None:
        """Have `tell` called when the notice is over and the server is about to be told: no new call from here on."""
        self._on_closing.append(tell)

    def when_overdue(self, tell: Callable[[], None]) -> None:
        """Have `tell` called when `within` seconds have passed and calls may still run."""
        self._on_overdue.append(tell)

    def begin(self) -> None:
        """Begin to leave. Only the first call does anything."""
        if self.is_leaving:
            return
        self.is_leaving = True
        self._until = monotonic() + self._settings.within
        logger.info("Leaving: no longer ready, calls in flight have %g s", self._settings.within)
        self._tell("ballast.drain.began")
        for tell in self._on_leaving:
            tell()
        asyncio.get_running_loop().call_later(self._settings.within, self._overdue)

    def _outcome(self) -> dict[str, float]:
        """How the one drain of this process ended, once it has."""
        is_over = self.is_leaving and self._has_ended
        return {"overdue" if self._is_overdue else "in time": 1} if is_over else {}

    def _overdue(self) -> None:
        self._is_overdue = True
        self._tell("ballast.drain.overdue")
        for tell in self._on_overdue:
            tell()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Stand before the server's own signal handlers while the app lives."""
        loop = asyncio.get_running_loop()
        stood = []
        for number in _SIGNALS if threading.current_thread() is threading.main_thread() else ():
            own = signal.getsignal(number)
            if _is_a_servers(own):
                signal.signal(number, self._before(own, loop))
                stood.append((number, own))
        try:
            yield
        finally:
            self._has_ended = True
            for number, own in stood:
                signal.signal(number, own)

    def _before(self, own: Handler, loop: asyncio.AbstractEventLoop) -> Handler:
        def handle(number: int, frame: FrameType | None) -> None:
            if self.is_leaving and number == signal.SIGTERM:
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
            elif self.is_leaving or number == signal.SIGINT:  # a person at the keyboard does not wait for balancers
                loop.call_soon_threadsafe(self.begin)
                own(number, frame)
            else:
                loop.call_soon_threadsafe(self._leave, lambda: own(number, None))

        return handle

    def _leave(self, tell_server: Callable[[], None]) -> None:
        self.begin()
        asyncio.get_running_loop().call_later(self._settings.notice, self._close, tell_server)

    def _close(self, tell_server: Callable[[], None]) -> None:
        for tell in self._on_closing:
            tell()
        tell_server()


def _is_a_servers(handler: Any) -> TypeGuard[Handler]:
    """Whether a Python handler was installed by a server. asyncio's and Python's own must not be stood before."""
    return (
        callable(handler)
        and handler is not signal.default_int_handler
        and not getattr(handler, "__module__", "").startswith("asyncio")
    )
