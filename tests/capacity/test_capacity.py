"""Calls find room, wait a little for it in order, or are refused; nothing that gives up takes room along."""

import asyncio
from functools import partial
from typing import Any

import pytest

from connector.errors import DeclarationError
from connector.http.load.busy import Busy, Scope
from connector.http.load.capacity import Capacity
from connector.settings import CapacitySettings
from tests.capacity.crowd import crowd_of
from tests.capacity.ticking import Ticking, ticking


def test_calls_beyond_the_cap_wait_and_come_in_in_order() -> None:
    """Issue 3, admission: fair and bounded."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=2)
        crowd.send("a", "b", "c", "d", "e")
        await loop.settle()
        assert crowd.came_in == ["a", "b"]
        assert crowd.capacity.occupancy().waiting == 3
        crowd.let_go("b")
        await loop.settle()
        assert crowd.came_in == ["a", "b", "c"]
        crowd.let_go("a", "c", "d", "e")
        await loop.settle()
        assert crowd.came_in == ["a", "b", "c", "d", "e"]
        assert crowd.capacity.occupancy().calls == 0

    ticking(story)


def test_a_call_that_waited_long_enough_is_told_when_to_come_back() -> None:
    """Issue 3, admission: bounded wait, then a polite refusal."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=1, wait=2)
        crowd.send("a", "b")
        await loop.pass_time(1.9)
        assert crowd.refused == {}
        await loop.pass_time(0.2)
        assert crowd.refused["b"].scope is Scope.GLOBAL
        assert crowd.refused["b"].retry_after >= 1
        assert crowd.capacity.occupancy().shed[Scope.GLOBAL] == 1
        crowd.let_go("a")
        await loop.settle()
        assert crowd.capacity.is_idle

    ticking(story)


def test_a_newcomer_does_not_overtake_those_who_wait() -> None:
    """Ours: a place that comes free belongs to the first in the queue, also before that one has run."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=1)
        slot = crowd.capacity.try_call()
        assert slot is not None
        crowd.send("first")
        await loop.settle()
        slot.release()
        assert crowd.capacity.try_call() is None
        await loop.settle()
        assert crowd.came_in == ["first"]

    ticking(story)


def test_who_is_cancelled_while_waiting_leaves_the_queue() -> None:
    """Ours: a client that goes away must not hold a place in the queue."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=1)
        crowd.send("a", "b", "c")
        await loop.settle()
        crowd.cancel("b")
        await loop.settle()
        assert crowd.capacity.occupancy().waiting == 1
        crowd.let_go("a")
        await loop.settle()
        assert crowd.came_in == ["a", "c"]

    ticking(story)


def test_a_place_that_reaches_a_caller_just_as_it_is_cancelled_goes_to_the_next() -> None:
    """Ours: the classic way to lose a place."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=1, per_principal=5)
        slot = crowd.capacity.try_call(principal="p")
        assert slot is not None
        crowd.send("b", principal="p")
        crowd.send("c")
        await loop.settle()
        slot.release()
        crowd.cancel("b")
        await loop.settle()
        assert crowd.came_in == ["c"]
        crowd.let_go("c")
        await loop.settle()
        assert (crowd.capacity.is_idle, crowd.capacity.occupancy().principals) == (True, 0)

    ticking(story)


def test_a_place_that_reaches_the_last_caller_as_it_is_cancelled_leaves_no_counter_behind() -> None:
    """Ours: counters of principals disappear at zero, on every way out."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(per_principal=1)
        slot = crowd.capacity.try_call(principal="p")
        assert slot is not None
        crowd.send("b", principal="p")
        await loop.settle()
        slot.release()
        crowd.cancel("b")
        await loop.settle()
        assert crowd.capacity.occupancy().principals == 0
        assert crowd.capacity.is_idle

    ticking(story)


