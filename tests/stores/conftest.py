"""The stores the conformance checks run on. A driver joins by one line in `STORES`."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from connector.stores.conformance import Bench
from connector.stores.memory import MemoryStore
from connector.stores.port import Store
from connector.stores.sqlite import SqliteStore


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


STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Bench]]] = {"memory": memory, "sqlite": sqlite}
"""By name: a context that gives an empty store. It may skip the test, with a reason, where there is no server."""
