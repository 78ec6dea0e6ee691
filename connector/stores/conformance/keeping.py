"""The store as a whole: schema, sweeping, closing, and callers that give up in the middle."""

import asyncio

from ..port import State, Verdict
from .bench import LONG, SHORT, Bench, begun, checks, eventually, expect, gone, still, wish


async def a_check_keeps_what_is_there(bench: Bench) -> None:
    """`Store.check`: by any client, as often as one likes, first thing or later."""
    await bench.store.check()
    entry = await begun(bench.store, wish())
    await bench.store.put("kind", "key", b"1")
    await bench.again().check()
    await bench.store.check()
    seen = await bench.store.look("key")
    expect(still(seen) == still(entry), "A check keeps every call.", seen, entry)
    expect(await bench.store.get("kind", "key") is not None, "A check keeps every record.")


async def many_first_uses_at_once_make_one_store(bench: Bench) -> None:
    """`Store.check` and first use by several clients at the same moment, as when a server starts its workers."""
    clients = [bench.store, *(bench.again() for _ in range(3))]
    await asyncio.gather(*(client.check() for client in clients))
    answers = await asyncio.gather(*(client.claim(wish(f"holder-{number}")) for number, client in enumerate(clients)))
    granted = [answer for answer in answers if answer.verdict is Verdict.CLAIMED]
    expect(len(granted) == 1, "Clients that begin at once share one store.", *answers)


async def a_sweep_deletes_what_has_expired_and_nothing_else(bench: Bench) -> None:
    """`Store.sweep`: bounded, and 0 when it is done."""
    for number in range(5):
        await begun(bench.store, wish(key=f"old-{number}", lease=SHORT / 10, window=SHORT / 10))
        await bench.store.put("kind", f"old-{number}", b"1", expires_in=SHORT / 10)
    entry = await begun(bench.store, wish(lease=SHORT / 10, window=LONG))
    await bench.store.put("kind", "kept", b"1", expires_in=LONG)
    await bench.store.put("kind", "for-ever", b"1")
    await gone(bench.store, "old-4")
    await eventually(lambda: bench.store.get("kind", "old-4"), lambda seen: seen is None, "A record expires.")
    swept = await bench.store.sweep(limit=2)
    expect(swept <= 2 * 2, "A sweep deletes at most `limit` calls and as many records.", swept)
    other = bench.again()
    await eventually(lambda: other.sweep(limit=2), lambda deleted: deleted == 0, "Sweeping comes to an end.")
    seen = await bench.store.look("key")
    expect(still(seen) == still(entry), "A sweep leaves a lost call that has not expired.", seen, entry)
    kept = [record.key for record in await bench.store.page("kind")]
    expect(kept == ["for-ever", "kept"], "A sweep leaves every record that has not expired.", *kept)


async def a_closed_store_can_be_used_again(bench: Bench) -> None:
    """`Store.aclose`: closing twice is closing once, and what was kept is kept."""
    entry = await begun(bench.store, wish())
    await bench.store.put("kind", "key", b"1")
    await bench.store.aclose()
    await bench.store.aclose()
    done = await bench.store.complete(
        "key", epoch=entry.epoch, holder="first", state=State.DONE, result=b"1", window=LONG
    )
    expect(done, "What was claimed before closing is still the holder's.")
    expect(await bench.store.get("kind", "key") is not None, "What was put before closing is still there.")
    async with bench.store as store:
        expect(store is bench.store, "A store is its own context.")
    expect(await bench.store.look("key") is not None, "It can be used after its context too.")


async def a_caller_that_gives_up_breaks_nothing(bench: Bench) -> None:
    """Guarantee 4: what was cancelled has happened or not, and is sent again as it was."""
    patient = bench.again()
    for number in range(10):
        claim = wish("first", key=f"key-{number}")
        asking = asyncio.ensure_future(bench.store.claim(claim))
        for _ in range(number):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        again = await bench.store.claim(claim)
        expect(again.verdict is Verdict.CLAIMED, "A cancelled claim that is sent again is CLAIMED.", again)
        other = await patient.claim(wish("second", key=claim.key))
        expect(other.verdict is Verdict.IN_FLIGHT, "And it is held once.", other)


CHECKS = checks(
    a_check_keeps_what_is_there,
    many_first_uses_at_once_make_one_store,
    a_sweep_deletes_what_has_expired_and_nothing_else,
    a_closed_store_can_be_used_again,
    a_caller_that_gives_up_breaks_nothing,
)
