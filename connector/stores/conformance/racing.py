"""What many callers do to one key at the same moment, from two clients of the same data."""

import asyncio
from functools import partial

from ..port import Claimed, State, Store, Verdict
from .bench import CROWD, LONG, SHORT, Bench, abandoned, at_once, begun, checks, eventually, expect, verdicts, wish

ROUNDS = 5
"""How often a race is run: a window between reading and writing is not always hit at once."""


async def _claims(
    bench: Bench, crowd: int = 0, *, grace: float | None = None, takes_over: bool = False
) -> list[Claimed]:
    """A crowd of claims of the key, half of them by a second client. Each crowd has holders of its own."""
    stores = (bench.store, bench.again())
    wishes = [wish(f"claimant-{crowd}-{number}", grace=grace, takes_over=takes_over) for number in range(CROWD)]
    return await at_once([partial(stores[number % 2].claim, claim) for number, claim in enumerate(wishes)])


async def _start_over(store: Store) -> None:
    """Forget the key, so that the next race begins with nothing."""
    entry = await store.look("key")
    if entry is not None:
        await store.release("key", epoch=entry.epoch, holder=entry.holder)


async def of_many_first_claims_one_is_granted(bench: Bench) -> None:
    """Guarantee 1, row 1."""
    for _ in range(ROUNDS):
        answers = await _claims(bench)
        seen = verdicts(answers)
        expect(seen.count(Verdict.CLAIMED) == 1, "Of many first claims exactly one is CLAIMED.", *seen)
        expect(seen.count(Verdict.IN_FLIGHT) == CROWD - 1, "All others are IN_FLIGHT.", *seen)
        expect(len({answer.entry.holder for answer in answers}) == 1, "And are shown the same holder.", *answers)
        await _start_over(bench.store)


async def of_many_takeovers_one_is_granted(bench: Bench) -> None:
    """Guarantee 1, row 5."""
    lost = await abandoned(bench.store)
    for number in range(ROUNDS):
        answers = await _claims(bench, number, takes_over=True)
        seen = verdicts(answers)
        expect(seen.count(Verdict.TAKEN_OVER) == 1, "Of many takeovers exactly one is granted.", *seen)
        expect(seen.count(Verdict.IN_FLIGHT) == CROWD - 1, "All others find it in flight.", *seen)
        heir = answers[0].entry
        expect(heir.epoch == lost.epoch + number + 1, "Many takeovers at once add 1 to the epoch.", lost, heir)
        await bench.store.renew("key", epoch=heir.epoch, holder=heir.holder, lease=SHORT)
        await eventually(
            lambda: bench.store.look("key"),
            lambda entry: entry is not None and entry.lease_left <= 0,
            "A renewed lease runs out.",
        )


async def many_who_find_a_lost_call_agree_on_it(bench: Bench) -> None:
    """Guarantee 1, row 6: it becomes unknown once."""
    await abandoned(bench.store)
    answers = await _claims(bench)
    expect(set(verdicts(answers)) == {Verdict.ENDED}, "For all of them the lost call has ENDED.", *verdicts(answers))
    ends = {(answer.entry.state, answer.entry.ended_at) for answer in answers}
    expect(len(ends) == 1, "They all are told the same end.", *ends)


async def of_many_new_wishes_one_is_granted(bench: Bench) -> None:
    """Guarantee 1, row 8."""
    entry = await begun(bench.store, wish())
    await bench.store.complete("key", epoch=entry.epoch, holder="first", state=State.DONE, result=b"1", window=LONG)
    await bench.store.delivered("key", epoch=entry.epoch)
    clock = await bench.store.claim(wish("clock", key="clock", lease=SHORT))
    await eventually(
        lambda: bench.store.look("clock"),
        lambda seen: seen is not None and seen.lease_left < -SHORT,
        "A lease that is over goes on counting below 0.",
    )
    seen = verdicts(await _claims(bench, grace=SHORT))
    expect(seen.count(Verdict.CLAIMED) == 1, "Of many new wishes exactly one is CLAIMED.", clock, *seen)
    expect(seen.count(Verdict.IN_FLIGHT) == CROWD - 1, "All others find it in flight.", *seen)


