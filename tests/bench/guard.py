"""What a guarded call pays at its store: `python -m tests.bench.guard --write`.

Thirty-two writers at once, each claiming and completing calls of its own, or all of them a few keys. Every store is
measured against the least it needs anyway: two statements of the same kind on the same connection pool, from the same
number of writers.
"""

import asyncio
import random
import secrets
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import LiteralString

import click
import psycopg
import redis.asyncio

from connector.stores.memory import MemoryStore
from connector.stores.port import Claim, State, Store, Verdict
from connector.stores.postgres import PostgresStore
from connector.stores.redis import RedisStore
from connector.stores.sqlite import SqliteStore
from tests.stores.servers import postgres_server, redis_server

from .report import setting, write_between_markers

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
WRITERS = 32
RESULT = b'{"result":{"content":[{"type":"text","text":"' + b"x" * 200 + b'"}]}}'

Plain = tuple[Callable[[str], Awaitable[None]], Callable[[str], Awaitable[None]]]
"""What notes that a call began, and what notes that it ended, without any rule."""


@dataclass(slots=True)
class Times:
    """Milliseconds of single operations."""

    ms: list[float] = field(default_factory=list)

    async def of(self, work: Awaitable[object]) -> object:
        """Await `work`, and note how long it took."""
        begun = time.perf_counter()
        answer = await work
        self.ms.append((time.perf_counter() - begun) * 1000)
        return answer

    def __str__(self) -> str:
        cuts = quantiles(self.ms, n=100)
        return f"{cuts[49]:.2f} / {cuts[98]:.2f}"


