"""How a call ends: completion, renewal, release and delivery, and who may do which."""

from dataclasses import replace

from ..port import Entry, State, Store, Verdict
from .bench import LONG, SHORT, Bench, abandoned, begun, checks, eventually, expect, gone, still, wish


async def done(store: Store, entry: Entry, *, state: State = State.DONE, result: bytes | None = b"1") -> bool:
    """Complete for the entry's own epoch and holder."""
    return await store.complete(
        entry.key, epoch=entry.epoch, holder=entry.holder, state=state, result=result, window=LONG
    )


async def a_completion_is_seen_by_every_client(bench: Bench) -> None:
    """`Calls.complete` and guarantee 6."""
    entry = await begun(bench.store, wish())
    expect(await done(bench.again(), entry), "The holder completes its call, through any client.")
    seen = await bench.store.look("key")
    ended = seen and replace(seen, lease_left=0, ended_at=None)
    expect(
        ended == replace(entry, lease_left=0, state=State.DONE, result=b"1"),
        "A completion changes state, result and end, and nothing else.",
        seen,
    )
    expect(seen is not None and (seen.ended_at or 0) >= entry.begun_at, "It ends after it began.", seen)


async def a_completion_sent_again_changes_nothing(bench: Bench) -> None:
    """Guarantee 4, and what was said first stays."""
    entry = await begun(bench.store, wish())
    await done(bench.store, entry)
    await bench.store.delivered("key", epoch=entry.epoch)
    before = await bench.store.look("key")
    expect(await done(bench.again(), entry), "A completion sent again is True again.")
    expect(await done(bench.store, entry, result=b"2"), "So is one that comes with another result.")
    expect(not await done(bench.store, entry, state=State.FAILED), "One that says another state is False.")
    after = await bench.store.look("key")
    expect(still(after) == still(before), "What was completed first stays as it is.", before, after)


async def a_stranger_changes_nothing(bench: Bench) -> None:
    """Guarantee 3: neither the epoch nor the holder alone is enough, and nothing is not somebody's."""
    entry = await begun(bench.store, wish())
    for stranger in (
        replace(entry, holder="somebody else"),
        replace(entry, epoch=entry.epoch + 1),
        replace(entry, epoch=entry.epoch - 1),
        replace(entry, key="another key"),
    ):
        await _refused(bench.store, stranger, "who does not hold the call")
    expect(still(await bench.store.look("key")) == still(entry), "A stranger changes nothing.", entry)


async def _refused(store: Store, entry: Entry, who: str) -> None:
    """Every way of changing a call is refused to `who`."""
    fence = {"epoch": entry.epoch, "holder": entry.holder}
    renewed = await store.renew(entry.key, epoch=entry.epoch, holder=entry.holder, lease=LONG)
    expect(not renewed, f"A renewal by {who} is False.", fence)
    expect(not await done(store, entry), f"A completion by {who} is False.", fence)
    released = await store.release(entry.key, epoch=entry.epoch, holder=entry.holder)
    expect(not released, f"A release by {who} is False.", fence)


async def who_was_replaced_changes_nothing(bench: Bench) -> None:
    """Guarantee 3: a holder that wakes up after the takeover, while its successor runs and after it has ended."""
    lost = await abandoned(bench.store)
    heir = await begun(bench.again(), wish("heir", takes_over=True))
    await _refused(bench.store, lost, "a holder that was replaced")
    expect(still(await bench.store.look("key")) == still(heir), "A replaced holder changes nothing.", heir)
    expect(await done(bench.again(), heir, result=b"heir"), "The successor completes the call.")
    await _refused(bench.store, lost, "a holder that was replaced")
    seen = await bench.store.look("key")
    expect(seen is not None and seen.result == b"heir", "The successor's result stays.", seen)


async def a_late_completion_counts(bench: Bench) -> None:
    """Guarantee 3: the lease is over, and nobody has taken over."""
    entry = await abandoned(bench.store)
    expect(await done(bench.store, entry), "While nobody took over, a late completion counts.")
    claimed = await bench.store.claim(wish("second", takes_over=True))
    expect(claimed.verdict is Verdict.ENDED and claimed.entry.result == b"1", "And it is replayed.", claimed)


