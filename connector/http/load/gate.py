"""One cap: how many are inside, and who waits for a place, first come first served.

A place is handed over by whoever leaves, straight to the next in the queue: nobody can overtake, and nobody who gives
up can take a place along. There is no task per waiter, only a future and a timer of the loop. Knows asyncio; does not
know what becomes of those who are not let in.
"""

import asyncio
from collections import OrderedDict
from typing import Final

from .busy import Scope

WEIGHT: Final = 0.2
"""Of the newest stay in the running mean: the last ten make up nine tenths of it."""


class Gate:
    """A cap of `most` on `scope`. It stands in `table` under `name` only while somebody is inside. For one event loop;
    not for threads.

    As long as there is room, nobody waits: places come free only in `hand_on`, which asks the queue first. So room
    may be taken without a look at the queue (`has_room`, then `enter`).
    """

    __slots__ = ("_name", "_queue", "_standing_since", "_table", "mean_stay", "most", "scope", "taken")

    def __init__(self, most: int, scope: Scope, table: "dict[str, Gate] | None" = None, name: str = "") -> None:
        self.most = most
        self.scope = scope
        self.taken = 0
        self.mean_stay: float | None = None
        self._table = table
        self._name = name
        self._standing_since = 0.0
        self._queue: OrderedDict[asyncio.Future[bool], None] | None = None  # most gates never see one

    @property
    def has_room(self) -> bool:
        """Whether a place can be taken at once."""
        return self.taken < self.most

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue) if self._queue else 0

    def enter(self) -> None:
        """Take a place; there must be room."""
        if self.taken == 0 and self._table is not None:
            self._table[self._name] = self
        self.taken += 1

    async def take(self, *, until: float) -> bool:
        """Wait for a place until `until` on the loop's clock. True: it is taken, and must be handed on.

        A waiter that is cancelled leaves the queue; a place that reached it in that same moment goes to the next.
        """
        loop = asyncio.get_running_loop()
        queue = self._enter(loop.time())
        turn: asyncio.Future[bool] = loop.create_future()
        queue[turn] = None
        timer = loop.call_at(until, _give_up, turn)
        try:
            return await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.result():
                self.hand_on()
            raise
        finally:
            timer.cancel()
            queue.pop(turn, None)

    def hand_on(self) -> None:
        """Leave: the place goes to the next who still waits, or is free."""
        while self._queue:
            turn, _ = self._queue.popitem(last=False)
            if not turn.done():  # done: it gave up, and its task has not run since
                turn.set_result(True)
                return
        self.taken -= 1
        if self.taken == 0 and self._table is not None:
            del self._table[self._name]

    def leave(self, stayed: float) -> None:
        """Hand the place on after `stayed` seconds, and learn from them how long a stay is."""
        mean = self.mean_stay
        self.mean_stay = stayed if mean is None else mean + WEIGHT * (stayed - mean)
        self.hand_on()

    def is_pressed(self, now: float, *, longer_than: float) -> bool:
        """Whether there has been a queue for more than `longer_than` seconds without a break."""
        return bool(self._queue) and now - self._standing_since > longer_than

    def _enter(self, now: float) -> OrderedDict[asyncio.Future[bool], None]:
        if self._queue is None:
            self._queue = OrderedDict()
        if not self._queue:
            self._standing_since = now
        return self._queue


def _give_up(turn: asyncio.Future[bool]) -> None:
    if not turn.done():
        turn.set_result(False)