def test_a_place_that_comes_free_as_the_wait_ends_is_not_lost() -> None:
    """Ours: whoever gave up in the same turn of the loop cannot take it along."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=1, wait=2)
        slot = crowd.capacity.try_call()
        assert slot is not None
        crowd.send("late")
        await loop.settle()
        loop.call_at(loop.now + 2, slot.release)
        await loop.pass_time(2)
        assert "late" in crowd.refused or crowd.came_in == ["late"]
        crowd.let_go("late")
        await loop.settle()
        assert crowd.capacity.is_idle
        assert crowd.capacity.try_call() is not None

    ticking(story)


def test_one_principal_cannot_take_the_room_of_others() -> None:
    """Issue 3, admission: caps per principal."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=10, per_principal=2, wait=1)
        crowd.send("p1", "p2", "p3", principal="p")
        crowd.send("q1", principal="q")
        await loop.pass_time(1)
        assert crowd.came_in == ["p1", "p2", "q1"]
        assert crowd.refused["p3"].scope is Scope.PRINCIPAL

    ticking(story)


def test_callers_without_a_name_share_the_cap_of_all() -> None:
    """Ours: without authorization everybody would be one principal."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=3, per_principal=1)
        crowd.send("a", "b", "c")
        await loop.settle()
        assert crowd.came_in == ["a", "b", "c"]

    ticking(story)


def test_a_slow_tool_fills_up_alone() -> None:
    """Issue 3, admission: caps per tool."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=10, tools={"export": 1}, wait=1)
        crowd.send("e1", "e2", tool="export")
        crowd.send("f1", "f2", tool="find")
        await loop.pass_time(1)
        assert crowd.came_in == ["e1", "f1", "f2"]
        assert crowd.refused["e2"].scope is Scope.TOOL

    ticking(story)


def test_a_cap_for_every_tool_holds_for_each_on_its_own() -> None:
    """Issue 3, admission: caps per tool."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(per_tool=1, tools={"find": 2}, wait=0)
        crowd.send("e1", "e2", tool="export")
        crowd.send("g1", tool="get")
        crowd.send("f1", "f2", "f3", tool="find")
        await loop.settle()
        assert crowd.came_in == ["e1", "g1", "f1", "f2"]

    ticking(story)


def test_a_call_that_is_refused_at_the_last_gate_leaves_the_first_ones() -> None:
    """Ours: a place at one cap must not be lost at the next."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=1, per_principal=1, per_tool=1, wait=1)
        crowd.send("a", principal="p", tool="t")
        await loop.settle()
        crowd.send("b", principal="q", tool="u")
        await loop.pass_time(1)
        assert crowd.refused["b"].scope is Scope.GLOBAL
        crowd.let_go("a")
        await loop.settle()
        crowd.send("c", principal="q", tool="u")
        await loop.settle()
        assert crowd.came_in == ["a", "c"]

    ticking(story)


def test_a_cap_counts_also_those_who_came_while_a_caller_waited_elsewhere() -> None:
    """Ours: a counter that was at zero when a caller asked may have been made anew when it gets there."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(per_principal=1, per_tool=1, wait=1)
        crowd.send("a", principal="p")
        crowd.send("b", principal="p", tool="export")
        crowd.send("c", principal="q", tool="export")
        await loop.settle()
        crowd.let_go("a")
        await loop.pass_time(1)
        assert crowd.came_in == ["a", "c"]
        assert crowd.refused["b"].scope is Scope.TOOL

    ticking(story)


def test_streams_take_no_place_of_calls_and_calls_none_of_streams() -> None:
    """Issue 3, admission: caps on open streams."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=1, streams=2)
        streams = [crowd.capacity.open_stream() for _ in range(2)]
        crowd.send("a")
        await loop.settle()
        assert crowd.came_in == ["a"]
        with pytest.raises(Busy) as refused:
            crowd.capacity.open_stream()
        assert refused.value.scope is Scope.STREAMS
        streams[0].release()
        crowd.capacity.open_stream()
        assert crowd.capacity.occupancy().streams == 2

    ticking(story)


def test_one_principal_cannot_take_all_streams() -> None:
    """Incident L-01: hosts that open streams and close none."""
    capacity = Capacity(CapacitySettings(streams_per_principal=1))
    capacity.open_stream(principal="p")
    with pytest.raises(Busy) as refused:
        capacity.open_stream(principal="p")

    assert refused.value.scope is Scope.PRINCIPAL
    assert capacity.occupancy().streams == 1
    capacity.open_stream(principal="q")


