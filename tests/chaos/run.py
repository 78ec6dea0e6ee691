"""One run: ledger, store, workers and proxies are started, stories are played against them, and all of it is kept.

Everything is on loopback, in processes of its own, and ended for certain. What happened is judged elsewhere.
"""

import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

from tests.chaos.client import ask, request_for
from tests.chaos.crew import SETTINGS, Crew, nursery
from tests.chaos.faults import FOLDER, Deed, Plan
from tests.chaos.history import POLICIES, Asking, Ending, Fault, History, Told, Wish
from tests.chaos.ledger import lines_of
from tests.chaos.proxies import proxies
from tests.chaos.shop import FORGETFUL
from tests.chaos.stores import SHELVES, Shelf
from tests.chaos.stories import Author, Story, Turn
from tests.proxies.processes import Program, free_ports, python_module, running

FAULTS: Final = ("kill", "leave", "stop", "cut", "store", "clock")

_FAKETIME: Final = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")

_MOST_TRIES: Final = 12
_PAUSES: Final = {Ending.REFUSED: 2.0, Ending.UNKNOWN: 1.5}
"""The longest pause in seconds before asking again; 0.6 where nothing was said."""

_AT_ONCE: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """What a run is to be. `calls` is how many requests clients send at least, `lease` and `grace` are seconds,
    `strikes` is how many of a hundred stories are struck by a fault at a commit point. `is_forgetful` breaks the store,
    to see that it is noticed.
    """

    store: str
    calls: int
    seed: int
    faults: Sequence[str] = FAULTS
    lease: float = 1.5
    grace: float = 0.3
    strikes: float = 4.0
    is_forgetful: bool = False

    def troubles(self, kinds: int) -> int:
        """How often something is done to the store: each kind once at least, and once for a thousand calls."""
        return max(kinds, self.calls // 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of a run. `struck` are the faults that reached their point, as `deed point`; `workers` are the process
    ids of those who served at its end, and are gone.
    """

    plans: Plans
    history: History
    struck: Counter[str]
    seconds: float
    clock: str
    workers: Sequence[int]


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
            await asyncio.gather(*(self._later(turn) for turn in phase))

    async def _later(self, turn: Turn) -> None:
        if turn.later:
            await asyncio.sleep(turn.later)
        cut = turn.cut if "cut" in self.plans.faults else None
        await self._until_answered(replace(turn, cut=cut))

    async def _until_answered(self, turn: Turn) -> None:
        """Ask until there is an answer. Who was refused waits longer; who gave a name asks twice about the unknown."""
        hopes = {Ending.UNKNOWN: 1 if turn.wish.key else 0}
        pause = 0.0
        for _ in range(_MOST_TRIES):
            await asyncio.sleep(pause * self._draw.uniform(0.1, 1))
            asking = await self._ask(turn)
            if _is_over(turn.wish, asking) and not hopes.get(asking.ending):
                return
            if asking.ending is Ending.UNKNOWN:
                hopes[Ending.UNKNOWN] -= 1
            pause = _PAUSES.get(asking.ending, 0.6)
            turn = replace(turn, cut=None, strike=None)

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


async def run(plans: Plans) -> Ran:
    """Run as planned."""
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ballast-chaos-")))
        shelf = stack.enter_context(SHELVES[plans.store](folder))
        book, strikes = folder / "ledger.jsonl", folder / "strikes"
        strikes.mkdir()
        ledger = stack.enter_context(_ledger(book, folder))
        crew, clock = await _crew(plans, shelf, ledger, folder, stack)
        await stack.enter_async_context(crew.at_work())
        stage = Stage(plans, _ways(crew, folder, stack), _author(plans, shelf))
        async with _troubled(plans, shelf, crew, stage) as troubles:
            await stage.play()
        await asyncio.sleep(2 * plans.lease)
        await stage.ask_at_last()
        struck = Counter(" ".join(file.stem.split("-")[1:]) for file in strikes.iterdir())
        history = History(
            wishes=list(stage.wishes.values()),
            askings=sorted(stage.askings, key=lambda asking: asking.ended_at),
            told=_told(book),
            faults=[*crew.faults, *troubles],
            grace=plans.grace,
        )
    workers = [worker.pid for worker in crew.workers]
    seconds = time.monotonic() - begun
    return Ran(plans=plans, history=history, struck=struck, seconds=seconds, clock=clock, workers=workers)


def _ways(crew: Crew, folder: Path, stack: AsyncExitStack) -> dict[str, int]:
    """The ports that clients may ask: both proxies, and each worker, which then sees the client itself leave."""
    ports = [worker.port for worker in crew.workers]
    return stack.enter_context(proxies(ports, folder)) | {f"direct {each}": port for each, port in enumerate(ports)}


@asynccontextmanager
async def _troubled(plans: Plans, shelf: Shelf, crew: Crew, stage: Stage) -> AsyncIterator[list[Fault]]:
    """Do to the store what can be done to it, spread over the run."""
    faults: list[Fault] = []
    names = list(shelf.troubles) if "store" in plans.faults else []

    async def trouble() -> None:
        times = plans.troubles(len(names))
        for number in range(times):
            await stage.has_asked(plans.calls * (number + 1) // (times + 1))
            name, begun_at = names[number % len(names)], time.time()
            await asyncio.to_thread(shelf.troubles[name], [worker.pid for worker in crew.workers])
            faults.append(Fault(what=name, begun_at=begun_at, ended_at=time.time()))

    task = asyncio.create_task(trouble())
    yield faults
    await task


@contextmanager
def _ledger(book: Path, folder: Path) -> Iterator[int]:
    def programs() -> list[Program]:
        (port,) = free_ports(1)
        return [Program(command=python_module("tests.chaos.ledger", str(port), str(book)), ports=[port])]

    with running(programs, folder) as begun:
        yield begun[0].ports[0]


async def _crew(plans: Plans, shelf: Shelf, ledger: int, folder: Path, stack: AsyncExitStack) -> tuple[Crew, str]:
    environment = {
        **SETTINGS,
        "BALLAST_LEASE": str(plans.lease),
        "BALLAST_GRACE": str(plans.grace),
        FOLDER: str(folder / "strikes"),
        FORGETFUL: "1" if plans.is_forgetful else "",
    }
    arguments = [shelf.url, str(ledger)]
    nurseries = [await stack.enter_async_context(nursery(arguments, environment, _log(plans, folder)))]
    clock = "right everywhere"
    if "clock" in plans.faults and shelf.has_own_clock:
        wrong, clock = _wrong_clock()
        nurseries.append(await stack.enter_async_context(nursery(arguments, environment | wrong, _log(plans, folder))))
    crew = Crew(nurseries, 3 if shelf.is_shared else 1, lease=plans.lease, draw=random.Random(plans.seed + 2))
    return crew, clock


def _log(plans: Plans, folder: Path) -> Path:
    """Where workers write what they log; it is lost with the folder unless somebody wants it."""
    kept = os.environ.get("CHAOS_LOG")
    return Path(f"{kept}.{plans.store}") if kept else folder / "workers.log"


def _wrong_clock() -> tuple[dict[str, str], str]:
    """An hour ahead for one worker: by libfaketime, through which all its calls go, else in Python only."""
    if _FAKETIME.exists():
        said = {"LD_PRELOAD": str(_FAKETIME), "FAKETIME": "+3600s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return said, "one worker an hour ahead (libfaketime)"
    return {"CHAOS_CLOCK": "3600"}, "one worker an hour ahead (time.time only; libfaketime is not installed)"


def _author(plans: Plans, shelf: Shelf) -> Author:
    """Draws what is played. Where there is one worker, whatever stops it stops everything: that happens less often."""
    strikes = plans.strikes if shelf.is_shared else plans.strikes / 4
    return Author(plans.seed, strikes=strikes, deeds=_deeds(plans, shelf), grace=plans.grace)


def _deeds(plans: Plans, shelf: Shelf) -> list[Deed]:
    deeds: list[Deed] = []
    if "kill" in plans.faults and shelf.is_shared:
        deeds += ["kill", "kill", "kill"]
    if "leave" in plans.faults and shelf.is_shared:
        deeds += ["leave"]
    if "stop" in plans.faults:
        deeds += ["stop"]
    return deeds


def _told(book: Path) -> list[Told]:
    known = set(Told.__dataclass_fields__)
    return [Told(**{name: value for name, value in line.items() if name in known}) for line in lines_of(book)]
