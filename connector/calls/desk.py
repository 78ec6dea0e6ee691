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
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Final

from ..errors import StoreTooNew, StoreUnavailable
from ..guard import Guard
from ..stores.port import Claim, Claimed, Entry, State, Store, Verdict
from .holding import Hold, Renewal, Settled, settled, until_stored
from .keeping import Keeping
from .keys import BadKey, Digest, Request, Wish, wish_of
from .outcome import (
    ABANDONED,
    AGAIN_IMPLIED,
    AGAIN_NAMED,
    CUT_OFF,
    ELSEWHERE,
    LEAVING,
    LOST,
    MISMATCH,
    NO_STORE,
    REPLAY_NOTE,
    STOPPED,
    UNRECORDED,
    Ended,
    Outcome,
    Receipt,
    Reply,
    hash_of,
    marked,
    refusal,
    when,
)

logger = logging.getLogger("ballast.calls")

BACK_IN: Final = 5
"""Seconds after which a caller is told to ask again."""

_FIRST_LOOK, _LONGEST_LOOK = 0.02, 0.5
"""Seconds between looks at a call that another worker runs: soon for short ones, and two a second for long ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a tool may know of its own run. `key` is the same for every attempt at one wish, and for nothing else.

    `number` counts attempts; above 1, an earlier one was cut off.
    """

    number: int
    key: str


ATTEMPT: Final[ContextVar[Attempt | None]] = ContextVar("ballast_attempt", default=None)

ORIGIN: Final[ContextVar[str | None]] = ContextVar("ballast_origin", default=None)
"""How whoever is answered from somebody else's call may name that call. Opaque here; set by who hands a call over."""

Run = Callable[[], Awaitable[Ended]]


