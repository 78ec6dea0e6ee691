"""Plays stories: asks, and asks again, as clients do, and keeps what came of each asking.

Knows the ways in. Does not know what is behind them, nor what should come of it.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Final

from tests.chaos.client import ask, request_for
from tests.chaos.faults import Plan
from tests.chaos.history import POLICIES, Asking, Ending, Wish
from tests.chaos.plans import Plans
from tests.chaos.stories import Author, Story, Turn

_MOST_TRIES: Final = 12
_PAUSES: Final = {Ending.REFUSED: 2.0, Ending.UNKNOWN: 1.5}
"""The longest pause in seconds before asking again; 0.6 where nothing was said."""

_AT_ONCE: Final = 48


class Stage:
    """Where stories are played: the ways in, and what was asked so far."""

    def __init__(self, plans: Plans, ways: Mapping[str, int], author: Author) -> None:
        self.plans, self._ways, self._author = plans, ways, author
        self._draw = random.Random(plans.seed + 1)
        self.askings: list[Asking] = []
        self.wishes: dict[str, Wish] = {}
        self._numbers = count(1)
        self.asked = 0
        self._asked = asyncio.Condition()

    async def play(self) -> None:
        """Play stories, many at once, until enough was asked."""
        stories = self._author.stories()

        async def play_on() -> None:
            while self.asked < self.plans.calls:
                await self._play(next(stories))

        await asyncio.gather(*(play_on() for _ in range(_AT_ONCE)))

    async def has_asked(self, calls: int) -> None:
        """Return when so much was asked and not refused."""
        async with self._asked:
            await self._asked.wait_for(lambda: self.asked >= calls)

    async def ask_at_last(self) -> None:
        """When all is calm: ask once more for every named wish that is not answered."""
        last = {asking.wish: asking for asking in self.askings}
        open_ = [wish for wish in self.wishes.values() if wish.key and not _is_over(wish, last[wish.id])]
        for wish in open_:
            await self._until_answered(Turn(wish=wish))

    async def _play(self, story: Story) -> None:
        for number, phase in enumerate(story.phases):
            if number:
                await asyncio.sleep(story.pause)
            answered = await asyncio.gather(*(self._later(turn) for turn in phase))
            if story.if_answered and not all(answered):
                return

    async def _later(self, turn: Turn) -> bool:
        if turn.later:
            await asyncio.sleep(turn.later)
        cut = turn.cut if "cut" in self.plans.faults else None
        return await self._until_answered(replace(turn, cut=cut))

    async def _until_answered(self, turn: Turn) -> bool:
        """Ask until there is an answer. Who was refused waits longer; who gave a name asks twice about the unknown."""
        hopes = {Ending.UNKNOWN: 1 if turn.wish.key else 0}
        pause = 0.0
        for _ in range(_MOST_TRIES):
            await asyncio.sleep(pause * self._draw.uniform(0.1, 1))
            asking = await self._ask(turn)
            if _is_over(turn.wish, asking) and not hopes.get(asking.ending):
                return True
            if asking.ending is Ending.UNKNOWN:
                hopes[Ending.UNKNOWN] -= 1
            pause = _PAUSES.get(asking.ending, 0.6)
            turn = replace(turn, cut=None, strike=None)
        return False

    async def _ask(self, turn: Turn) -> Asking:
        wish, way = turn.wish, self._draw.choice(list(self._ways))
        self.wishes.setdefault(wish.id, wish)
        number = next(self._numbers)
        plan = Plan(wish=wish.id, user=wish.user, before=turn.before, after=turn.after, strike=turn.strike)
        request = request_for(wish, plan, number, is_modern=self._draw.random() < 0.3)
        asked_at = time.time()
        answer = await ask(self._ways[way], request, turn.cut)
        planned = [f"cut at {turn.cut}"] if turn.cut else []
        planned += [f"{turn.strike.deed} when {turn.strike.point}"] if turn.strike else []
        asking = Asking(
            wish=wish.id,
            number=number,
            way=way,
            asked_at=asked_at,
            ended_at=time.time(),
            ending=answer.ending,
            receipt=answer.receipt,
            of=answer.of,
            user=answer.user,
            mark=answer.mark,
            worker=answer.worker,
            said=answer.said,
            planned=", ".join(planned),
        )
        self.askings.append(asking)
        async with self._asked:
            self.asked += asking.ending is not Ending.REFUSED
            self._asked.notify_all()
        return asking


def _is_over(wish: Wish, asking: Asking) -> bool:
    if asking.ending is Ending.FAILURE:
        return POLICIES[wish.tool].keeps_failures
    return asking.ending not in {Ending.LOST, Ending.REFUSED}