async def a_lost_holder_can_still_say_what_became_of_an_unknown_call(bench: Bench) -> None:
    """Guarantee 3: knowing is better. What was delivered before was only that nobody knows."""
    lost = await abandoned(bench.store)
    unknown = (await bench.store.claim(wish("second"))).entry
    await abandoned(bench.store, wish("clock", key="clock", lease=SHORT))
    await bench.store.delivered("key", epoch=lost.epoch)
    renewed = await bench.store.renew("key", epoch=lost.epoch, holder=lost.holder, lease=LONG)
    expect(not renewed, "An unknown call is not renewed: it has ended.")
    expect(not await bench.store.release("key", epoch=lost.epoch, holder=lost.holder), "Nor is it released.")
    expect(await done(bench.store, lost, state=State.UNKNOWN, result=None), "To say again that it is unknown is True.")
    expect(not await done(bench.store, replace(lost, holder="second")), "Only the lost holder knows better.")
    expect(await done(bench.store, lost), "The lost holder completes an unknown call.")
    seen = await bench.store.look("key")
    expect(seen is not None and (seen.state, seen.result) == (State.DONE, b"1"), "And then it is known.", seen)
    expect(seen is not None and not seen.delivered, "What is known now was not delivered yet.", seen)
    expect(seen is not None and (seen.ended_at or 0) > (unknown.ended_at or 0), "And it ends when it is known.", seen)


async def an_end_is_kept_for_its_window(bench: Bench) -> None:
    """`window` counts from the end, and is the completion's own."""
    entry = await begun(bench.store, wish(window=LONG))
    await bench.store.complete("key", epoch=entry.epoch, holder="first", state=State.DONE, result=b"1", window=SHORT)
    await gone(bench.store)
    longer = await begun(bench.store, wish("second", lease=SHORT, window=SHORT))
    if not await done(bench.store, longer):
        return  # This machine took longer than lease and window: nothing was left to complete.
    await bench.store.sweep()
    await begun(bench.store, wish("other", key="clock", lease=SHORT, window=SHORT))
    await gone(bench.store, "clock")
    seen = await bench.store.look("key")
    expect(seen is not None and seen.result == b"1", "A completion's window replaces that of the claim.", seen)


async def what_has_expired_belongs_to_nobody(bench: Bench) -> None:
    """Guarantee 5, for those who were its holders."""
    running = await begun(bench.store, wish(lease=SHORT, window=SHORT))
    await gone(bench.store)
    await _refused(bench.store, running, "the holder of a call that has expired")
    ended = await begun(bench.store, wish("second"))
    await bench.store.complete("key", epoch=ended.epoch, holder="second", state=State.DONE, result=b"", window=SHORT)
    await gone(bench.store)
    await _refused(bench.store, ended, "the holder of a result that has expired")
    expect(not await bench.store.delivered("key", epoch=ended.epoch), "Nothing that has expired is delivered.")


async def a_renewal_moves_the_end_of_the_lease(bench: Bench) -> None:
    """`Calls.renew`, forwards and back, from now on."""
    entry = await begun(bench.store, wish(lease=LONG))
    renewed = await bench.again().renew("key", epoch=entry.epoch, holder="first", lease=LONG * 2)
    seen = await bench.store.look("key")
    expect(renewed and seen is not None and seen.lease_left > LONG, "A renewal counts from now.", seen)
    for _ in range(2):
        renewed = await bench.store.renew("key", epoch=entry.epoch, holder="first", lease=SHORT)
        expect(renewed, "A renewal sent again is True again.")
    await eventually(
        lambda: bench.store.look("key"),
        lambda now: now is not None and now.lease_left <= 0,
        "A renewed lease runs out like any other.",
    )


async def a_lease_that_is_over_can_be_renewed(bench: Bench) -> None:
    """`Calls.renew`: as long as nobody took the call over."""
    entry = await abandoned(bench.store)
    renewed = await bench.store.renew("key", epoch=entry.epoch, holder="first", lease=LONG)
    expect(renewed, "A lease that is over can be renewed while nobody took over.")
    claimed = await bench.again().claim(wish("second", takes_over=True))
    expect(claimed.verdict is Verdict.IN_FLIGHT, "And then the call is in flight again.", claimed)