class NobodyAsks(Exception):
    """Raised by a `Run` before it has begun anything: whoever asked has left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPolicy:
    """Seconds: how long a claim holds without renewal; for how long after its end an equal call still is the same wish
    though the answer arrived; how long a call waits for an equal one.
    """

    lease: float
    grace: float
    join: float


@dataclass(slots=True)
class _Running:
    """A call that this worker runs. `task` gives its reply."""

    task: "asyncio.Task[Reply | Claimed | None]"
    is_begun: bool = False
    origin: str | None = None


class Desk:
    """Runs the calls of one connector that are guarded."""

    def __init__(self, store: Store, policy: DeskPolicy, keeping: Keeping, digest: Digest) -> None:
        self._store, self._policy, self._keeping, self._digest = store, policy, keeping, digest
        self._running: dict[str, _Running] = {}
        self._notes: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self.outcomes: Counter[Outcome] = Counter()
        self.leases: Counter[Renewal] = Counter()

    async def call(self, request: Request, guard: Guard, run: Run) -> Reply:
        """Answer a call: by running it, or by what an equal one came to.

        `run` is called at most once. It may raise; then nothing is kept and the exception goes to whoever asks. With
        `NobodyAsks` it says that it has begun nothing: an equal call that waited is run in its place.
        """
        try:
            wish = wish_of(request, self._digest)
        except BadKey as bad:
            return self._counted(Reply(outcome=Outcome.REFUSED, result=refusal(f"Nothing was done: {bad}")))
        if wish is None:
            return self._counted(await _unguarded(run))
        return self._counted(await self._once(wish, guard, run))

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
        if tasks := {running.task for running in self._running.values()}:
            await asyncio.wait(tasks, timeout=within)
            for running in self._running.values():
                if running.is_begun:  # a claim under way is answered, and then let go again
                    running.task.cancel()
            await asyncio.wait(tasks)
        if self._notes:
            await asyncio.wait(self._notes)
        await settled()

    async def _once(self, wish: Wish, guard: Guard, run: Run) -> Reply:
        give_up = monotonic() + self._policy.join
        while True:
            try:
                first = await self._begin(wish, guard, run)
            except (StoreTooNew, StoreUnavailable) as gone:
                logger.warning("A call could not be claimed: %s", gone)
                if guard.without_store == "run":
                    return await _unguarded(run)
                return Reply(outcome=Outcome.REFUSED, result=refusal(NO_STORE.format(seconds=BACK_IN)))
            if first is None:
                return Reply(outcome=Outcome.REFUSED, result=refusal(ABANDONED))
            if isinstance(first, Reply):
                return first
            if first.verdict is not Verdict.IN_FLIGHT:
                return self._without_running(wish, first)
            if (reply := await self._join(wish, first.entry, give_up)) is not None:
                return reply

    async def _begin(self, wish: Wish, guard: Guard, run: Run) -> Reply | Claimed | None:
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
        self._running[holder] = _Running(task, origin=ORIGIN.get())
        task.add_done_callback(lambda _: self._running.pop(holder, None))
        return await asyncio.shield(task)

    async def _claim_and_run(self, claim: Claim, wish: Wish, guard: Guard, run: Run) -> Reply | Claimed | None:
        claimed = await self._claim(claim)
        if claimed.verdict not in {Verdict.CLAIMED, Verdict.TAKEN_OVER}:
            return claimed
        entry, task = claimed.entry, asyncio.current_task()
        assert task is not None  # noqa: S101  # it was made one line above the await
        lease = self._policy.lease
        hold = Hold(self._store, entry, lease=lease, yields=guard.takes_over, stop=task.cancel, tally=self.leases)
        if self._is_closing:
            hold.rest()
            await hold.release()
            return Reply(outcome=Outcome.REFUSED, result=refusal(LEAVING.format(seconds=BACK_IN)))
        self._running[claim.holder].is_begun = True
        ATTEMPT.set(Attempt(number=entry.attempt, key=self._outside_key(entry)))
        try:
            ended = await run()
        except asyncio.CancelledError:
            hold.rest()
            task.uncancel()
            if hold.is_lost:
                return Reply(outcome=Outcome.UNKNOWN, result=refusal(LOST), key_hash=hash_of(wish.key))
            ended = Ended(state=State.UNKNOWN, result=refusal(STOPPED))
        except NobodyAsks:
            hold.rest()
            await hold.release()
            return None
        except BaseException:
            hold.rest()
            await hold.release()
            raise
        hold.rest()
        return await self._settle(hold, entry, ended, claim.window, wish)

    async def _claim(self, claim: Claim) -> Claimed:
        """A claim whose answer was lost is sent again as it was, once; the store gives the same answer."""
        try:
            return await self._store.claim(claim)
        except StoreUnavailable:
            await asyncio.sleep(_LONGEST_LOOK)
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
                outcome=outcome, result=result, receipt=_receipt(wish, entry.epoch), key_hash=hash_of(wish.key)
            )
        logger.warning("A call ended after its lease was lost; its caller gets the answer that counts")
        counts = await self._join_elsewhere(wish, entry, monotonic() + self._policy.join)
        return counts or Reply(outcome=Outcome.UNKNOWN, result=refusal(LOST), key_hash=hash_of(wish.key))

    def _without_running(self, wish: Wish, claimed: Claimed) -> Reply:
        if claimed.verdict is Verdict.MISMATCH:
            return Reply(
                outcome=Outcome.MISMATCH,
                result=marked(refusal(MISMATCH), Outcome.MISMATCH, claimed.entry),
                key_hash=hash_of(wish.key),
            )
        return self._kept(wish, claimed.entry, Outcome.REPLAYED)

    async def _join(self, wish: Wish, entry: Entry, give_up: float) -> Reply | None:
        """The answer of the call that is in flight. None: nobody runs it any more, so it must be claimed again."""
        if entry.fingerprint != wish.fingerprint:
            return self._without_running(wish, Claimed(verdict=Verdict.MISMATCH, entry=entry))
        here = self._running.get(entry.holder)
        if here is not None and here.task is not asyncio.current_task():
            reply = await asyncio.shield(here.task)
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
        return await self._join_elsewhere(wish, entry, give_up)

    async def _join_elsewhere(self, wish: Wish, entry: Entry, give_up: float) -> Reply | None:
        pause, now = _FIRST_LOOK, await self._look(entry)
        while now is not None and now.state is State.RUNNING and now.lease_left > 0:
            if monotonic() > give_up:
                said = refusal(ELSEWHERE.format(seconds=BACK_IN))
                return Reply(outcome=Outcome.JOINED, result=marked(said, Outcome.JOINED, entry))
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, _LONGEST_LOOK)
            now = await self._look(now)
        if now is None or now.state is State.RUNNING:
            return None
        return self._kept(wish, now, Outcome.JOINED)

    async def _look(self, last: Entry) -> Entry | None:
        try:
            return await self._store.look(last.key)
        except StoreUnavailable:
            return last

    def _kept(self, wish: Wish, entry: Entry, outcome: Outcome) -> Reply:
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
            receipt=_receipt(wish, entry.epoch),
            key_hash=hash_of(wish.key),
            origin=self._keeping.origin_of(entry),
        )

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


async def _unguarded(run: Run) -> Reply:
    return Reply(outcome=Outcome.BYPASSED, result=(await run()).result)


def _receipt(wish: Wish, epoch: int) -> Receipt | None:
    """Under a name the answer stands for as long as it is kept, so nobody needs to know whether it arrived."""
    return None if wish.is_named else Receipt(key=wish.key, epoch=epoch)
