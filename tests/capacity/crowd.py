"""Callers that ask a capacity for room, one by one or all at once."""

import asyncio
from collections.abc import Callable
from typing import Any

from connector.http.load.busy import Busy
from connector.http.load.capacity import Capacity
from connector.settings import CapacitySettings


class Crowd:
    """Callers of one capacity. Each says when it is in, and stays until it is told to go."""

    def __init__(self, capacity: Capacity) -> None:
        self.capacity = capacity
        self.came_in: list[str] = []
        self.refused: dict[str, Busy] = {}
        self._may_go: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def send(self, *names: str, tool: str | None = None, principal: str | None = None) -> None:
        for name in names:
            self._may_go[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._call(name, tool, principal))

    def let_go(self, *names: str) -> None:
        for name in names:
            self._may_go[name].set()

    def cancel(self, name: str) -> None:
        self._tasks[name].cancel()

    async def _call(self, name: str, tool: str | None, principal: str | None) -> None:
        try:
            async with self.capacity.call(tool=tool, principal=principal):
                self.came_in.append(name)
                await self._may_go[name].wait()
        except Busy as busy:
            self.refused[name] = busy


def crowd_of(jitter: Callable[[], float] = lambda: 0.0, **caps: Any) -> Crowd:
    """Callers of a capacity with these caps, on the clock of the running loop."""
    loop = asyncio.get_running_loop()
    return Crowd(Capacity(CapacitySettings(**caps), jitter=jitter, clock=loop.time))