async def a_renewal_keeps_the_call_from_expiring(bench: Bench) -> None:
    """A running call expires `window` after its lease: after the renewed one."""
    entry = await begun(bench.store, wish(lease=SHORT, window=SHORT))
    if not await bench.store.renew("key", epoch=entry.epoch, holder="first", lease=LONG):
        return  # This machine took longer than lease and window.
    await begun(bench.store, wish("other", key="clock", lease=SHORT, window=SHORT))
    await gone(bench.store, "clock")
    await bench.store.sweep()
    seen = await bench.store.look("key")
    expect(seen is not None and seen.lease_left > SHORT, "A renewed call outlives its first lease and window.", seen)


async def an_ended_call_is_neither_renewed_nor_released(bench: Bench) -> None:
    """`Calls.renew` and `Calls.release`: only what is running."""
    entry = await begun(bench.store, wish())
    await done(bench.store, entry)
    before = await bench.store.look("key")
    renewed = await bench.store.renew("key", epoch=entry.epoch, holder="first", lease=LONG)
    released = await bench.store.release("key", epoch=entry.epoch, holder="first")
    expect(not renewed and not released, "What has ended is neither renewed nor released.", renewed, released)
    expect(still(await bench.store.look("key")) == still(before), "And it stays as it is.", before)


async def a_released_call_was_never_begun(bench: Bench) -> None:
    """`Calls.release`, and the next claim may be of another fingerprint."""
    entry = await begun(bench.store, wish())
    released = await bench.again().release("key", epoch=entry.epoch, holder="first")
    expect(released, "The holder releases its call.")
    expect(await bench.store.look("key") is None, "What was released is not there.")
    expect(not await bench.store.release("key", epoch=entry.epoch, holder="first"), "It can be released once.")
    claimed = await bench.store.claim(wish("second", fingerprint="changed"))
    expect((claimed.verdict, claimed.entry.attempt) == (Verdict.CLAIMED, 1), "The next claim is the first.", claimed)


async def delivery_is_noted_once_there_is_something_to_deliver(bench: Bench) -> None:
    """`Calls.delivered`: of this epoch, and only of an ended entry."""
    expect(not await bench.store.delivered("key", epoch=1), "Nothing is delivered of a key that is not there.")
    entry = await begun(bench.store, wish())
    expect(not await bench.store.delivered("key", epoch=entry.epoch), "What runs is not delivered.")
    await done(bench.store, entry)
    expect(not await bench.store.delivered("key", epoch=entry.epoch + 1), "Another epoch is not delivered.")
    before = await bench.store.look("key")
    expect(before is not None and not before.delivered, "A completion alone is no delivery.", before)
    other = bench.again()
    for _ in range(2):
        expect(await other.delivered("key", epoch=entry.epoch), "Delivery is noted, and can be noted again.")
    after = await bench.store.look("key")
    expect(before is not None and still(after) == still(replace(before, delivered=True)), "Nothing else is.", after)


async def a_result_comes_back_as_it_was(bench: Bench) -> None:
    """NUL bytes, no bytes at all, what is not text, and a megabyte."""
    results = [None, b"", b"\0", b"a\0b\0", bytes(range(256)), b"\xff\xfe", b"0", b"\0\xff" * 524_288]
    other = bench.again()
    for number, result in enumerate(results):
        entry = await begun(bench.store, wish(key=f"key-{number}"))
        await done(bench.store, entry, result=result)
        claimed = await other.claim(wish("second", key=entry.key))
        expect(
            claimed.entry.result == result,
            "A result comes back byte by byte, and no result as None.",
            (result or b"")[:16],
            (claimed.entry.result or b"")[:16],
        )


CHECKS = checks(
    a_completion_is_seen_by_every_client,
    a_completion_sent_again_changes_nothing,
    a_stranger_changes_nothing,
    who_was_replaced_changes_nothing,
    a_late_completion_counts,
    a_lost_holder_can_still_say_what_became_of_an_unknown_call,
    an_end_is_kept_for_its_window,
    what_has_expired_belongs_to_nobody,
    a_renewal_moves_the_end_of_the_lease,
    a_lease_that_is_over_can_be_renewed,
    a_renewal_keeps_the_call_from_expiring,
    an_ended_call_is_neither_renewed_nor_released,
    a_released_call_was_never_begun,
    delivery_is_noted_once_there_is_something_to_deliver,
    a_result_comes_back_as_it_was,
)
