"""What holds for admission in every history: caps are kept, order is kept, and in the end nothing is left."""

import asyncio
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.http.load.busy import Busy
from connector.http.load.capacity import Capacity
from connector.settings import CapacitySettings
from tests.capacity.ticking import Ticking, ticking

POLICY = CapacitySettings(calls=4, per_principal=2, tools={"slow": 1, "wide": 3}, wait=5, waiting=3)

_CALL = st.tuples(st.just("call"), st.sampled_from(["slow", "wide", "free", None]), st.sampled_from(["p", "q", None]))
_STEP = st.one_of(
    _CALL,
    _CALL,
    st.tuples(st.just("end"), st.integers(0, 50), st.none()),
    st.tuples(st.just("cancel"), st.integers(0, 50), st.none()),
    st.tuples(st.just("end and cancel"), st.integers(0, 50), st.integers(0, 50)),
    st.tuples(st.just("time"), st.integers(1, 6), st.none()),
    st.tuples(st.just("settle"), st.none(), st.none()),
)


class World:
    """Callers that come, stay, go, give up; what happens is noted."""

    def __init__(self) -> None:
        self.capacity = Capacity(POLICY)
        self.inside: Counter[tuple[str, str | None]] = Counter()
        self.asked: list[tuple[str | None, str | None, int]] = []
        self.came_in: list[tuple[str | None, str | None, int]] = []
        self.refused: list[float] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.leave: list[asyncio.Event] = []

    async def call(self, tool: str | None, principal: str | None, number: int, leave: asyncio.Event) -> None:
        try:
            async with self.capacity.call(tool=tool, principal=principal):
                self.came_in.append((tool, principal, number))
                kinds = (("all", None), ("tool", tool), ("principal", principal))
                self.inside.update(kinds)
                self.check_caps()
                try:
                    await leave.wait()
                finally:
                    self.inside.subtract(kinds)
        except Busy as busy:
            self.refused.append(busy.retry_after)

    def check_caps(self) -> None:
        assert self.inside["all", None] <= POLICY.calls
        assert self.inside["tool", "slow"] <= 1
        assert self.inside["tool", "wide"] <= 3
        assert max(self.inside["principal", "p"], self.inside["principal", "q"]) <= POLICY.per_principal

    async def step(self, loop: Ticking, what: str, one: object, two: object) -> None:
        if what == "call":
            leave, number = asyncio.Event(), len(self.tasks)
            self.leave.append(leave)
            assert one is None or isinstance(one, str)
            assert two is None or isinstance(two, str)
            self.tasks.append(loop.create_task(self.call(one, two, number, leave)))
        elif what == "settle":
            await loop.settle()
        elif what == "time":
            assert isinstance(one, int)
            await loop.pass_time(one)
        elif self.tasks:
            assert isinstance(one, int)
            if "end" in what:
                self.leave[one % len(self.tasks)].set()
            if "cancel" in what:
                chosen = two if isinstance(two, int) else one
                self.tasks[chosen % len(self.tasks)].cancel()

    async def finish(self, loop: Ticking) -> None:
        for leave in self.leave:
            leave.set()
        await loop.settle()
        await loop.pass_time(10)
        ends = await asyncio.gather(*self.tasks, return_exceptions=True)
        assert [end for end in ends if not isinstance(end, asyncio.CancelledError | None)] == []

    def assert_in_order(self) -> None:
        """Of calls alike in tool and principal, those who came in did so in the order they asked."""
        for kind in {entry[:2] for entry in self.came_in}:
            numbers = [entry[2] for entry in self.came_in if entry[:2] == kind]
            assert numbers == sorted(numbers)


@settings(max_examples=300, deadline=None)
@given(st.lists(_STEP, max_size=60))
def test_in_any_history_caps_and_order_are_kept_and_nothing_is_left(
    steps: list[tuple[str, object, object]],
) -> None:
    """Issue 3, admission: fair, cancel-safe, and nothing grows."""

    async def story(loop: Ticking) -> None:
        world = World()
        for step in steps:
            await world.step(loop, *step)
        await world.finish(loop)
        world.assert_in_order()
        assert all(seconds >= 1 for seconds in world.refused)
        occupancy = world.capacity.occupancy()
        assert (occupancy.calls, occupancy.waiting, occupancy.principals) == (0, 0, 0)
        assert world.capacity._tools == {}
        assert all(world.capacity.try_call(principal=name) is not None for name in ("p", "p", "q", "q"))

    ticking(story)
