"""What people and hosts do, drawn from a seed: calls, retries, double dispatches, deliberate repeats, near misses.

Decides who wants what, and which fault strikes where. Pure: it sends nothing.
"""

import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.chaos.faults import OF_IMPLIED, POINTS, Deed, Strike
from tests.chaos.history import POLICIES, Wish

CUTS: Final = ("upload", "sent", "first byte", "answer")
"""Where a client hangs up: half-way through its request, right after it, at the first byte, within the answer."""

USERS: Final = {"anna": True, "ben": True, "cara": True, "dora": False, "emil": False, "fred": False}
"""Who is known by a token. What the host says of those is the same for all, so that only the token tells them apart."""

CONVERSATIONS: Final = ("v1/chat-1", "v1/chat-2", "v1/chat-3")

HALTING: Final = ("claiming", "claimed", "begun", "done", "completing", "completed", "replying")

_WEIGHTS: Final = {"plain": 24, "cut": 20, "twice": 14, "replay": 12, "repeat": 14, "near": 10, "changed": 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One asking of a wish, and more until it is answered. `later` is seconds after the phase began."""

    wish: Wish
    later: float = 0.0
    cut: str | None = None
    strike: Strike | None = None
    before: float = 0.0
    after: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Turns: those of one phase at once, the phases one after the other with `pause` seconds between them.
    `if_answered`: the next phase is only played when somebody has said what became of the one before.
    """

    phases: Sequence[Sequence[Turn]]
    pause: float = 0.0
    if_answered: bool = False


class Author:
    """Draws stories. `strikes` is how many of a hundred stories a fault strikes; `deeds` are what faults may do."""

    def __init__(self, seed: int, *, strikes: float, deeds: Sequence[Deed], grace: float) -> None:
        self._draw = random.Random(seed)
        self._strikes, self._deeds, self._grace = strikes, deeds, grace
        self._numbers: Counter[object] = Counter()
        self._kinds: dict[str, Callable[[], Story]] = {
            "plain": self._plain,
            "cut": self._cut,
            "twice": self._twice,
            "replay": self._replay,
            "repeat": self._repeat,
            "near": self._near,
            "changed": self._changed,
        }

    def stories(self) -> Iterator[Story]:
        """Stories without end."""
        while True:
            (kind,) = self._draw.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
            yield self._kinds[kind]()

    def _plain(self) -> Story:
        return Story(phases=[[self._turn(self._wish())]])

    def _cut(self) -> Story:
        """A client that hangs up, and asks again."""
        cut, turn = self._draw.choice(CUTS), self._turn(self._wish())
        if cut == "first byte" and self._draw.random() < 0.5:  # the first byte is a heartbeat, and the tool still runs
            turn = replace(turn, before=1.0, after=0.5)
        return Story(phases=[[replace(turn, cut=cut)]])

    def _twice(self) -> Story:
        """Two dispatches of one wish, some milliseconds apart (claude-code #36149) or while the first runs."""
        turn = self._turn(self._wish())
        later = self._draw.choice([0.0, 0.003, 0.2, 1.0])
        return Story(phases=[[turn, replace(turn, later=later, strike=None)]])

    def _replay(self) -> Story:
        """Under a key the answer stands for as long as it is kept."""
        turn = self._turn(self._wish(is_named=True))
        again = replace(turn, strike=None)
        return Story(phases=[[turn], [again], [again]], pause=self._draw.choice([0.0, self._grace, 2.0]))

    def _repeat(self) -> Story:
        """The same once more, by intent: after the answer was seen."""
        wish = self._wish(is_named=False)
        again, pause = replace(wish, id=self._id()), self._grace + self._draw.choice([0.7, 1.5])
        return Story(phases=[[self._turn(wish)], [self._turn(again)]], pause=pause, if_answered=True)

    def _near(self) -> Story:
        """Calls that differ in little, at the same time."""
        wish = self._wish()
        others = [
            replace(wish, item=f"{wish.item} "),
            replace(wish, item=wish.item.upper()),
            replace(wish, item=unicodedata.normalize("NFD", wish.item)),
            replace(wish, amount=-wish.amount),
            replace(wish, amount=10 * wish.amount),
        ]
        if wish.key is not None:  # one name may not be given to several
            others = [replace(other, key=f"{wish.key}{end}") for other, end in zip(others, " .:/-", strict=True)]
        elsewhere = next(name for name in ("send", "buy", "charge") if name != wish.tool)
        others += [replace(wish, tool=elsewhere, key=wish.key and f"{wish.key}@")]
        chosen = [replace(other, id=self._id()) for other in self._draw.sample(others, 3)]
        return Story(phases=[[self._turn(each) for each in (wish, *chosen)]])

    def _changed(self) -> Story:
        """A key that is used for something else."""
        wish = self._wish(is_named=True)
        other = replace(wish, id=self._id(), amount=wish.amount + 1)
        if self._draw.random() < 0.5:
            return Story(phases=[[self._turn(wish), self._turn(other)]])
        return Story(phases=[[self._turn(wish)], [self._turn(other)], [replace(self._turn(wish), strike=None)]])

    def _turn(self, wish: Wish) -> Turn:
        is_slow = self._draw.random() < 0.15
        before, after = (self._draw.uniform(0, 1.6), self._draw.uniform(0, 1.6)) if is_slow else (0.0, 0.0)
        return Turn(wish=wish, before=round(before, 3), after=round(after, 3), strike=self._strike(wish))

    def _strike(self, wish: Wish) -> Strike | None:
        if not self._deeds or self._draw.random() * 100 >= self._strikes:
            return None
        deed = self._deeds[self._number("strike") % len(self._deeds)]  # in turn, so that a short run has each
        points = tuple(POINTS) if deed == "kill" else HALTING
        point = self._draw.choice([point for point in points if wish.key is None or point not in OF_IMPLIED])
        times = 2 if deed == "kill" and self._draw.random() < 0.2 else 1
        return Strike(token=f"{wish.id}-{deed}-{point}", point=point, deed=deed, times=times)

    def _wish(self, *, is_named: bool | None = None) -> Wish:
        user = self._draw.choice(list(USERS))
        conversation = self._draw.choice(CONVERSATIONS)
        tool = self._draw.choice(list(POLICIES))
        number = self._number((user, "" if USERS[user] else conversation))
        is_named = self._draw.random() < 0.5 if is_named is None else is_named
        return Wish(
            id=self._id(),
            user=user,
            subject="v1/shared" if USERS[user] else f"v1/{user}",
            conversation=conversation,
            tool=tool,
            item=f"thé {number}",  # the same for other users and in other conversations, like the key
            amount=1 + number % 7,
            key=f"order-{number}" if is_named else None,
            has_token=USERS[user],
        )

    def _id(self) -> str:
        return f"w{self._number('wish'):05d}"

    def _number(self, of: object) -> int:
        self._numbers[of] += 1
        return self._numbers[of]
