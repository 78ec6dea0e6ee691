"""What is counted stays counted: several workers, a store that is away, floods, and every kind of store."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.errors import StoreUnavailable
from connector.recorder.book import Book, Visit
from connector.recorder.reading import BookContents, read_book
from connector.recorder.register import Arrived, CameTo
from connector.recorder.shelf.rows import MOST_SHAPES, MOST_UNKNOWN_SURFACES
from connector.recorder.sighting import MOST_SUBJECTS
from connector.settings import BookSettings
from connector.stores.memory import MemoryStore
from connector.stores.opening import open_store
from connector.stores.port import Record, Store
from tests.stores.shared import empty_postgres, empty_redis, stop_shared
from tests.visitors.wording import tool_call

DAY = 86_400
NOON = 20_000 * DAY + DAY // 2

FINE = CameTo(status=200)


@pytest.fixture(scope="module", autouse=True)
def servers_end() -> Iterator[None]:
    """Stop what was started."""
    yield
    stop_shared()


STORES: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder}/book.sqlite3",
    "postgres": lambda _: empty_postgres(),
    "redis": lambda _: empty_redis(),
}


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def book(store: Store, *, name: str = "shop", clock: Clock | None = None) -> Book:
    """A book of one worker."""
    return Book(name, store, BookSettings(), version="1", clock=clock or Clock())


def arrived(who: str = "ann", *, agent: str = "", meta: Mapping[str, Any] | None = None) -> Arrived:
    """A tool call of somebody's, with more members in its `_meta`."""
    unheard = {"io.modelcontextprotocol/clientInfo": {"name": "unheard of", "version": "1"}} if agent else {}
    seen = tool_call(who, meta={**unheard, **(meta or {})}, lines={"user-agent": agent} if agent else None)
    lines = [(name.encode(), value.encode()) for name, value in seen.headers]
    return Arrived("POST", "/mcp", b"", lines, seen.body, "192.0.2.1")


def names(count: int) -> list[str]:
    """As many names that look like names."""
    return [f"{one}{two}" for one in GREEK for two in SYLLABLES][:count]


GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "omega")
SYLLABLES = [
    f"{a}{b}" for a in ("Ma", "Ne", "Ri", "Lo", "Ta", "Se") for b in ("den", "ran", "ter", "les", "nor", "mit")
]


