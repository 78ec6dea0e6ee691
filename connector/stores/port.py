"""What every store guarantees. The desk and the lock rely on these sentences and on nothing else of a store.

A store keeps two things: *calls* (who runs which call, and what came of it) and *records* (small named values with an
expiry, for OAuth and for shapes). It never sees an argument, a name of a person or a token: keys arrive as digests, and
results arrive sealed or in clear as the connector was told to keep them. It knows no policy: what a verdict means for a
tool is decided at the desk.

Guarantees, which `connector.stores.conformance` checks on any store:

1. *One statement.* `claim` decides and writes in one atomic step. Of any number of claims of one key at the same time,
   from any number of processes, exactly one becomes the holder.
2. *The store's clock.* Leases, windows, grace and expiry are counted on the clock of the store, never on a caller's.
3. *Fencing.* Only who holds a call by both `epoch` and `holder` can renew, complete or release it. A holder whose lease
   has run out and that was taken over changes nothing any more. While nobody has taken over, a late completion counts,
   also for a call whose outcome has meanwhile become unknown: knowing is better.
4. *Repeatable.* A claim, completion or renewal whose answer was lost can be sent again as it was: the same holder gets
   the same answer, and nothing happens twice. Records have no holder, so it is otherwise for them: an unconditional
   `put` can be sent again and writes the same once more; a conditional one answers None if the first has arrived, and
   who must know puts something of its own into the value and reads it. (Were it answered as before, two callers that
   write the same mark would both believe they were first.) A `take` whose answer was lost may have taken.
5. *Expiry.* What has expired is as good as absent, swept or not.
6. *Acknowledged is kept.* What was answered survives a crash of the caller; what a crash of the store itself or of the
   machine may lose is said by each store in its docstring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Protocol, Self


class State(Enum):
    """What is known of a call that was claimed."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It was begun, and nobody can say whether it had its effect."""


