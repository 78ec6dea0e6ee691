"""The table of `Calls.claim`, row by row, and what a look shows."""

from ..port import Entry, State, Verdict
from .bench import LONG, SHORT, Bench, abandoned, begun, checks, eventually, expect, gone, still, wish


async def a_key_nobody_has_is_claimed(bench: Bench) -> None:
    """Row 1."""
    claimed = await bench.store.claim(wish("first", lease=LONG))
    entry = claimed.entry
    expect(claimed.verdict is Verdict.CLAIMED, "A claim of a key that nobody has is CLAIMED.", claimed)
    expect((entry.key, entry.fingerprint, entry.holder) == ("key", "print", "first"), "An entry is its claim's.", entry)
    expect((entry.state, entry.attempt) == (State.RUNNING, 1), "A first claim runs as attempt 1.", entry)
    expect(entry.epoch >= 1, "An epoch is 1 or more.", entry)
    expect(0 < entry.lease_left <= LONG, "A lease is as long as was asked.", entry)
    expect(
        (entry.ended_at, entry.delivered, entry.result) == (None, False, None),
        "A call that has just begun has no end, no delivery and no result.",
        entry,
    )


async def another_fingerprint_is_refused_at_any_time(bench: Bench) -> None:
    """Row 2, while the call runs, when its lease is over, and when it has ended."""
    entry = await abandoned(bench.store)
    await _refused(bench, "a running call whose lease is over")
    await bench.store.renew("key", epoch=entry.epoch, holder="first", lease=LONG)
    await _refused(bench, "a running call")
    await bench.store.complete("key", epoch=entry.epoch, holder="first", state=State.DONE, result=b"1", window=LONG)
    await bench.store.delivered("key", epoch=entry.epoch)
    await _refused(bench, "a call that has ended")


async def _refused(bench: Bench, of: str) -> None:
    before = await bench.store.look("key")
    for takes_over in (False, True):
        claimed = await bench.store.claim(wish("other", fingerprint="changed", takes_over=takes_over, grace=0.0))
        expect(claimed.verdict is Verdict.MISMATCH, f"Another fingerprint for {of} is a MISMATCH.", claimed)
        expect(still(claimed.entry) == still(before), f"A MISMATCH shows {of} as it is.", claimed, before)
    expect(still(await bench.store.look("key")) == still(before), f"A MISMATCH leaves {of} alone.", before)


async def a_claim_sent_again_is_answered_as_before(bench: Bench) -> None:
    """Row 3 and guarantee 4: by the first holder, and by one that took over; the lease is not moved by it."""
    first = await abandoned(bench.store)
    again = await bench.store.claim(wish("first"))
    expect(again.verdict is Verdict.CLAIMED, "A claim sent again is CLAIMED again, even when its lease is over.", again)
    expect(again.entry.lease_left <= 0, "A claim sent again does not move its lease; renew does.", again)
    expect(still(again.entry) == still(first), "A claim sent again changes nothing.", again, first)
    taken = await begun(bench.store, wish("second", takes_over=True))
    repeated = await bench.again().claim(wish("second", takes_over=True))
    expect(repeated.verdict is Verdict.TAKEN_OVER, "A takeover sent again is TAKEN_OVER again.", repeated)
    expect(still(repeated.entry) == still(taken), "A takeover sent again changes nothing.", repeated, taken)


async def a_living_lease_is_in_flight(bench: Bench) -> None:
    """Row 4, from another client too, and whatever the claimant would do with a dead one."""
    first, other = await begun(bench.store, wish("first")), bench.again()
    for takes_over in (False, True):
        claimed = await other.claim(wish("second", takes_over=takes_over, grace=0.0))
        expect(claimed.verdict is Verdict.IN_FLIGHT, "While the lease lives, another claim is IN_FLIGHT.", claimed)
        expect(still(claimed.entry) == still(first), "IN_FLIGHT changes nothing and shows who holds it.", claimed)
        expect(claimed.entry.lease_left > 0, "IN_FLIGHT says how long the lease lives.", claimed)


async def a_lost_call_is_taken_over(bench: Bench) -> None:
    """Row 5."""
    first = await abandoned(bench.store)
    claimed = await bench.again().claim(wish("second", takes_over=True))
    entry = claimed.entry
    expect(claimed.verdict is Verdict.TAKEN_OVER, "A lost call is TAKEN_OVER by who asks to.", claimed)
    expect(entry.epoch == first.epoch + 1, "A takeover adds 1 to the epoch.", first, entry)
    expect((entry.attempt, entry.holder) == (2, "second"), "A takeover is the next attempt of a new holder.", entry)
    expect(entry.begun_at == first.begun_at, "A takeover keeps when the wish was first begun.", first, entry)
    expect(entry.lease_left > SHORT, "A takeover begins a lease of its own.", entry)
    expect(entry.state is State.RUNNING, "What was taken over runs.", entry)


