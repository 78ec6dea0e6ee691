"""Calls that this worker does not run, as the store has them: what they came to, or what there is of them.

Knows the store's port and a clock. Does not know how a call is run.
"""

import asyncio
from time import monotonic

from ..errors import StoreUnavailable
from ..stores.port import Claimed, Entry, State, Store, Verdict
from .keeping import Keeping
from .keys import Wish
from .operations import Operations
from .outcome import (
    AGAIN_IMPLIED,
    AGAIN_NAMED,
    BACK_IN,
    CUT_OFF,
    ELSEWHERE,
    MISMATCH,
    REPLAY_NOTE,
    Outcome,
    Receipt,
    Reply,
    hash_of,
    marked,
    refusal,
    when,
)
from .standing import Terms, standing_reply

_FIRST_LOOK, _LONGEST_LOOK = 0.02, 0.5
"""Seconds between looks at a call that another worker runs: soon for short ones, and two a second for long ones."""


class Elsewhere:
    """The calls of one store. `join` is how long (seconds) a call waits for an equal one, where no terms say it."""

    def __init__(self, store: Store, keeping: Keeping, operations: Operations | None, *, join: float) -> None:
        self._store, self._keeping, self._operations, self._join_for = store, keeping, operations, join

    def answer(self, wish: Wish, claimed: Claimed) -> Reply:
        """What a claim came to that runs nothing."""
        if claimed.verdict is Verdict.MISMATCH:
            return Reply(
                outcome=Outcome.MISMATCH,
                result=marked(refusal(MISMATCH), Outcome.MISMATCH, claimed.entry),
                key_hash=hash_of(wish.key),
            )
        return self.kept(wish, claimed.entry, Outcome.REPLAYED)

    async def join(self, wish: Wish, entry: Entry, terms: Terms | None) -> Reply | None:
        """Wait for a call that another worker runs: its answer, or what there is when the terms want one, or nobody
        waits that long. None: nobody runs it any more.
        """
        give_up = monotonic() + self._join_for
        pause, now = _FIRST_LOOK, await self._look(entry)
        while now is not None and now.state is State.RUNNING and now.lease_left > 0:
            is_over = monotonic() > give_up
            if terms is not None and self._operations is not None and (is_over or not terms.left()):
                empty = self._operations.of(now, wish, tool=terms.tool, scope=terms.scope, arguments=terms.arguments)
                return standing_reply(await self._operations.seen(empty), terms, Outcome.JOINED, now)
            if is_over:
                said = refusal(ELSEWHERE.format(seconds=BACK_IN))
                return Reply(outcome=Outcome.JOINED, result=marked(said, Outcome.JOINED, entry))
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, _LONGEST_LOOK)
            now = await self._look(now)
        if now is None or now.state is State.RUNNING:
            return None
        return self.kept(wish, now, Outcome.JOINED)

    async def _look(self, last: Entry) -> Entry | None:
        try:
            return await self._store.look(last.key)
        except StoreUnavailable:
            return last

    def kept(self, wish: Wish, entry: Entry, outcome: Outcome) -> Reply:
        """The answer an ended entry holds."""
        result, note = self._keeping.unpack(entry), None
        if entry.state is State.UNKNOWN:
            outcome = Outcome.UNKNOWN
        elif outcome is Outcome.REPLAYED and not wish.is_named:
            note = REPLAY_NOTE.format(when=when(entry.begun_at))
        if result is None:
            again = AGAIN_NAMED if wish.is_named else AGAIN_IMPLIED
            result = refusal(CUT_OFF.format(when=when(entry.begun_at), again=again))
        return Reply(
            outcome=outcome,
            result=marked(result, outcome, entry, note=note),
            receipt=receipt_of(wish, entry.epoch),
            key_hash=hash_of(wish.key),
            origin=self._keeping.origin_of(entry),
        )


def receipt_of(wish: Wish, epoch: int) -> Receipt | None:
    """Under a name the answer stands for as long as it is kept, so nobody needs to know whether it arrived."""
    return None if wish.is_named else Receipt(key=wish.key, epoch=epoch)
