"""What becomes of a call: the table of the port as functions of what is kept, what is asked and the time.

For stores that read, decide and write in this process, under a lock or in a transaction. Where it is kept, and what
makes the three steps one, is not known here.
"""

from dataclasses import dataclass, replace

from .port import Claim, Claimed, Entry, State, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A call as it is kept. Times are seconds since 1970; `expires_at` is when it is as good as absent."""

    key: str
    fingerprint: str
    state: State
    epoch: int
    holder: str
    attempt: int
    lease_until: float
    window: float
    begun_at: float
    ended_at: float | None
    delivered: bool
    result: bytes | None
    expires_at: float


def entry(kept: Kept, now: float) -> Entry:
    """What a caller is shown."""
    return Entry(
        key=kept.key,
        fingerprint=kept.fingerprint,
        state=kept.state,
        epoch=kept.epoch,
        holder=kept.holder,
        attempt=kept.attempt,
        lease_left=kept.lease_until - now,
        begun_at=kept.begun_at,
        ended_at=kept.ended_at,
        delivered=kept.delivered,
        result=kept.result,
    )


def claimed(kept: Kept | None, claim: Claim, now: float) -> tuple[Verdict, Kept]:
    """The verdict, and the call as it is from now on: the very object that was given when nothing changes."""
    if kept is None or kept.expires_at <= now:
        return Verdict.CLAIMED, _begun(claim, now, epoch=1)
    if kept.fingerprint != claim.fingerprint:
        return Verdict.MISMATCH, kept
    if kept.state is State.RUNNING:
        return _claimed_while_running(kept, claim, now)
    if claim.grace is not None and kept.delivered and now - (kept.ended_at or now) > claim.grace:
        return Verdict.CLAIMED, _begun(claim, now, epoch=kept.epoch + 1)
    return Verdict.ENDED, kept


def _claimed_while_running(kept: Kept, claim: Claim, now: float) -> tuple[Verdict, Kept]:
    if kept.holder == claim.holder:
        return Verdict.CLAIMED if kept.attempt == 1 else Verdict.TAKEN_OVER, kept
    if kept.lease_until > now:
        return Verdict.IN_FLIGHT, kept
    if claim.takes_over:
        taken = _begun(claim, now, epoch=kept.epoch + 1)
        return Verdict.TAKEN_OVER, replace(taken, attempt=kept.attempt + 1, begun_at=kept.begun_at)
    return Verdict.ENDED, _ended(kept, State.UNKNOWN, None, claim.window, now)


def _begun(claim: Claim, now: float, *, epoch: int) -> Kept:
    return Kept(
        key=claim.key,
        fingerprint=claim.fingerprint,
        state=State.RUNNING,
        epoch=epoch,
        holder=claim.holder,
        attempt=1,
        lease_until=now + claim.lease,
        window=claim.window,
        begun_at=now,
        ended_at=None,
        delivered=False,
        result=None,
        expires_at=now + claim.lease + claim.window,
    )


def _ended(kept: Kept, state: State, result: bytes | None, window: float, now: float) -> Kept:
    return replace(
        kept, state=state, result=result, window=window, ended_at=now, delivered=False, expires_at=now + window
    )


def held(kept: Kept | None, epoch: int, holder: str, now: float) -> Kept | None:
    """The call, if it is there and this holder's."""
    if kept is None or kept.expires_at <= now or (kept.epoch, kept.holder) != (epoch, holder):
        return None
    return kept


def completed(mine: Kept, state: State, result: bytes | None, window: float, now: float) -> Kept | None:
    """The holder's call as it is from now on: the object that was given when nothing changes. None: refused."""
    if mine.state is state:
        return mine
    if mine.state in {State.RUNNING, State.UNKNOWN}:
        return _ended(mine, state, result, window, now)
    return None


def renewed(mine: Kept, lease: float, now: float) -> Kept | None:
    """The holder's call with a lease from now on. None: it has ended."""
    if mine.state is not State.RUNNING:
        return None
    return replace(mine, lease_until=now + lease, expires_at=now + lease + mine.window)


def can_be_released(mine: Kept) -> bool:
    """Only what is running."""
    return mine.state is State.RUNNING


def delivered(kept: Kept | None, epoch: int, now: float) -> Kept | None:
    """The call as one whose answer reached a caller. None: it has not ended, or it is of another epoch."""
    if kept is None or kept.expires_at <= now or kept.epoch != epoch or kept.state is State.RUNNING:
        return None
    return kept if kept.delivered else replace(kept, delivered=True)


def answered(verdict: Verdict, kept: Kept, now: float) -> Claimed:
    """The answer to a claim."""
    return Claimed(verdict=verdict, entry=entry(kept, now))


def require_end(state: State) -> None:
    """Refuse to complete a call as running.

    Raises:
        ValueError: It is no end.
    """
    if state is State.RUNNING:
        raise ValueError("a call is completed as done, failed or unknown, not as running: renew it instead")
