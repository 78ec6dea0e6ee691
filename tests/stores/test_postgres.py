"""What only the store in PostgreSQL can do wrong."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from connector.errors import DeclarationError, StoreTooNew, StoreUnavailable
from connector.stores.conformance import Bench, Check, racing
from connector.stores.port import Claim, Verdict
from connector.stores.postgres import PostgresStore
from tests.stores.servers import PASSWORD
from tests.stores.shared import empty_postgres

CLAIM = Claim(key="key", fingerprint="print", holder="first", lease=600, window=600)


@pytest.fixture
def url() -> str:
    """A schema without tables."""
    return empty_postgres()


@pytest.fixture
def admin(url: str) -> Iterator[psycopg.Connection]:
    """A connection to the same schema that is not the store's."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def tables(admin: psycopg.Connection) -> list[tuple[str, ...]]:
    """Every column of every table in the schema."""
    return admin.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = current_schema ORDER BY 1, 2"
    ).fetchall()


@pytest.mark.asyncio
async def test_a_schema_of_a_newer_version_is_refused_and_left_alone(url: str, admin: psycopg.Connection) -> None:
    """Issue 4, bad input: a store written by a newer version."""
    async with PostgresStore(url) as store:
        await store.check()
    admin.execute("UPDATE ballast_v1_schema SET version = 99")
    admin.execute("ALTER TABLE ballast_v1_calls RENAME COLUMN holder TO somebody")
    before = tables(admin)

    async with PostgresStore(url) as store:
        for _ in range(2):
            with pytest.raises(StoreTooNew, match=r"has schema 99; .* up to 2"):
                await store.claim(CLAIM)
        with pytest.raises(StoreTooNew):
            await store.check()
    assert tables(admin) == before


@pytest.mark.asyncio
async def test_a_migration_that_fails_leaves_nothing_behind(url: str, admin: psycopg.Connection) -> None:
    """Ours: a table of somebody else has the name of ours."""
    admin.execute("CREATE TABLE ballast_v1_records (of_somebody_else integer)")
    async with PostgresStore(url) as store:
        with pytest.raises(StoreUnavailable, match="already exists"):
            await store.check()
        assert [table for table, *_ in tables(admin)] == ["ballast_v1_records"]
        admin.execute("DROP TABLE ballast_v1_records")
        assert (await store.claim(CLAIM)).verdict is Verdict.CLAIMED


@pytest.mark.asyncio
async def test_an_ended_connection_is_replaced_unnoticed(url: str, admin: psycopg.Connection) -> None:
    """Ours: what an administrator, a failover or a gateway does to connections."""
    async with PostgresStore(url) as store:
        await store.claim(CLAIM)
        await store.put("kind", "key", b"1")
        for _ in range(3):
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'ballast'"
            )
            taken = await store.take("kind", "key")  # which is not sent twice
            await store.put("kind", "key", b"1")
            assert taken is not None


@pytest.mark.asyncio
async def test_an_operation_that_was_ended_in_the_middle_is_sent_again(url: str, admin: psycopg.Connection) -> None:
    """Guarantee 4 makes that safe: the claim waits for a lock, and its connection is ended while it does."""
    async with PostgresStore(url) as store:
        await store.check()
        with psycopg.connect(url) as blocker:
            blocker.execute("LOCK TABLE ballast_v1_calls")
            claiming = asyncio.ensure_future(store.claim(CLAIM))
            await _ended(admin)
            blocker.rollback()
        assert (await claiming).verdict is Verdict.CLAIMED


async def _ended(admin: psycopg.Connection) -> None:
    """End a connection of the store as soon as it waits for a lock."""
    ended = 0
    while not ended:
        await asyncio.sleep(0.01)
        ended = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'ballast' AND wait_event_type = 'Lock'"
        ).rowcount


@pytest.mark.asyncio
async def test_a_lock_nobody_gives_back_is_not_waited_for(url: str, admin: psycopg.Connection) -> None:
    """Ours: the statement is cancelled at the server too, instead of piling up behind the lock."""
    async with PostgresStore(url) as store, asyncio.timeout(30):
        await store.check()
        with psycopg.connect(url) as blocker:
            blocker.execute("LOCK TABLE ballast_v1_calls")
            with pytest.raises(StoreUnavailable, match="did not answer"):
                await store.claim(CLAIM)
            waiting = admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ballast' AND wait_event_type = 'Lock'"
            ).fetchone()
        assert waiting == (0,)
        assert await store.look("key") is None


@pytest.mark.parametrize("check", racing.CHECKS, ids=lambda check: check.name)
@pytest.mark.asyncio
async def test_races_are_decided_under_a_stricter_default(url: str, check: Check) -> None:
    """Ours: an administrator may have set `default_transaction_isolation`; the server then refuses one of two."""
    strict = f"{url}%20-cdefault_transaction_isolation%3Dserializable"
    stores = [PostgresStore(strict)]

    def again() -> PostgresStore:
        stores.append(PostgresStore(strict))
        return stores[-1]

    try:
        await check(Bench(store=stores[0], again=again))
    finally:
        for store in stores:
            await store.aclose()


@pytest.mark.asyncio
async def test_a_read_only_server_is_unavailable_for_writing(url: str) -> None:
    """Ours: a primary that was demoted."""
    async with PostgresStore(url) as store:
        await store.claim(CLAIM)
        read_only = f"{url}%20-cdefault_transaction_read_only%3Don"
        async with PostgresStore(read_only) as demoted:
            with pytest.raises(StoreUnavailable, match="read-only transaction"):
                await demoted.claim(CLAIM)
            assert await demoted.look("key") is not None


@pytest.mark.asyncio
async def test_a_wrong_password_is_said_without_it(url: str) -> None:
    """Issue 4, bad input: no secret in a message."""
    async with PostgresStore(url.replace(PASSWORD, "wrong-secret")) as store:
        with pytest.raises(StoreUnavailable, match="password authentication failed") as raised:
            await store.check()
    assert "wrong-secret" not in f"{raised.value!r} {raised.value.__cause__!r} {store!r}"


def test_a_url_that_cannot_be_read_is_refused_without_its_password() -> None:
    """Issue 4, bad input: `%` that is not percent-encoded, as passwords have it."""
    with pytest.raises(DeclarationError, match="percent-encoded") as raised:
        PostgresStore("postgresql://me:se%cret@127.0.0.1/x")
    assert "cret" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.asyncio
async def test_statements_are_prepared_only_where_the_url_says_so(url: str) -> None:
    """Ours: behind a pooler a prepared statement may be on another connection, or another client's."""
    prepared = {}
    for how in ("", "&prepare=off", "&prepare=on"):
        async with PostgresStore(url + how) as store:
            await store.claim(CLAIM)
            prepared[how] = await store._lines.ask(_prepared, again=True)
    assert prepared == {"": False, "&prepare=off": False, "&prepare=on": True}


async def _prepared(line: psycopg.AsyncConnection[tuple[object, ...]]) -> bool:
    row = await (await line.execute("SELECT count(*) > 0 FROM pg_prepared_statements", prepare=False)).fetchone()
    return bool(row and row[0])


def test_an_unknown_way_to_prepare_is_refused() -> None:
    """Issue 4, bad input."""
    with pytest.raises(DeclarationError, match="write prepare=on or prepare=off"):
        PostgresStore("postgresql://me@127.0.0.1/x?prepare=maybe")
