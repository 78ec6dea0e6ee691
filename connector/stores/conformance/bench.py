"""What a check is given, and the few words the checks are written in.

It knows the port and nothing of any store. No check sleeps and hopes: what needs time is polled until the store itself
says that it has happened, on the store's clock.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ..port import Claim, Claimed, Entry, Store, Verdict

SHORT = 0.05
"""Seconds of a lease, a window or an expiry that a check waits for: above a round trip, below anybody's patience."""
LONG = 600.0
"""Seconds of what must not run out during a check, on the slowest machine."""
PATIENCE = 20.0
"""Seconds after which what has not happened counts as never happening."""
CROWD = 16
"""How many callers race: more than a pool of connections usually holds."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a check works on.

    `store` is empty and fresh. `again()` gives a second client of the same data, as another process would have it: with
    connections of its own, where the store has any. Whoever makes the bench closes both.
    """

    store: Store
    again: Callable[[], Store]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One guarantee. Awaiting the call raises `AssertionError` with a sentence that names what was broken."""

    name: str
    run: Callable[[Bench], Awaitable[None]]

    async def __call__(self, bench: Bench) -> None:
        """Run it on an empty store."""
        await self.run(bench)


def checks(*runs: Callable[[Bench], Awaitable[None]]) -> tuple[Check, ...]:
    """A check for each function, named as it is."""
    return tuple(Check(name=getattr(run, "__name__", repr(run)), run=run) for run in runs)


def expect(holds: bool, guarantee: str, *seen: object) -> None:
    """Raise with the guarantee, and with what was seen instead, unless it holds."""
    if not holds:
        raise AssertionError(f"{guarantee} Seen: {', '.join(map(repr, seen)) or 'the opposite'}.")


def wish(
    holder: str = "first",
    *,
    key: str = "key",
    fingerprint: str = "print",
    lease: float = LONG,
    window: float = LONG,
    grace: float | None = None,
    takes_over: bool = False,
) -> Claim:
    """A claim whose lease and window outlast the check, unless they are given."""
    return Claim(
        key=key, fingerprint=fingerprint, holder=holder, lease=lease, window=window, grace=grace, takes_over=takes_over
    )


async def begun(store: Store, claim: Claim) -> Entry:
    """The entry of a claim that must be granted."""
    claimed = await store.claim(claim)
    expect(claimed.verdict in {Verdict.CLAIMED, Verdict.TAKEN_OVER}, "What nothing forbids is granted.", claimed)
    return claimed.entry


async def eventually(asked: Callable[[], Awaitable[T]], good: Callable[[T], bool], guarantee: str) -> T:
    """Ask again and again until the answer is good."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not good(answer := await asked()):  # noqa: ASYNC110  # what is awaited happens in another process
                await asyncio.sleep(SHORT / 10)
    except TimeoutError:
        raise AssertionError(f"{guarantee} It did not within {PATIENCE:g} s.") from None
    return answer


async def abandoned(store: Store, claim: Claim | None = None) -> Entry:
    """The entry of a claim whose lease has run out."""
    entry = await begun(store, claim or wish(lease=SHORT))
    over = await eventually(
        lambda: store.look(entry.key),
        lambda seen: seen is None or seen.lease_left <= 0,
        "A lease runs out on the store's clock.",
    )
    if over is None:
        raise AssertionError("A running call outlives its lease by its window. Seen: no entry.")
    return over


async def gone(store: Store, key: str = "key") -> None:
    """Wait until the store has no such call."""
    await eventually(lambda: store.look(key), lambda seen: seen is None, "A call expires after its window.")


async def at_once(asked: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """All of them at the same time."""
    return list(await asyncio.gather(*(one() for one in asked)))


def still(entry: Entry | None) -> Entry | None:
    """The entry without what passes by itself, to compare two looks at it."""
    return entry and replace(entry, lease_left=0)


def verdicts(answers: Sequence[Claimed]) -> list[Verdict]:
    """What the claims came to."""
    return [answer.verdict for answer in answers]