async def each_takeover_is_one_more_attempt(bench: Bench) -> None:
    """`Entry.attempt`: one more for each takeover, and 1 for the next wish."""
    await abandoned(bench.store)
    second = await abandoned(bench.store, wish("second", lease=SHORT, takes_over=True))
    third = await begun(bench.store, wish("third", takes_over=True))
    expect([second.attempt, third.attempt] == [2, 3], "Each takeover is one more attempt.", second, third)
    await _delivered(bench, third)
    fourth = await eventually(
        lambda: bench.store.claim(wish("fourth", grace=SHORT)),
        lambda claimed: claimed.verdict is not Verdict.ENDED,
        "A delivered answer stands for its grace only.",
    )
    expect(fourth.entry.attempt == 1, "A new wish begins with attempt 1.", fourth)


async def a_lost_call_that_is_not_taken_over_becomes_unknown(bench: Bench) -> None:
    """Row 6."""
    first = await abandoned(bench.store)
    claimed = await bench.again().claim(wish("second"))
    entry = claimed.entry
    expect(claimed.verdict is Verdict.ENDED, "A lost call that nobody takes over has ENDED.", claimed)
    expect(entry.state is State.UNKNOWN, "What came of a lost call is unknown.", entry)
    expect((entry.epoch, entry.holder) == (first.epoch, "first"), "It is still the lost holder's.", entry)
    expect(entry.ended_at is not None and entry.result is None, "It ends now, without a result.", entry)
    expect(not entry.delivered, "That it is unknown was not told to anybody yet.", entry)
    later = await bench.store.claim(wish("third", takes_over=True))
    expect(later.verdict is Verdict.ENDED, "An unknown call is not taken over any more: it has ended.", later)
    expect(still(later.entry) == still(entry), "An unknown call stays as it is.", later, entry)


async def what_became_unknown_is_kept_for_the_window_of_who_asked(bench: Bench) -> None:
    """Row 6: kept for `window` of that claim, not of the lost one."""
    await abandoned(bench.store, wish("first", lease=SHORT, window=LONG))
    await bench.store.claim(wish("second", window=SHORT))
    await gone(bench.store)
    claimed = await bench.store.claim(wish("third"))
    expect(claimed.verdict is Verdict.CLAIMED, "After its window an unknown call is forgotten.", claimed)


async def what_has_ended_is_replayed(bench: Bench) -> None:
    """Row 7: in each state, with its result, delivered or not, for any holder, from any client."""
    other = bench.again()
    for state in (State.DONE, State.FAILED, State.UNKNOWN):
        entry = await begun(bench.store, wish("first", key=state.value))
        await bench.store.complete(
            entry.key, epoch=entry.epoch, holder="first", state=state, result=b"answer", window=LONG
        )
        for delivered in (False, True):
            claimed = await other.claim(wish("second", key=entry.key))
            expect(claimed.verdict is Verdict.ENDED, f"A {state.value} call is ENDED for the next claim.", claimed)
            expect(
                (claimed.entry.state, claimed.entry.result, claimed.entry.delivered) == (state, b"answer", delivered),
                "The next claim is given the state, the result, and whether it was delivered.",
                claimed,
            )
            await bench.store.delivered(entry.key, epoch=entry.epoch)


async def a_completed_call_is_still_bound_to_its_fingerprint(bench: Bench) -> None:
    """A completion that drops the fingerprint refuses every honest replay, and one that stops comparing, none.

    AWS Powertools 3.37.0 does the first on Redis; its own test asks only for the second.
    """
    entry = await begun(bench.store, wish("first", fingerprint="print"))
    await bench.store.complete("key", epoch=entry.epoch, holder="first", state=State.DONE, result=b"1", window=LONG)
    replayed = await bench.store.claim(wish("second", fingerprint="print"))
    expect(replayed.verdict is Verdict.ENDED, "A completed call is replayed for the same fingerprint.", replayed)
    expect(replayed.entry.fingerprint == "print", "A completed call keeps its fingerprint.", replayed)
    changed = await bench.store.claim(wish("third", fingerprint="changed"))
    expect(changed.verdict is Verdict.MISMATCH, "A completed call refuses another fingerprint.", changed)


async def grace_counts_only_after_delivery(bench: Bench) -> None:
    """Row 7: an answer that reached nobody stands for its wish until its window ends."""
    entry = await begun(bench.store, wish("first"))
    await bench.store.complete("key", epoch=entry.epoch, holder="first", state=State.DONE, result=b"1", window=LONG)
    claimed = await bench.store.claim(wish("second", grace=0.0))
    expect(claimed.verdict is Verdict.ENDED, "An undelivered answer is replayed after its grace too.", claimed)
    await bench.store.delivered("key", epoch=entry.epoch)
    claimed = await bench.store.claim(wish("third", grace=LONG))
    expect(claimed.verdict is Verdict.ENDED, "Within the grace a delivered answer is replayed.", claimed)
    claimed = await bench.store.claim(wish("fourth", grace=None))
    expect(claimed.verdict is Verdict.ENDED, "Without a grace the key alone says that it is one wish.", claimed)


