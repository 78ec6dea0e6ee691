"""How long a queue may stand, who is refused at once, and when the refused are told to come back."""

import pytest

from tests.capacity.crowd import crowd_of
from tests.capacity.ticking import Ticking, ticking


def test_a_queue_that_stands_makes_nobody_wait_long() -> None:
    """Ours: a queue smooths a burst; one that never empties only adds its length to every answer."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=1, wait=2, wait_when_pressed=0.1, pressed_after=0.25)
        crowd.send("a", "burst")
        await loop.pass_time(0.3)
        crowd.send("late")
        await loop.pass_time(0.1)
        assert set(crowd.refused) == {"late"}
        crowd.let_go("a")
        await loop.settle()
        assert crowd.came_in == ["a", "burst"]
        crowd.send("next")
        await loop.pass_time(0.3)
        assert set(crowd.refused) == {"late"}, "the queue was empty in between"

    ticking(story)


def test_only_so_many_wait() -> None:
    """Issue 3, admission: nothing unbounded grows."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=1, waiting=2)
        crowd.send("a", "b", "c", "d")
        await loop.settle()
        assert crowd.came_in == ["a"]
        assert set(crowd.refused) == {"d"}

    ticking(story)


@pytest.mark.parametrize(("stay", "refused"), [(0.9, []), (3.9, []), (4.1, ["x"]), (60.0, ["x"])])
def test_who_would_wait_in_vain_is_refused_at_once(stay: float, refused: list[str]) -> None:
    """Ours: two places, so one comes free every half stay; twice as long as the second it may wait is hopeless."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=2, wait=1)
        first = crowd.capacity.try_call()
        assert first is not None
        loop.now += stay
        first.release()
        crowd.send("a", "b", "x")
        await loop.settle()
        assert list(crowd.refused) == refused

    ticking(story)


@pytest.mark.parametrize(
    ("stay", "waiting", "expected"), [(0.5, 0, 1.0), (10.0, 0, 5.0), (10.0, 3, 20.0), (10_000.0, 0, 300.0)]
)
def test_when_to_come_back_follows_from_how_long_calls_last_and_who_waits(
    stay: float, waiting: int, expected: float
) -> None:
    """Ours: two places, so one comes free every half stay; at least 1 s, at most five minutes."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=2, wait=100, waiting=waiting)
        first = crowd.capacity.try_call()
        assert first is not None
        loop.now += stay
        first.release()
        crowd.send("a", "b", *(f"waits {n}" for n in range(waiting)), "x")
        await loop.settle()
        assert crowd.refused["x"].retry_after == expected

    ticking(story)


def test_the_estimate_follows_when_calls_become_slower() -> None:
    """Ours: an upstream that begins to crawl; the newest call weighs a fifth."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=1, wait=0)
        for stay in (10.0, 60.0):
            slot = crowd.capacity.try_call()
            assert slot is not None
            loop.now += stay
            slot.release()
        crowd.send("a", "x")
        await loop.settle()
        assert crowd.refused["x"].retry_after == pytest.approx(20)

    ticking(story)


def test_those_who_are_refused_together_do_not_come_back_together() -> None:
    """Ours: or they would meet the same full connector again."""

    async def story(loop: Ticking) -> None:
        luck = iter([0.0, 0.5, 1.0])
        crowd = crowd_of(lambda: next(luck), calls=1, wait=0)
        crowd.send("a", "b", "c", "d")
        await loop.settle()
        assert [busy.seconds for busy in crowd.refused.values()] == [1, 2, 3]

    ticking(story)