async def one_holder_that_repeats_itself_at_once_is_granted_each_time(bench: Bench) -> None:
    """Guarantees 1 and 4: a resend may overtake what it repeats."""
    stores = (bench.store, bench.again())
    answers = await at_once([partial(store.claim, wish()) for store in stores * (CROWD // 2)])
    expect(set(verdicts(answers)) == {Verdict.CLAIMED}, "The same holder is CLAIMED each time.", *verdicts(answers))
    expect({answer.entry.epoch for answer in answers} == {1}, "And it is one claim.", *answers)


async def a_completion_and_a_takeover_at_once_agree(bench: Bench) -> None:
    """Guarantee 3: one of them is first, and the other is told so."""
    other = bench.again()
    for number in range(ROUNDS * 2):
        lost = await abandoned(bench.store, wish("lost", key=f"key-{number}", lease=SHORT / 10))
        completing = bench.store.complete(
            lost.key, epoch=lost.epoch, holder="lost", state=State.DONE, result=b"lost", window=LONG
        )
        claiming = other.claim(wish("heir", key=lost.key, takes_over=True))
        if number % 2:
            completed, claimed = await asyncio.gather(completing, claiming)
        else:
            claimed, completed = await asyncio.gather(claiming, completing)
        replayed = claimed.verdict is Verdict.ENDED and claimed.entry.result == b"lost"
        taken = claimed.verdict is Verdict.TAKEN_OVER and claimed.entry.result is None
        expect(
            replayed if completed else taken,
            "Either the late completion counts and is replayed, or the call is taken over and the completion is False.",
            completed,
            claimed,
        )


async def different_keys_at_once_are_all_granted(bench: Bench) -> None:
    """A crowd of different calls is no race."""
    stores = (bench.store, bench.again())
    wishes = [wish(f"holder-{number}", key=f"key-{number}") for number in range(CROWD * 4)]
    answers = await at_once([partial(stores[number % 2].claim, claim) for number, claim in enumerate(wishes)])
    expect(set(verdicts(answers)) == {Verdict.CLAIMED}, "Different keys are all CLAIMED.", *verdicts(answers))
    keys = [answer.entry.key for answer in answers]
    expect(keys == [f"key-{number}" for number in range(CROWD * 4)], "Each is told of its own key.", *keys)


async def of_many_who_write_what_is_not_there_one_does(bench: Bench) -> None:
    """`Records.put` with version 0, all with the same value: it is what marks something as used once."""
    stores = (bench.store, bench.again())
    for number in range(ROUNDS):
        written = await at_once(
            [partial(store.put, "marks", f"used-{number}", b"used", version=0) for store in stores * (CROWD // 2)]
        )
        expect(sum(version is not None for version in written) == 1, "Exactly one writes what is not there.", *written)


async def no_conditional_write_is_lost(bench: Bench) -> None:
    """Clients that count in one record, each from the version it has read, lose no step."""
    stores = (bench.store, bench.again())
    await bench.store.put("counts", "steps", b"0")
    tries = await at_once([partial(_counted, store, "steps") for store in stores * (CROWD // 2)])
    record = await bench.store.get("counts", "steps")
    expect(record is not None and record.value == str(CROWD).encode(), "No conditional write is lost.", record, tries)


async def _counted(store: Store, key: str) -> int:
    """Add 1 to the record, however often others come first; how many tries it took."""
    for tries in range(1, CROWD * 20):
        record = await store.get("counts", key)
        if record is None:
            raise AssertionError("A record that nobody takes stays there. Seen: None.")
        if await store.put("counts", key, str(int(record.value) + 1).encode(), version=record.version) is not None:
            return tries
    raise AssertionError("Of those who write at once, one always does. Seen: nobody did.")


async def of_many_who_take_one_gets_it(bench: Bench) -> None:
    """`Records.take`: an authorization code is used once."""
    stores = (bench.store, bench.again())
    for _ in range(ROUNDS):
        await bench.store.put("codes", "code", b"granted")
        taken = await at_once([partial(store.take, "codes", "code") for store in stores * (CROWD // 2)])
        got = [record for record in taken if record is not None]
        expect(len(got) == 1 and got[0].value == b"granted", "Of many takers exactly one gets the record.", *taken)


CHECKS = checks(
    of_many_first_claims_one_is_granted,
    of_many_takeovers_one_is_granted,
    many_who_find_a_lost_call_agree_on_it,
    of_many_new_wishes_one_is_granted,
    one_holder_that_repeats_itself_at_once_is_granted_each_time,
    a_completion_and_a_takeover_at_once_agree,
    different_keys_at_once_are_all_granted,
    of_many_who_write_what_is_not_there_one_does,
    no_conditional_write_is_lost,
    of_many_who_take_one_gets_it,
)
