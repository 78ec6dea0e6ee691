"""One run: ledger, store, workers and proxies are started, stories are played against them, and all of it is kept.

Everything is on loopback, in processes of its own, and ended for certain. What happened is judged elsewhere.
"""

import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos.crew import SETTINGS, Crew, nursery
from tests.chaos.faults import FOLDER, Deed
from tests.chaos.history import Fault, History, Told
from tests.chaos.ledger import lines_of
from tests.chaos.plans import Plans
from tests.chaos.proxies import proxies
from tests.chaos.shop import FORGETFUL
from tests.chaos.stage import Stage
from tests.chaos.stores import SHELVES, Shelf
from tests.chaos.stories import Author
from tests.proxies.processes import Program, free_ports, python_module, running

_FAKETIME: Final = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


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
    deeds: list[Deed] = ["stop"] if "stop" in plans.faults else []
    if "kill" in plans.faults and shelf.is_shared:
        deeds += ["kill", "kill", "kill"]
    if "leave" in plans.faults and shelf.is_shared:
        deeds += ["leave"]
    return deeds


def _told(book: Path) -> list[Told]:
    known = set(Told.__dataclass_fields__)
    return [Told(**{name: value for name, value in line.items() if name in known}) for line in lines_of(book)]