def test_a_place_is_given_back_once() -> None:
    """Ours: a second release would let one too many in."""
    capacity = Capacity(CapacitySettings(calls=2))
    kept, given_back = capacity.try_call(), capacity.try_call()
    assert kept is not None
    assert given_back is not None
    given_back.release()
    given_back.release()

    assert capacity.occupancy().calls == 1


def test_a_place_that_is_held_with_with_is_given_back_whatever_happens() -> None:
    """Ours: a stream ends by an error as often as not."""
    capacity = Capacity()
    with pytest.raises(OSError, match="reset"), capacity.open_stream():
        raise OSError("reset by peer")

    assert capacity.occupancy().streams == 0


def test_a_draining_connector_refuses_at_once_and_ends_what_it_began() -> None:
    """Issue 3, shutdown: no new calls, in-flight calls finish."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=1, wait=30)
        crowd.send("runs", "waits")
        await loop.settle()
        crowd.capacity.close("is being restarted")
        crowd.send("new")
        await loop.settle()
        assert str(crowd.refused["new"]) == (
            "This connector is being restarted and takes no new calls. Come back in 5 s"
        )
        assert crowd.refused["new"].scope is Scope.DRAINING
        with pytest.raises(Busy):
            crowd.capacity.open_stream()
        ended = asyncio.create_task(crowd.capacity.idle(within=60))
        crowd.let_go("runs")
        await loop.settle()
        assert (crowd.came_in, ended.done()) == (["runs", "waits"], False)
        crowd.let_go("waits")
        await loop.settle()
        assert ended.result() is True

    ticking(story)


def test_draining_ends_in_time_even_if_a_call_does_not() -> None:
    """Issue 3, shutdown: bounded by `drain`."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of()
        crowd.send("hangs")
        await loop.settle()
        ended = asyncio.create_task(crowd.capacity.idle(within=20))
        await loop.pass_time(19)
        assert not ended.done()
        await loop.pass_time(1)
        assert ended.result() is False

    ticking(story)


def test_who_asks_an_idle_capacity_does_not_wait() -> None:
    """Ours: a deploy of an idle connector takes no time; asking twice is allowed."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of()
        assert [await crowd.capacity.idle(within=20) for _ in range(2)] == [True, True]
        assert loop.now == 100

    ticking(story)


def test_who_asks_again_later_waits_for_the_calls_of_then() -> None:
    """Ours: what was idle once may be busy again."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of()
        assert await crowd.capacity.idle(within=20)
        crowd.send("a")
        await loop.settle()
        ended = asyncio.create_task(crowd.capacity.idle(within=20))
        await loop.settle()
        assert not ended.done()
        crowd.let_go("a")
        await loop.settle()
        assert ended.result() is True

    ticking(story)


def test_five_thousand_principals_leave_nothing_behind() -> None:
    """Issue 3, admission: nothing unbounded grows."""

    async def story(loop: Ticking) -> None:
        crowd = crowd_of(calls=50, per_tool=50, waiting=5000, wait=1)
        for n in range(5000):
            crowd.send(f"{n}", principal=f"principal {n}", tool=f"invented {n}")
        await loop.pass_time(1)
        assert crowd.capacity.occupancy().principals == 50
        crowd.let_go(*crowd.came_in)
        await loop.settle()
        occupancy = crowd.capacity.occupancy()
        assert (occupancy.calls, occupancy.waiting, occupancy.principals) == (0, 0, 0)
        assert len(crowd.capacity._tools) == 0

    ticking(story)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"calls": 0}, "calls=0"),
        ({"per_tool": 0}, "per_tool=0"),
        ({"tools": {"find": -1}}, r"tools\['find'\]=-1"),
        ({"wait": -1.0}, "wait=-1.0"),
        ({"back_in": float("nan")}, "back_in=nan"),
    ],
)
def test_caps_that_make_no_sense_are_refused_with_their_value(wrong: dict[str, Any], said: str) -> None:
    """Ours: a connector that is declared wrongly does not start."""
    with pytest.raises(DeclarationError, match=said):
        partial(CapacitySettings, **wrong)()