async def after_its_grace_an_equal_call_is_a_new_wish(bench: Bench) -> None:
    """Row 8."""
    entry = await begun(bench.store, wish("first"))
    await _delivered(bench, entry)
    other = bench.again()
    claimed = await eventually(
        lambda: other.claim(wish("second", grace=SHORT)),
        lambda claimed: claimed.verdict is not Verdict.ENDED,
        "A delivered answer stands for its grace only.",
    )
    fresh = claimed.entry
    expect(claimed.verdict is Verdict.CLAIMED, "After the grace an equal call is CLAIMED.", claimed)
    expect(fresh.epoch == entry.epoch + 1, "A new wish adds 1 to the epoch.", entry, fresh)
    expect(fresh.begun_at > entry.begun_at, "A new wish begins after the grace of the last.", entry, fresh)
    expect((fresh.attempt, fresh.holder, fresh.state) == (1, "second", State.RUNNING), "It runs from the start.", fresh)
    expect(
        (fresh.delivered, fresh.result, fresh.ended_at) == (False, None, None),
        "Nothing of the wish before is left in a new one.",
        fresh,
    )


async def _delivered(bench: Bench, entry: Entry) -> None:
    await bench.store.complete(
        entry.key, epoch=entry.epoch, holder=entry.holder, state=State.DONE, result=b"1", window=LONG
    )
    await bench.store.delivered(entry.key, epoch=entry.epoch)


async def what_has_expired_is_claimed_as_if_it_had_never_been(bench: Bench) -> None:
    """Row 1 and guarantee 5, also with another fingerprint, and without a sweep."""
    entry = await begun(bench.store, wish("first"))
    await bench.store.complete("key", epoch=entry.epoch, holder="first", state=State.DONE, result=b"1", window=SHORT)
    await gone(bench.store)
    claimed = await bench.store.claim(wish("second", fingerprint="changed"))
    expect(claimed.verdict is Verdict.CLAIMED, "An expired key is free for any fingerprint.", claimed)
    expect((claimed.entry.attempt, claimed.entry.result) == (1, None), "Nothing of what expired is left.", claimed)


async def a_lost_call_nobody_asks_for_expires(bench: Bench) -> None:
    """`Claim`: `window` seconds after its lease; otherwise every crash would leave an entry for ever."""
    await begun(bench.store, wish("first", lease=SHORT, window=SHORT))
    await gone(bench.store)
    claimed = await bench.store.claim(wish("second", takes_over=True))
    expect(claimed.verdict is Verdict.CLAIMED, "A lost call is forgotten `window` after its lease.", claimed)


async def a_look_changes_nothing(bench: Bench) -> None:
    """`Calls.look`: it settles no lost call, and is the same from every client."""
    expect(await bench.store.look("nothing") is None, "A look at what is not there is None.")
    first = await abandoned(bench.store)
    expect(first.state is State.RUNNING, "A look shows a lost call as running.", first)
    seen = await bench.again().look("key")
    expect(still(seen) == still(first), "Every client sees the same.", seen, first)
    claimed = await bench.store.claim(wish("second", takes_over=True))
    expect(claimed.verdict is Verdict.TAKEN_OVER, "A look leaves a lost call to be taken over.", claimed)


async def keys_do_not_touch_each_other(bench: Bench) -> None:
    """Keys that a careless pattern, collation or separator would take for one."""
    keys = ["k", "K", "k%", "k_", "k:1", "k:", "k*", "k'", "0", "00", "x" * 128]
    made = [await begun(bench.store, wish(f"holder-{number}", key=key)) for number, key in enumerate(keys)]
    seen = [await bench.store.look(key) for key in keys]
    expect([still(entry) for entry in seen] == [still(entry) for entry in made], "Each key has its own entry.", *seen)


CHECKS = checks(
    a_key_nobody_has_is_claimed,
    another_fingerprint_is_refused_at_any_time,
    a_claim_sent_again_is_answered_as_before,
    a_living_lease_is_in_flight,
    a_lost_call_is_taken_over,
    each_takeover_is_one_more_attempt,
    a_lost_call_that_is_not_taken_over_becomes_unknown,
    what_became_unknown_is_kept_for_the_window_of_who_asked,
    what_has_ended_is_replayed,
    a_completed_call_is_still_bound_to_its_fingerprint,
    grace_counts_only_after_delivery,
    after_its_grace_an_equal_call_is_a_new_wish,
    what_has_expired_is_claimed_as_if_it_had_never_been,
    a_lost_call_nobody_asks_for_expires,
    a_look_changes_nothing,
    keys_do_not_touch_each_other,
)