async def own_calls(store: Store, *, calls: int, pause: float) -> tuple[Times, Times, float]:
    """Each writer claims and completes calls of its own; claims, completions, and pairs a second."""
    claims, completions = Times(), Times()

    async def writer() -> None:
        for _ in range(calls // WRITERS):
            claim = _claim(secrets.token_hex(16))
            answer = await claims.of(store.claim(claim))
            assert getattr(answer, "verdict", None) is Verdict.CLAIMED
            done = store.complete(claim.key, epoch=1, holder=claim.holder, state=State.DONE, result=RESULT, window=60.0)
            assert await completions.of(done) is True
            await asyncio.sleep(_about(pause))

    return claims, completions, await _timed(writer, calls)


async def shared_calls(store: Store, *, calls: int) -> tuple[Times, float]:
    """All writers claim the same few keys; claims, and claims a second."""
    claims, keys = Times(), [secrets.token_hex(16) for _ in range(4)]

    async def writer() -> None:
        for number in range(calls // WRITERS):
            await claims.of(store.claim(_claim(keys[number % len(keys)])))

    return claims, await _timed(writer, calls)


async def least(plain: Plain, *, calls: int, pause: float) -> tuple[Times, float]:
    """Each writer does the least that a claim and a completion could be."""
    times, (begin, end) = Times(), plain

    async def writer() -> None:
        for _ in range(calls // WRITERS):
            key = secrets.token_hex(16)
            await times.of(begin(key))
            await times.of(end(key))
            await asyncio.sleep(_about(pause))

    return times, await _timed(writer, calls)


async def _timed(writer: Callable[[], Awaitable[None]], calls: int) -> float:
    begun = time.perf_counter()
    await asyncio.gather(*(writer() for _ in range(WRITERS)))
    return calls / (time.perf_counter() - begun)


def _about(pause: float) -> float:
    """A pause of that length on average: writers that keep step would all come at once."""
    return 2 * pause * random.random()


def _claim(key: str) -> Claim:
    return Claim(key=key, fingerprint="f" * 64, holder=secrets.token_hex(16), lease=30.0, window=60.0, grace=1.0)


@asynccontextmanager
async def _plain_postgres(url: str) -> AsyncIterator[Plain]:
    free: asyncio.Queue[psycopg.AsyncConnection] = asyncio.Queue()
    connections = [await psycopg.AsyncConnection.connect(url, autocommit=True) for _ in range(8)]
    for connection in connections:
        connection.prepare_threshold = None
        free.put_nowait(connection)
    await connections[0].execute("CREATE TABLE plain (key text PRIMARY KEY, value bytea, expires_at timestamptz)")
    await connections[0].execute("CREATE INDEX ON plain (expires_at)")

    async def execute(statement: LiteralString, *values: object) -> None:
        connection = await free.get()
        try:
            await connection.execute(statement, values)
        finally:
            free.put_nowait(connection)

    async def begin(key: str) -> None:
        await execute("INSERT INTO plain VALUES (%s, NULL, now() + interval '90 s')", key)

    async def end(key: str) -> None:
        await execute("UPDATE plain SET value = %s, expires_at = now() + interval '60 s' WHERE key = %s", RESULT, key)

    yield begin, end
    for connection in connections:
        await connection.close()


@asynccontextmanager
async def _plain_redis(url: str) -> AsyncIterator[Plain]:
    pool = redis.asyncio.BlockingConnectionPool.from_url(url, max_connections=16, timeout=5.0, socket_timeout=3.0)
    client = redis.asyncio.Redis.from_pool(pool)

    async def begin(key: str) -> None:
        await client.set(key, b"", px=90_000)

    async def end(key: str) -> None:
        await client.set(key, RESULT, px=60_000)

    yield begin, end
    await client.aclose()


async def _row(name: str, store: Store, plain: Plain | None, *, calls: int) -> str:
    pause = 0.05
    async with store:
        await store.check()
        await own_calls(store, calls=WRITERS * 4, pause=0)
        claims, completions, _ = await own_calls(store, calls=calls, pause=pause)
        _, _, most = await own_calls(store, calls=calls, pause=0)
        contended, _ = await shared_calls(store, calls=calls)
    row = f"| {name} | {claims} | {completions} | {contended} | {most:.0f} |"
    if plain is None:
        return f"{row} | | |"
    times, _ = await least(plain, calls=calls, pause=pause)
    _, least_most = await least(plain, calls=calls, pause=0)
    return f"{row} {times} | {least_most / most:.2f} |"


async def _rows(calls: int) -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield await _row("memory", MemoryStore(), None, calls=calls)
        yield await _row("SQLite, full", SqliteStore(f"{folder}/full.sqlite3"), None, calls=calls)
        yield await _row("SQLite, normal", SqliteStore(f"{folder}/n.sqlite3", synchronous="normal"), None, calls=calls)
    with postgres_server() as server:
        async with _plain_postgres(server.url) as plain:
            yield await _row("PostgreSQL", PostgresStore(server.url), plain, calls=calls)
    with redis_server() as server:
        async with _plain_redis(server.url) as plain:
            yield await _row("Redis", RedisStore(server.url), plain, calls=calls)


async def _of_processes(url: str, processes: int, *, calls: int) -> float:
    """Calls a second that so many processes get through together, each with its share of the writers."""
    words = [sys.executable, "-m", "tests.bench.guard", "--of", url, "--calls", str(calls // processes)]
    workers = [await asyncio.create_subprocess_exec(*words, stdout=PIPE) for _ in range(processes)]
    return sum([float((await worker.communicate())[0]) for worker in workers])


async def _in_processes(calls: int) -> str:
    with postgres_server() as server:
        one, two = [await _of_processes(server.url, count, calls=calls) for count in (1, 2)]
    return f"PostgreSQL, calls/s of one process: {one:.0f}; of two: {two:.0f}; ratio {two / one:.2f}"


async def _most(url: str, calls: int) -> float:
    async with PostgresStore(url) as store:
        await store.check()
        return (await own_calls(store, calls=calls, pause=0))[2]


async def _measured(calls: int) -> list[str]:
    return [row async for row in _rows(calls)]


@click.command()
@click.option("--calls", default=6400, show_default=True, help="Calls for each figure.")
@click.option("--write", is_flag=True, help="Write the table into docs/benchmarks.md.")
@click.option("--of", "url", help="Only print how many calls a second a PostgreSQL store takes.")
def main(*, calls: int, write: bool, url: str | None) -> None:
    """Measure claims and completions on every store."""
    if url is not None:
        sys.stdout.write(f"{asyncio.run(_most(url, calls))}\n")
        return
    report = "\n".join(
        [
            setting("python -m tests.bench.guard --write", "not pinned", f"{WRITERS} writers in one process"),
            "",
            "| store | claim p50/p99 ms | completion | claims of 4 keys | most calls/s | least p50/p99 | ratio |",
            "|---|--:|--:|--:|--:|--:|--:|",
            *asyncio.run(_measured(calls)),
            "",
            asyncio.run(_in_processes(calls)),
        ]
    )
    sys.stdout.write(report + "\n")
    if write:
        write_between_markers(PAGE, "bench-guard", report)


if __name__ == "__main__":
    main()