@pytest.mark.asyncio
@pytest.mark.parametrize("url", STORES.values(), ids=STORES)
async def test_workers_lose_no_count_of_one_another(url: Callable[[Path], str], tmp_path: Path) -> None:
    """Issue 7 items 1 and 5: several workers and processes merge, and a fleet shares one store."""
    place = url(tmp_path)
    stores = [open_store(place) for _ in range(4)]
    workers = [book(store, name=name) for store, name in zip(stores, ("shop", "shop", "shop", "bank"), strict=True)]
    for _ in range(3):
        for number, worker in enumerate(workers):
            worker.note(arrived(f"user-{number % 2}"), FINE)
            worker.note(arrived("ann"), CameTo(status=None, cut_after=59.81))
        while not all(await asyncio.gather(*(worker.flush() for worker in workers))):
            pass  # a row was changed by others too many times in a row: what was not put there waits for the next time

    contents = await read_book(stores[0])
    for store in stores:
        await store.aclose()

    assert [(each.connector, each.count, each.subjects) for each in contents.sightings] == [
        ("bank", 6, 2),
        ("shop", 18, 3),
    ]
    (bank, shop) = contents.cadences
    assert (shop.count, dict(shop.cut_after), shop.hour) == (18, {59: 9}, int(NOON) // 3600)
    assert (bank.count, dict(bank.cut_after)) == (6, {59: 3})
    assert [(each.connector, each.kind, each.count, each.total) for each in contents.failures] == [
        ("bank", "cut", 3, 6), ("shop", "cut", 9, 18),
    ]  # fmt: skip
    assert [(each.connector, each.build) for each in contents.deploys] == [("bank", "1"), ("shop", "1")]


class Away(MemoryStore):
    """A store that cannot be reached for a while."""

    is_away = False

    async def get(self, kind: str, key: str) -> Record | None:
        if self.is_away:
            raise StoreUnavailable("nobody answers")
        return await super().get(kind, key)


@pytest.mark.asyncio
async def test_a_store_that_was_away_gets_everything_when_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    """Issue 7 item 1: a store that is down loses nothing but what does not fit, and says so once."""
    caplog.set_level(logging.INFO, "ballast.recorder")
    store = Away()
    worker = book(store)
    store.is_away = True
    for _ in range(3):
        worker.note(arrived(), FINE)
        assert not await worker.flush()
    store.is_away = False
    assert await worker.flush()

    contents = await read_book(store)

    assert [each.count for each in contents.sightings] == [3]
    assert [each.count for each in contents.cadences] == [3]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def flooded(members: list[str], *, agents: list[str]) -> BookContents:
    """What is in the store after somebody has invented members and clients, and one that all send came again."""
    store, clock = MemoryStore(), Clock()
    first, second = book(store, clock=clock), book(store, clock=clock)
    for turn, worker in enumerate((first, second)):
        for _ in range(5):
            worker.note(arrived(), FINE)
        for name in members[turn::2]:
            clock.now += 1
            worker.note(arrived(meta={name: 1}), FINE)
        for agent in agents[turn::2]:
            worker.note(arrived(agent=f"{agent}/1.0"), FINE)
        await worker.flush()
    return await read_book(store)


@pytest.mark.asyncio
async def test_rows_are_bounded_and_what_is_seen_often_stays() -> None:
    """Issue 7 item 1: bounded in memory and rows; issue 7 item 2: rare shapes decay."""
    contents = await flooded(names(400), agents=[])

    assert len(contents.sightings) == MOST_SHAPES
    assert max(each.count for each in contents.sightings) == 10
    assert sum(each.total for each in contents.failures) == 410


@pytest.mark.asyncio
async def test_clients_that_nobody_knows_get_only_so_many_names() -> None:
    """Ours: surfaces are rows and labels."""
    contents = await flooded([], agents=names(40))
    surfaces = {each.shape.surface for each in contents.sightings}

    assert len([surface for surface in surfaces if surface.startswith("unknown:")]) == MOST_UNKNOWN_SURFACES
    assert "other" in surfaces


@pytest.mark.asyncio
async def test_a_crowd_is_many_and_nobody() -> None:
    """Issue 7 item 2: a shape must be seen by more than one subject; who they are is not kept."""
    store = MemoryStore()
    worker = book(store)
    for number in range(50):
        worker.note(arrived(f"person-{number}@example.org"), FINE)
    await worker.flush()

    (sighting,) = (await read_book(store)).sightings
    (row,) = await store.page("shape")

    assert (sighting.count, sighting.subjects) == (50, MOST_SUBJECTS)
    assert b"person" not in row.value


@pytest.mark.asyncio
async def test_parallel_requests_of_one_person_are_told_from_a_crowd() -> None:
    """Incident P-04: two clients of one person, and every call twice."""
    store = MemoryStore()
    worker = book(store)
    for who in ("ann", "ben", "ann"):
        visit = Visit()
        visit.arrived = arrived(who)
        worker.arrive(visit)
    await worker.flush()

    (cadence,) = (await read_book(store)).cadences

    assert (cadence.count, cadence.longest_parallel) == (3, 2)


@pytest.mark.asyncio
async def test_a_busy_book_lets_only_what_is_rare_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 7 item 1: bounded in memory; OAuth is rare, and every step of it counts."""
    monkeypatch.setattr("connector.recorder.book.MOST_WAITING", 20)
    store = MemoryStore()
    worker = book(store)
    for _ in range(100):
        worker.note(arrived(), FINE)
    worker.note(Arrived("POST", "/token", b"", [], b"grant_type=refresh_token"), FINE)
    await worker.flush()

    contents = await read_book(store)

    assert {(each.shape.method, each.count) for each in contents.sightings} == {("tools/call", 10), ("POST /token", 1)}
    assert worker.skipped == 90


@pytest.mark.asyncio
async def test_a_body_that_is_too_long_is_counted_and_not_looked_at() -> None:
    """Ours: 4 MiB of arguments must not be read twice."""
    store = MemoryStore()
    worker = book(store)
    worker.note(Arrived("POST", "/mcp", b"", [(b"mcp-method", b"tools/call")], None, is_partial=True), FINE)
    await worker.flush()

    contents = await read_book(store)

    assert contents.sightings == ()
    assert [(each.method, each.count) for each in contents.cadences] == [("tools/call", 1)]


@pytest.mark.asyncio
async def test_a_row_of_another_version_is_counted_and_left_alone() -> None:
    """Ours: what outlives a process has a version."""
    store = MemoryStore()
    await store.put("shape", "shop/chatgpt/0", b'{"v":99}')
    await store.put("deploy", "shop/1", b"not json")

    contents = await read_book(store)

    assert (contents.sightings, contents.deploys, contents.unreadable) == ((), (), 2)
