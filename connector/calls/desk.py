"""The desk: a call that writes is run once, whoever asks for it how often.

    request ─► which wish? ─► claim ─► CLAIMED    run it, apart from the asker ─► store the outcome ─► answer
                  │ none                IN_FLIGHT  wait for who runs it ──────────────────────────────► its answer
                  └► run unguarded      ENDED      ──────────────────────────────────────────────────► the kept answer
                                        MISMATCH   refuse

One effect per claim, never "exactly once": what a worker that died had done outside cannot be known here. Knows the
store's port. Does not know HTTP, nor the SDK: it is handed a call and a way to run it, and gives JSON data back.
"""

import asyncio
import logging
import secrets
from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

from ..errors import StoreTooNew, StoreUnavailable
from ..guard import Guard
from ..stores.port import Claim, Claimed, Entry, State, Store, Verdict
from .attempt import ATTEMPT, ORIGIN, Attempt, NobodyAsks, Run, Running
from .elsewhere import Elsewhere, receipt_of
from .holding import Hold, Renewal, Settled, settled, until_stored
from .keeping import Keeping
from .keys import BadKey, Digest, Request, Wish, lone_wish, wish_of
from .loose import Loose
from .operations import Operations
from .outcome import (
    ABANDONED,
    BACK_IN,
    LEAVING,
    LOST,
    NO_OUTCOME,
    NO_STORE,
    STOPPED,
    UNRECORDED,
    Ended,
    Outcome,
    Receipt,
    Reply,
    hash_of,
    marked,
    refusal,
)
from .partial import TOO_MANY
from .pieces import LARGEST, PIECES, Pieces
from .standing import Standing, Terms, standing_reply

__all__ = ["ATTEMPT", "ORIGIN", "Attempt", "Desk", "DeskPolicy", "NobodyAsks", "Run"]

logger = logging.getLogger("ballast.calls")

_BEFORE_A_SECOND_CLAIM: Final = 0.5
_A_MOMENT: Final = 0.02
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPolicy:
    """Seconds: how long a claim holds without renewal; for how long after its end an equal call still is the same wish
    though the answer arrived; how long a call waits for an equal one; how often what there is of a long one is stored.
    `most` is how many bytes of that are kept, `at_once` how many reads may go on without anybody waiting.
    """

    lease: float
    grace: float
    join: float
    checkpoint: float = 2.0
    most: int = LARGEST
    at_once: int = 100