class Verdict(Enum):
    """What a claim came to."""

    CLAIMED = "claimed"
    """Nobody had it, or what there was is over: run it."""
    TAKEN_OVER = "taken over"
    """Its holder is lost, and the caller asked to take over: run it, knowing that it may have run in part."""
    IN_FLIGHT = "in flight"
    """Somebody holds it, and the lease is alive."""
    ENDED = "ended"
    """It is done, failed or unknown; the entry says which, and carries the result."""
    MISMATCH = "mismatch"
    """The key belongs to a call with another fingerprint. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The wish to run a call.

    `key` and `fingerprint` are opaque, 1 to 128 characters of ASCII. `holder` is new for every arrival of a call,
    unguessable, at most 64 characters of ASCII. `lease` and `window` are seconds: how long the holder has until it must
    renew, and how long the outcome is kept after the end. `grace` is None where a key says by itself that two calls are
    one wish; else the seconds after the end during which an equal call still counts as the same wish although the
    answer was delivered. `takes_over` says what a dead lease means: True takes the call over, False makes its outcome
    unknown.

    A running call whose holder is lost, and which nobody asks for, expires `window` seconds after its lease.
    """

    key: str
    fingerprint: str
    holder: str
    lease: float
    window: float
    grace: float | None = None
    takes_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A call as the store has it. Times are seconds since 1970 on the store's clock.

    `epoch` is 1 or more, and grows with every claim of the key while the entry exists. `attempt` counts how often this
    one wish was begun: 1, and one more for each takeover. `begun_at` is when this wish was first begun: a takeover
    keeps it. `lease_left` is seconds, 0 or less when the lease has run out; it means something only while the call is
    running. `result` is what the holder stored; None while there is nothing.
    """

    key: str
    fingerprint: str
    state: State
    epoch: int
    holder: str
    attempt: int
    lease_left: float
    begun_at: float
    ended_at: float | None
    delivered: bool
    result: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The answer to a claim: the verdict, and the entry as it is now."""

    verdict: Verdict
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A named value.

    `version` is above 0. No two writes of one key get the same, not even when the record was deleted between them.
    """

    key: str
    value: bytes
    version: int
    expires_at: float | None


class Calls(Protocol):
    """Who runs which call, and what came of it. Every method raises `StoreUnavailable` when the store cannot answer."""

    async def claim(self, claim: Claim) -> Claimed:
        """Decide, in one atomic step and on the store's clock:

        | the key has | answer | effect |
        |---|---|---|
        | nothing, or what is there has expired | CLAIMED | entry: running, attempt 1 |
        | an entry with another fingerprint | MISMATCH | none |
        | a running entry of this very holder | what that claim was answered before | none |
        | a running entry, lease alive | IN_FLIGHT | none |
        | a running entry, lease over, `takes_over` | TAKEN_OVER | epoch + 1, attempt + 1, new holder and lease |
        | a running entry, lease over, not `takes_over` | ENDED | state unknown, ended now, kept for `window` |
        | an ended entry that still stands for this wish | ENDED | none |
        | an ended entry that does not | CLAIMED | epoch + 1, attempt 1, running, not delivered, no result |

        An ended entry no longer stands for the wish when `grace` is given, the answer was delivered, and the end was
        more than `grace` seconds ago.
        """
        ...

    async def look(self, key: str) -> Entry | None:
        """The entry as it is now; None if there is none or it has expired.

        Changes nothing: a call whose lease has run out is still shown as running.
        """
        ...

    async def renew(self, key: str, *, epoch: int, holder: str, lease: float) -> bool:
        """Move the end of the lease to `lease` seconds from now. False: the call is not, or no longer, this holder's.

        A lease that has run out can be renewed as long as nobody took the call over or made it unknown: only what is
        running is renewed.
        """
        ...

    async def complete(
        self, key: str, *, epoch: int, holder: str, state: State, result: bytes | None, window: float
    ) -> bool:
        """End the call as `state`, and keep that for `window` seconds. False: it is not, or no longer, this holder's.

        `state` is done, failed or unknown. True again, without effect, for the same holder that has completed it in the
        same state before; False for one that now says another state. An unknown call can still be completed as done or
        failed by the holder that was lost: it ends now, and counts as not delivered, since what reached a caller before
        was that nobody knows.
        """
        ...

    async def release(self, key: str, *, epoch: int, holder: str) -> bool:
        """Forget the claim: nothing was begun, and the next claim is the first.

        False: it is not running, or not this holder's. After a takeover the attempt of the lost holder is forgotten
        too: release only what may be run from the start.
        """
        ...

    async def delivered(self, key: str, *, epoch: int) -> bool:
        """Note that the answer of this epoch reached a caller. False: there is no such ended entry."""
        ...


class Records(Protocol):
    """Small named values with an expiry. Every method raises `StoreUnavailable` when the store cannot answer.

    `kind` is a short constant of the caller (`[a-z-]{1,32}`). Keys are 1 to 512 characters and sort by code point; any
    character may be in them but U+0000 and lone surrogates, which not every database can hold.
    """

    async def get(self, kind: str, key: str) -> Record | None:
        """The record, or None if there is none or it has expired."""
        ...

    async def put(
        self, kind: str, key: str, value: bytes, *, expires_in: float | None = None, version: int | None = None
    ) -> int | None:
        """Write, and return the record's new version.

        `version` makes it conditional: 0 writes only if there is no (unexpired) record, another number only if the
        record still has that version. None is the answer when the condition does not hold; nothing was written then.
        `expires_in` is seconds from now, None keeps the record until it is deleted, whatever was there before.
        """
        ...

    async def take(self, kind: str, key: str) -> Record | None:
        """Delete the record and return it. Of several callers at once exactly one gets it."""
        ...

    async def page(self, kind: str, *, prefix: str = "", after: str = "", limit: int = 100) -> Sequence[Record]:
        """Up to `limit` unexpired records whose key begins with `prefix` and is greater than `after`, by key."""
        ...


class Store(Calls, Records, Protocol):
    """A store. Connections are opened by the first use and again after a failure; `aclose` ends them."""

    async def check(self) -> None:
        """Reach the store and bring its schema up to date.

        Raises:
            StoreUnavailable: It cannot be reached now. It may be later.
            StoreTooNew: Its schema was written by a newer version of this library. Nothing was changed.
        """
        ...

    async def sweep(self, *, limit: int = 1000) -> int:
        """Delete up to `limit` expired calls and as many records; how many were deleted.

        0 means that nothing expired is left, or that the store itself deletes what has expired.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection. The store can be used again afterwards."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None: ...
