"""When a remembered value is fetched, by a clock of the test's own."""

import asyncio

import pytest

from connector.oauth import IssuerUnavailable, Keeping
from connector.oauth.remembered import Remembered

KEEPING = Keeping(fresh=600, stale=3600, between=30, after_failure=2)


class Source:
    """Counts fetches; gives the count, or fails while it is out."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.fetched = 0
        self.is_out = False
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.remembered = Remembered(self.fetch, keeping=KEEPING, clock=lambda: self.now)

    async def fetch(self) -> int:
        self.fetched += 1
        await self.may_go_on.wait()
        if self.is_out:
            raise IssuerUnavailable("out")
        return self.fetched


@pytest.mark.asyncio
async def test_a_fresh_value_is_not_fetched_again() -> None:
    """Ours."""
    source = Source()
    assert await source.remembered.get() == 1
    source.now += 600

    assert await source.remembered.get() == 1
    assert source.fetched == 1


@pytest.mark.asyncio
async def test_callers_at_once_share_one_fetch() -> None:
    """Ours: a restart under load asks the issuer once."""
    source = Source()

    assert await asyncio.gather(*(source.remembered.get() for _ in range(50))) == [1] * 50


@pytest.mark.asyncio
async def test_an_old_value_is_given_at_once_and_renewed_beside() -> None:
    """Ours: no request waits for a renewal."""
    source = Source()
    await source.remembered.get()
    source.now += 601
    source.may_go_on.clear()

    assert await source.remembered.get() == 1
    source.may_go_on.set()
    assert await source.remembered.newer() == 2


@pytest.mark.asyncio
async def test_who_misses_something_causes_one_fetch_in_thirty_seconds() -> None:
    """Ours: key ids are invented by strangers."""
    source = Source()
    await source.remembered.get()
    seen = []
    for _ in range(90):
        seen.append(await source.remembered.newer())
        source.now += 1

    assert seen[-1] == source.fetched == 3


@pytest.mark.asyncio
async def test_during_an_outage_the_old_value_serves_for_its_time_and_no_longer() -> None:
    """Ours: a key withdrawn for cause must not live for ever."""
    source = Source()
    await source.remembered.get()
    source.is_out = True
    source.now += 3600
    assert await source.remembered.get() == 1

    source.now += 1
    with pytest.raises(IssuerUnavailable, match="out"):
        await source.remembered.get()
    source.is_out = False
    source.now += 2

    assert await source.remembered.get() > 1


@pytest.mark.asyncio
async def test_during_an_outage_nobody_can_say_what_is_missing() -> None:
    """Ours: a key that is not known yet may be there by now."""
    source = Source()
    await source.remembered.get()
    source.is_out = True
    source.now += 31

    with pytest.raises(IssuerUnavailable):
        await source.remembered.newer()
    assert await source.remembered.get() == 1


@pytest.mark.asyncio
async def test_after_a_failure_the_source_is_left_alone_for_a_moment() -> None:
    """Ours: every request would wait for its time-out."""
    source = Source()
    source.is_out = True
    for _ in range(10):
        with pytest.raises(IssuerUnavailable):
            await source.remembered.get()

    assert source.fetched == 1


@pytest.mark.asyncio
async def test_a_source_that_never_answers_is_out() -> None:
    """Ours: a hanging issuer must not hold every request."""
    never = asyncio.Event()
    remembered: Remembered[object] = Remembered(never.wait, keeping=Keeping(within=0.01))

    with pytest.raises(IssuerUnavailable, match=r"no answer within 0\.01 s"):
        await remembered.get()


@pytest.mark.asyncio
async def test_a_caller_who_goes_away_takes_no_other_callers_fetch_with_it() -> None:
    """Ours."""
    source = Source()
    source.may_go_on.clear()
    first, second = (asyncio.create_task(source.remembered.get()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    source.may_go_on.set()

    assert await second == 1
    assert first.cancelled()
