"""The stores the conformance checks run on. A driver joins by one line in `STORES`."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from connector.stores.conformance import Bench
from connector.stores.memory import MemoryStore
from connector.stores.port import Store
from connector.stores.postgres import PostgresStore
from connector.stores.redis import RedisStore
from connector.stores.sqlite import SqliteStore
from tests.stores.shared import empty_postgres, empty_redis, stop_shared


@pytest.fixture(scope="session", autouse=True)
def servers_end() -> Iterator[None]:
    """Stop the servers that tests share."""
    yield
    stop_shared()


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[Bench]:
    """One process has one memory: a second client is the same object."""
    async with MemoryStore() as store:
        yield Bench(store=store, again=lambda: store)


@asynccontextmanager
async def benched(make: Callable[[], Store]) -> AsyncIterator[Bench]:
    """A bench of separate clients of the same data, all closed in the end."""
    clients: list[Store] = []

    def again() -> Store:
        clients.append(make())
        return clients[-1]

    try:
        yield Bench(store=again(), again=again)
    finally:
        for client in clients:
            await client.aclose()


def sqlite(folder: Path) -> AbstractAsyncContextManager[Bench]:
    """Each client has a connection and a thread of its own, as another process has."""
    return benched(lambda: SqliteStore(folder / "store.sqlite3"))


def postgres(folder: Path) -> AbstractAsyncContextManager[Bench]:
    """Each client has connections of its own."""
    url = empty_postgres()
    return benched(lambda: PostgresStore(url))


def redis(folder: Path) -> AbstractAsyncContextManager[Bench]:
    """Each client has connections of its own."""
    url = empty_redis()
    return benched(lambda: RedisStore(url))


STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Bench]]] = {
    "memory": memory,
    "sqlite": sqlite,
    "postgres": postgres,
    "redis": redis,
}
"""By name: a context that gives an empty store. It may skip the test, with a reason, where there is no server."""
