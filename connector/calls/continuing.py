"""What `continue_operation` answers: the rest of a call that was answered before it had ended, from whichever worker is
asked, also after a restart.

    operation ─► runs here? ─► wait for its end
                  │ no
                  ▼
                 kept? ─► has ended ───────────────► its result
                  │ no     runs elsewhere ─────────► look until it ends
                  ▼         its worker is lost ────► begin it again if it may be, else say that nobody knows
                 there is no such operation

Waits until the terms want an answer; then gives what is new. Knows the desk and the store's port. Does not know HTTP.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from ..errors import StoreUnavailable
from ..stores.port import Entry, State, Store
from .attempt import Running
from .desk import Desk
from .operations import Operation, Operations
from .outcome import BACK_IN, Receipt, Reply, refusal
from .pages import Cursor
from .partial import LOST_TRACK, META, NOT_KEPT, finished, told_of, unfinished
from .standing import Terms

_FIRST_LOOK, _LONGEST_LOOK = 0.02, 0.5
"""Seconds between looks at what another worker runs."""

_A_MOMENT: Final = 0.2
"""Seconds in which a worker that has just stored the end of a call also stores the end of its operation."""

CANNOT_LOOK: Final = (
    "The connector's memory cannot be reached, so nothing is known of this now. Ask again in {seconds} seconds."
)

Again = Callable[[Operation, Terms], Awaitable[Reply]]
"""Begins an operation again as the call that it was: gives its reply, as the desk would to that call."""


class Became(Enum):
    """What is known of an operation that does not run here."""

    RUNS = "runs"
    LOST = "lost"
    ENDED = "ended"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The answer, as JSON data, and what the store must be told if it arrives."""

    result: dict[str, Any]
    receipt: Receipt | None = None


class Continuing:
    """Answers questions about operations."""

    def __init__(self, desk: Desk, store: Store, operations: Operations) -> None:
        self._desk, self._store, self._operations = desk, store, operations

    async def find(self, id_: str, scope: str) -> Operation | None:
        """The operation of that name, if this scope may ask about it.

        Raises:
            StoreUnavailable: Nothing can be known of it now.
        """
        here = self._desk.here(id_)
        known = here.standing.now() if here is not None and here.standing else await self._operations.get(id_)
        return known if known is not None and known.scope == scope else None

    async def rest(self, operation: Operation, after: str, terms: Terms, again: Again | None) -> Answered:
        """The result of an operation that has ended or ends in time, or what is new of it since `after`.

        `again` is None where it must not be begun again.
        """
        cursor = Cursor.read(after) or Cursor(run=operation.run)
        pause = _FIRST_LOOK
        try:
            while operation.result is None:
                here = self._desk.here(operation.id)
                if here is not None and here.standing is not None:
                    return await self._wait(here, cursor, terms)
                became, entry = await self._look(operation)
                if became is Became.RUNS and terms.left():
                    await asyncio.sleep(min(pause, terms.left()))
                    pause = min(1.5 * pause, _LONGEST_LOOK)
                    continue
                operation = await self._operations.get(operation.id) or operation
                if operation.result is not None:
                    break
                if became is Became.ENDED and entry is not None:
                    reply = self._desk.kept(operation.wish, entry)
                    return self._ended(operation, reply.result, cursor, terms)
                if became is not Became.RUNS:
                    return await self._without_worker(operation, became, cursor, terms, again)
                return Answered(result=unfinished(operation, cursor, budget=terms.budget))
        except StoreUnavailable:
            return Answered(result=refusal(CANNOT_LOOK.format(seconds=BACK_IN)))
        return self._ended(operation, operation.result or {}, cursor, terms)

    async def _wait(self, here: Running, cursor: Cursor, terms: Terms) -> Answered:
        assert here.standing is not None  # noqa: S101  # that is how it was found
        here.waiting += 1
        try:
            await asyncio.wait({here.task}, timeout=terms.left())
        finally:
            here.waiting -= 1
        now = here.standing.now()
        if not here.task.done():
            return Answered(result=unfinished(now, cursor, budget=terms.budget))
        reply = None if here.task.cancelled() or here.task.exception() else here.task.result()
        if not isinstance(reply, Reply):
            return Answered(result=told_of(NOT_KEPT, now))
        if operation_of(reply) is not None:  # it was let go for somebody else to go on with
            return Answered(result=unfinished(now, cursor, budget=terms.budget))
        return self._ended(now, reply.result, cursor, terms)

    async def _look(self, operation: Operation) -> tuple[Became, Entry | None]:
        entry = await self._store.look(operation.call)
        if entry is None or self._operations.id_of(entry) != operation.id:
            return Became.FORGOTTEN, None
        if entry.state is not State.RUNNING:
            return Became.ENDED, entry
        return (Became.RUNS if entry.lease_left > 0 else Became.LOST), entry

    async def _without_worker(
        self, operation: Operation, became: Became, cursor: Cursor, terms: Terms, again: Again | None
    ) -> Answered:
        await asyncio.sleep(_A_MOMENT)
        known = await self._operations.get(operation.id)
        if known is not None and known.result is not None:  # it ended between two looks: first the call, then this
            return self._ended(known, known.result, cursor, terms)
        if again is None:
            return Answered(result=told_of(LOST_TRACK if became is Became.LOST else NOT_KEPT, operation))
        reply = await again(operation, terms)
        running = operation_of(reply)
        if running is None:
            return self._ended(replace(operation, blocks=()), reply.result, cursor, terms)
        begun = await self.find(running, operation.scope) or replace(operation, run=operation.run + 1)
        return Answered(result=unfinished(begun, cursor, budget=terms.budget))

    def _ended(self, operation: Operation, result: Any, cursor: Cursor, terms: Terms) -> Answered:
        answer = finished(operation, result, cursor, budget=terms.budget)
        is_all = "after" not in answer["_meta"][META]
        receipt = None if operation.is_named or not is_all or not operation.call else _receipt(operation)
        return Answered(result=answer, receipt=receipt)


def operation_of(reply: Reply) -> str | None:
    """The operation that a reply says still runs; None if it is an answer."""
    state = (reply.result.get("_meta") or {}).get(META)
    return state["operation_id"] if isinstance(state, Mapping) and state.get("status") == "running" else None


def _receipt(operation: Operation) -> Receipt:
    return Receipt(key=operation.call, epoch=operation.epoch)
