"""Notices that the event loop stands still, and says which tool stopped it and where.

The loop beats by a timer; a daemon thread expects the beat and looks at the loop's stack when it is late. It heals
nothing: no heartbeat leaves while the loop stands, and the thread may not touch its sockets. It tells how late they
were. Function names and lines are logged, never values. Knows asyncio and threads, not HTTP and not MCP.
"""

import asyncio
import gc
import logging
import math
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from ...settings import WatchdogSettings

logger = logging.getLogger("ballast.loop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One stand-still that is over: for how many seconds the loop was late, and whose code it was, if that is known."""

    seconds: float
    tool: str | None


RUNNING_TOOL: Final[ContextVar[str | None]] = ContextVar("ballast_running_tool", default=None)
"""The tool that the current task works for. Tasks and callbacks that a tool starts inherit it, so they count as its
own. A context variable is the cheapest registry: nothing is kept, and only a block makes anybody look.
"""


class running:  # noqa: N801  # reads as `with running("tool")`; as a generator it costs four times as much
    """Say that what follows in this task is done for `tool`. Where a task serves one call only, it costs less to
    `RUNNING_TOOL.set(tool)` and forget it.
    """

    __slots__ = ("_token", "_tool")

    def __init__(self, tool: str) -> None:
        self._tool = tool

    def __enter__(self) -> None:
        self._token = RUNNING_TOOL.set(self._tool)

    def __exit__(self, *_: object) -> None:
        RUNNING_TOOL.reset(self._token)


class Watchdog:
    """Watches one event loop. `on_block` is told of every block that is over, in the watchdog's thread."""

    def __init__(
        self, settings: WatchdogSettings | None = None, *, on_block: Callable[[Block], None] | None = None
    ) -> None:
        self._policy = settings or WatchdogSettings()
        self._on_block = on_block
        self._due = math.inf
        self._noticed: _Notice | None = None
        self._over: deque[float] = deque(maxlen=16)
        self._wake = threading.Event()
        self._stopped = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the running loop. Enter it in the loop's own thread."""
        loop = asyncio.get_running_loop()
        self._stopped, self._due = False, monotonic()
        self._beat(loop)
        thread = threading.Thread(
            target=self._watch, args=(loop, threading.get_ident()), name="ballast-watchdog", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._stopped = True
            self._timer.cancel()
            self._wake.set()
            thread.join(_FAREWELL)

    def late_by(self) -> float:
        """Seconds that the loop's beat is overdue now, 0 if it is not. From any thread."""
        return max(0.0, monotonic() - self._due)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        now = monotonic()
        if now - self._due >= self._policy.blocked_after:
            self._over.append(now - self._due)
            self._wake.set()
        self._due = now + self._policy.interval
        self._timer = loop.call_later(self._policy.interval, self._beat, loop)

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        while not (self._stopped or loop.is_closed()):
            began, pause = monotonic(), self._until_next_look()
            self._wake.wait(pause)
            self._wake.clear()
            while self._over:
                self._tell_end(self._over.popleft())
            overslept = monotonic() - began - pause
            # Overslept: everything stood still. Native code in a task kept the interpreter to itself, and is caught in
            # the act as it lets go; or the process was stopped, or a thread did it, and then the loop is in no task.
            if overslept < self._policy.blocked_after / 2 or asyncio.current_task(loop) is not None:
                self._look(loop, thread)

    def _until_next_look(self) -> float:
        """Up to the moment at which the loop counts as blocked unless it beats before; a beat moves that moment."""
        if self._noticed is not None:
            return self._policy.blocked_after  # the end wakes us
        return max(_SHORTEST_PAUSE, self._due + self._policy.blocked_after - monotonic())

    def _look(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        due, late = self._due, self.late_by()
        if late < self._policy.blocked_after or self._noticed is not None:
            return
        tool, stack = _tool_of(loop), _stack_of(thread)
        if due != self._due:  # it went on while we looked, so this is not what held it up
            return
        self._noticed = _Notice(tool)
        logger.warning(
            "The event loop has stood still for %.1f s in %s: no request is served and no heartbeat is sent. "
            "Let what blocks be a `def` tool, which runs in a thread, or await it.\n%s",
            late,
            _named(tool),
            stack,
        )

    def _tell_end(self, seconds: float) -> None:
        noticed, self._noticed = self._noticed, None
        if noticed is not None:
            logger.warning(
                "The event loop goes on after %.1f s in %s; heartbeats were that late", seconds, _named(noticed.tool)
            )
        else:
            logger.warning(
                "The event loop stood still for %.1f s, and it was over before anybody could look: native code in a "
                "thread kept the interpreter to itself, or the process was stopped. Heartbeats were that late",
                seconds,
            )
        if self._on_block is not None:
            self._on_block(Block(seconds=seconds, tool=None if noticed is None else noticed.tool))


_FAREWELL: Final = 1.0
"""Seconds to wait for the thread at the end; it only has to wake up."""

_SHORTEST_PAUSE: Final = 0.01
"""Seconds between two looks at a loop that is about to count as blocked."""

_INNERMOST: Final = 25
"""Frames that are logged: what blocks is at the inner end."""


@dataclass(frozen=True, slots=True)
class _Notice:
    tool: str | None


def _named(tool: str | None) -> str:
    return "code that belongs to no tool" if tool is None else f"the tool {tool!r}"


def _tool_of(loop: asyncio.AbstractEventLoop) -> str | None:
    task = asyncio.current_task(loop)
    if task is None:
        return None
    return next((tool for context in _contexts_of(task) if (tool := context.get(RUNNING_TOOL)) is not None), None)


def _contexts_of(task: asyncio.Task[Any]) -> Iterator[Context]:
    if sys.version_info >= (3, 12):
        yield task.get_context()
    else:  # no public way in 3.11, and only a block makes us look; the task's own context comes first
        yield from (each for each in gc.get_referents(task) if isinstance(each, Context))


def _stack_of(thread: int) -> str:
    frame = sys._current_frames().get(thread)  # noqa: SLF001  # the documented way to another thread's stack
    if frame is None:
        return "  (its stack could not be read)"
    frames = traceback.StackSummary.extract(traceback.walk_stack(frame), limit=_INNERMOST, lookup_lines=False)
    return "\n".join(f"  {each.filename}:{each.lineno} in {each.name}" for each in reversed(frames))