class Desk:
    """Runs the calls of one connector that are guarded."""

    def __init__(
        self, store: Store, policy: DeskPolicy, keeping: Keeping, digest: Digest, operations: Operations | None = None
    ) -> None:
        """Without `operations` a call is answered when it has ended, whatever its terms."""
        self._store, self._policy, self._keeping, self._digest = store, policy, keeping, digest
        self.operations = operations
        self._elsewhere = Elsewhere(store, keeping, operations, join=policy.join)
        self._loose = Loose()
        self._running: dict[str, Running] = {}
        self._notes: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self.outcomes: Counter[Outcome] = Counter()
        self.leases: Counter[Renewal] = Counter()

    async def call(self, request: Request, guard: Guard, run: Run, terms: Terms | None = None) -> Reply:
        """Answer a call: by running it, by what an equal one came to, or by what there is when its `terms` say so.

        `run` is called at most once. It may raise; then nothing is kept and the exception goes to whoever asks. With
        `NobodyAsks` it says that it has begun nothing: an equal call that waited is run in its place.
        """
        try:
            wish = wish_of(request, self._digest)
        except BadKey as bad:
            return self._counted(Reply(outcome=Outcome.REFUSED, result=refusal(f"Nothing was done: {bad}")))
        terms = None if self.operations is None else terms
        if wish is None and terms is not None and terms.lasts:
            wish = lone_wish(self._digest, secrets.token_hex(16))
        if wish is None:
            return self._counted(await self._loose.run(run, terms))
        return self._counted(await self.once(wish, guard, run, terms))

    def here(self, operation: str) -> Running | None:
        """A call that this worker runs, by the name of its operation."""
        standing = ((running, running.standing) for running in self._running.values())
        return next((running for running, it in standing if it is not None and it.id == operation), None)

    def kept(self, wish: Wish, entry: Entry) -> Reply:
        """The answer that an ended entry holds, to somebody who asks for just that."""
        return self._elsewhere.kept(wish, entry, Outcome.JOINED)

    def held(self) -> int:
        """How many calls this worker runs under a lease."""
        return sum(running.is_begun for running in list(self._running.values()))

    def note_delivered(self, receipt: Receipt) -> None:
        """An answer arrived: an equal call from now on is a new wish. Stored in the background."""
        note = asyncio.create_task(self._note(receipt))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    async def aclose(self, *, within: float = 0.0) -> None:
        """Let running calls end for `within` seconds, then stop them; store what became of each."""
        self._is_closing = True
        if tasks := {running.task for running in self._running.values()} | self._loose.tasks:
            await asyncio.wait(tasks, timeout=within)
            for running in self._running.values():
                if running.is_begun:  # a claim under way is answered, and then let go again
                    running.task.cancel()
            self._loose.stop()
            await asyncio.wait(tasks)
        if self._notes:
            await asyncio.wait(self._notes)
        await settled()

    async def once(self, wish: Wish, guard: Guard, run: Run, terms: Terms | None = None) -> Reply:
        """Answer a call of a wish that is known."""
        while True:
            try:
                first = await self._begin(wish, guard, run, terms)
            except (StoreTooNew, StoreUnavailable) as gone:
                logger.warning("A call could not be claimed: %s", gone)
                if guard.without_store == "run":
                    return await self._loose.run(run, terms)
                return Reply(outcome=Outcome.REFUSED, result=refusal(NO_STORE.format(seconds=BACK_IN)))
            if first is None:
                return Reply(outcome=Outcome.REFUSED, result=refusal(ABANDONED))
            if isinstance(first, Reply):
                return first
            if first.verdict is not Verdict.IN_FLIGHT:
                return self._elsewhere.answer(wish, first)
            if (reply := await self._join(wish, first.entry, terms)) is not None:
                return reply

    async def _begin(self, wish: Wish, guard: Guard, run: Run, terms: Terms | None) -> Reply | Claimed | None:
        """Claim, and run if the claim is ours: in a task of its own, which goes on when the asker is gone.

        None: the asker was gone before the tool was begun, and the claim was let go.
        """
        holder = secrets.token_hex(16)
        claim = Claim(
            key=wish.key,
            fingerprint=wish.fingerprint,
            holder=holder,
            lease=self._policy.lease,
            window=guard.window if wish.is_named else guard.retry_window,
            grace=None if wish.is_named else self._policy.grace,
            takes_over=guard.takes_over,
        )
        task = asyncio.create_task(self._claim_and_run(claim, wish, guard, run))
        running = self._running[holder] = Running(task, terms, origin=ORIGIN.get())
        task.add_done_callback(lambda _: self._running.pop(holder, None))
        return await self._answer_of(running, terms, Outcome.RUNNING)

    async def _answer_of(self, running: Running, terms: Terms | None, outcome: Outcome) -> Reply | Claimed | None:
        """What a call of this worker came to, or what there is of it when somebody's terms want an answer.

        A read for which nobody waits any more, and that nobody can ask about later, is stopped.
        """
        if terms is None:
            return await asyncio.shield(running.task)
        running.waiting += 1
        try:
            await asyncio.wait({running.task}, timeout=terms.left())
        except asyncio.CancelledError:
            if running.waiting == 1 and running.is_idle:
                running.drop()
            raise
        finally:
            running.waiting -= 1
        while running.standing is None and not running.task.done():  # a claim is under way: it takes a moment, or fails
            await asyncio.wait({running.task}, timeout=_A_MOMENT)
        if running.task.done() or running.standing is None:
            return await asyncio.shield(running.task)
        return await self._unfinished(running, running.standing, terms, outcome)

    async def _unfinished(self, running: Running, standing: Standing, terms: Terms, outcome: Outcome) -> Reply:
        if terms.is_read and not standing.is_handed_out and self._is_crowded():
            running.drop()
            return Reply(outcome=Outcome.REFUSED, result=refusal(TOO_MANY.format(seconds=BACK_IN)))
        return standing_reply(await standing.hand_out(), terms, outcome)

    def _is_crowded(self) -> bool:
        calls = [each for each in self._running.values() if each.terms is not None and each.terms.is_read]
        return sum(1 for each in calls if each.standing and each.standing.is_handed_out) >= self._policy.at_once

    async def _claim_and_run(self, claim: Claim, wish: Wish, guard: Guard, run: Run) -> Reply | Claimed | None:
        claimed = await self._claim(claim)
        if claimed.verdict not in {Verdict.CLAIMED, Verdict.TAKEN_OVER}:
            return claimed
        entry, task = claimed.entry, asyncio.current_task()
        assert task is not None  # noqa: S101  # it was made one line above the await
        lease = self._policy.lease
        hold = Hold(self._store, entry, lease=lease, yields=guard.takes_over, stop=task.cancel, tally=self.leases)
        running = self._running[claim.holder]
        if self._is_closing or running.is_dropped:
            hold.rest()
            await hold.release()
            said = refusal(LEAVING.format(seconds=BACK_IN))
            return None if running.is_dropped else Reply(outcome=Outcome.REFUSED, result=said)
        running.is_begun, running.standing = True, self._standing(entry, wish, running.terms)
        ATTEMPT.set(Attempt(number=entry.attempt, key=self._outside_key(entry)))
        PIECES.set(Pieces(self._policy.most) if running.standing is None else running.standing.pieces)
        try:
            ended = await run()
        except asyncio.CancelledError:
            hold.rest()
            task.uncancel()
            if running.is_dropped:
                await hold.release()
                await running.end(refusal(STOPPED))
                return None
            if (reply := await self._let_go(hold, running)) is not None:
                return replace(reply, key_hash=hash_of(wish.key))
            ended = Ended(state=State.UNKNOWN, result=refusal(STOPPED))
        except NobodyAsks:
            hold.rest()
            await hold.release()
            return None
        except BaseException:
            hold.rest()
            await hold.release()
            await running.end(refusal(NO_OUTCOME))
            raise
        hold.rest()
        reply = await self._settle(hold, entry, ended, claim.window, wish)
        await running.end(reply.result)
        return reply

    async def _let_go(self, hold: Hold, running: Running) -> Reply | None:
        """The answer to a call that was stopped and whose outcome is not for us to say; None if it is."""
        standing, terms = running.standing, running.terms
        if hold.is_lost:
            await running.end(None)
            return Reply(outcome=Outcome.UNKNOWN, result=refusal(LOST))
        if standing is None or terms is None or not (hold.yields and (terms.lasts or standing.is_handed_out)):
            return None
        now = await standing.hand_out()  # whoever continues it begins it again
        await running.end(None)
        await hold.lapse()
        return standing_reply(now, terms, Outcome.RUNNING)

    def _standing(self, entry: Entry, wish: Wish, terms: Terms | None) -> Standing | None:
        if terms is None or self.operations is None:
            return None
        operation = self.operations.of(entry, wish, tool=terms.tool, scope=terms.scope, arguments=terms.arguments)
        standing = Standing(self.operations, operation, Pieces(self._policy.most), checkpoint=self._policy.checkpoint)
        if terms.lasts:
            standing.keep_up()
        return standing

    async def _claim(self, claim: Claim) -> Claimed:
        """A claim whose answer was lost is sent again as it was, once; the store gives the same answer."""
        try:
            return await self._store.claim(claim)
        except StoreUnavailable:
            await asyncio.sleep(_BEFORE_A_SECOND_CLAIM)
        try:
            return await self._store.claim(claim)
        except StoreUnavailable:
            until_stored(lambda: self._undo(claim))
            raise

    async def _undo(self, claim: Claim) -> bool:
        """A claim that nobody heard of may stand: let it go, or a retry would wait for a call that was never begun."""
        entry = await self._store.look(claim.key)
        if entry is None or entry.holder != claim.holder or entry.state is not State.RUNNING:
            return True
        return await self._store.release(claim.key, epoch=entry.epoch, holder=claim.holder)

    async def _settle(self, hold: Hold, entry: Entry, ended: Ended, window: float, wish: Wish) -> Reply:
        taken_over = entry.attempt > 1
        outcome = Outcome.TAKEOVER if taken_over else Outcome.EXECUTED
        result = marked(ended.result, outcome, entry) if taken_over else ended.result
        if ended.state is None:
            await hold.release()
            return Reply(outcome=outcome, result=result, key_hash=hash_of(wish.key))
        if ended.state is State.UNKNOWN:
            outcome = Outcome.UNKNOWN
        packed = self._keeping.pack(entry.key, ended.result, origin=ORIGIN.get())
        became = await hold.settle(ended.state, packed, window)
        if became is Settled.NOT_YET and outcome is not Outcome.UNKNOWN:
            # Who may be taken over may be run again once the lease is over: that would be a second answer to one wish.
            outcome = Outcome.UNKNOWN if hold.yields else Outcome.UNSTORED
            result = marked(refusal(UNRECORDED) if hold.yields else ended.result, outcome, entry)
        if became is not Settled.TAKEN:
            return Reply(
                outcome=outcome, result=result, receipt=receipt_of(wish, entry.epoch), key_hash=hash_of(wish.key)
            )
        logger.warning("A call ended after its lease was lost; its caller gets the answer that counts")
        counts = await self._elsewhere.join(wish, entry, None)
        return counts or Reply(outcome=Outcome.UNKNOWN, result=refusal(LOST), key_hash=hash_of(wish.key))

    async def _join(self, wish: Wish, entry: Entry, terms: Terms | None) -> Reply | None:
        """The answer of the call that is in flight. None: nobody runs it any more, so it must be claimed again."""
        if entry.fingerprint != wish.fingerprint:
            return self._elsewhere.answer(wish, Claimed(verdict=Verdict.MISMATCH, entry=entry))
        here = self._running.get(entry.holder)
        if here is not None and here.task is not asyncio.current_task():
            reply = await self._answer_of(here, terms, Outcome.JOINED)
            if reply is None:
                return None
            if isinstance(reply, Reply):
                is_said = reply.outcome in {Outcome.UNSTORED, Outcome.UNKNOWN}
                outcome = reply.outcome if is_said else Outcome.JOINED
                return Reply(
                    outcome=outcome,
                    result=marked(reply.result, outcome, entry),
                    receipt=reply.receipt,
                    key_hash=reply.key_hash,
                    origin=here.origin,
                )
        return await self._elsewhere.join(wish, entry, terms)

    def _outside_key(self, entry: Entry) -> str:
        """The same for all attempts at this wish, and for no other wish under the same key."""
        return self._digest("outside", entry.key, f"{entry.begun_at:.3f}")

    def _counted(self, reply: Reply) -> Reply:
        self.outcomes[reply.outcome] += 1
        return reply

    async def _note(self, receipt: Receipt) -> None:
        try:
            await self._store.delivered(receipt.key, epoch=receipt.epoch)
        except StoreUnavailable as gone:
            logger.warning("It could not be noted that an answer arrived; a repeat may get it again: %s", gone)
