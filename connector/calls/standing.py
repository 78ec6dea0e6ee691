"""One call that this worker runs, as an operation that others may ask about: what there is of it now, in the store for
other workers from the moment that somebody may ask there.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from ..errors import StoreUnavailable
from ..stores.port import Entry
from .holding import until_stored
from .operations import Operation, Operations
from .outcome import Outcome, Reply, hash_of, marked
from .partial import unfinished
from .pieces import Pieces

logger = logging.getLogger("ballast.calls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When and how a call may be answered before it has ended.

    `answer_by` is on the monotonic clock. `scope` says who may ask about it afterwards. `lasts`: it is declared so, and
    its output schema takes a running operation. `is_read`: nothing is lost where it is stopped. `is_unshapely`: its
    output schema takes no running operation. `is_listed`: the model can call `continue_operation`. `arguments` are
    given where it may be begun again after a restart. `budget` is in bytes.
    """

    tool: str
    answer_by: float
    scope: str
    budget: int
    lasts: bool = False
    is_read: bool = False
    is_unshapely: bool = False
    is_listed: bool = True
    arguments: Mapping[str, Any] | None = None

    def left(self) -> float:
        """Seconds until the answer must go out, never below 0."""
        return max(0.0, self.answer_by - monotonic())


def standing_reply(operation: Operation, terms: Terms, outcome: Outcome, entry: Entry | None = None) -> Reply:
    """The answer to a call that has not ended."""
    is_shapely = terms.lasts or not terms.is_unshapely
    result = unfinished(operation, None, budget=terms.budget, is_listed=terms.is_listed, structured=is_shapely)
    if entry is not None:
        result = marked(result, outcome, entry)
    return Reply(outcome=outcome, result=result, key_hash=hash_of(operation.call))


class Standing:
    """A call as an operation. `checkpoint` is how often (seconds) it is stored while it runs."""

    def __init__(self, operations: Operations, operation: Operation, pieces: Pieces, *, checkpoint: float) -> None:
        self._operations, self._operation, self._checkpoint = operations, operation, checkpoint
        self.pieces = pieces
        self.id = operation.id
        self.scope = operation.scope
        self.is_handed_out = False
        """Whether somebody was given its name, and so may ask for its end."""
        self._is_published = False
        self._keeping_up: asyncio.Task[None] | None = None
        self._ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def now(self) -> Operation:
        """The operation with what there is of it now."""
        return replace(self._operation, blocks=tuple(self.pieces.blocks), left_out=self.pieces.left_out)

    def keep_up(self) -> None:
        """Store what there is, again and again, until it ends: then a crash loses little."""
        if self._keeping_up is None:
            self._keeping_up = asyncio.create_task(self._keep_up())

    async def hand_out(self) -> Operation:
        """Somebody is about to be given its name: whoever it meets must know it. Gives what there is."""
        self.is_handed_out = True
        self.keep_up()
        now = self.now()
        await self._publish(now)
        return now

    async def end(self, result: Mapping[str, Any] | None) -> None:
        """It ended so; None where it may be begun again elsewhere, and what there is is all there will be here."""
        self._ending.set_result(None)
        if self._keeping_up is not None:
            await asyncio.wait({self._keeping_up})  # not cancelled: what it writes must not land behind the end
        if self._is_published:
            last = replace(self.now(), result=result)
            with suppress(StoreUnavailable):
                await asyncio.wait({until_stored(lambda: self._operations.put(last))}, timeout=self._checkpoint)

    async def _keep_up(self) -> None:
        stored, at = -1, monotonic()
        while not self._ending.done():
            await asyncio.wait({self._ending}, timeout=self._checkpoint)
            is_stale = monotonic() - at > self._operations.kept_for / 4
            if not self._ending.done() and (len(self.pieces.blocks) > stored or is_stale):
                stored, at = len(self.pieces.blocks), monotonic()
                await self._publish(self.now())

    async def _publish(self, now: Operation) -> None:
        self._is_published = True
        try:
            await self._operations.put(now)
        except StoreUnavailable as gone:
            logger.warning("A running call could not be stored; only this worker can tell of it: %s", gone)
