"""The tables, their version, and the way from each version to the next.

A migration that was released is never changed; the next one is appended. The keys of records are kept as bytes (UTF-8),
which compare by code point under any collation and fit into a database of any encoding.
"""

from typing import Final, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from ...errors import StoreTooNew
from .functions import CLAIM, COMPLETE

_LOCK: Final = 0x62616C6C617374  # "ballast"; advisory locks share one number space with the rest of the database

_FIRST: Final[tuple[LiteralString, ...]] = (
    """
    CREATE TABLE ballast_v1_calls (
        key text COLLATE "C" PRIMARY KEY,
        fingerprint text NOT NULL,
        holder text NOT NULL,
        state text NOT NULL,
        epoch bigint NOT NULL,
        attempt integer NOT NULL,
        delivered boolean NOT NULL,
        result bytea,
        keep_for interval NOT NULL,
        lease_until timestamptz NOT NULL,
        begun_at timestamptz NOT NULL,
        ended_at timestamptz,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ballast_v1_calls_expiry ON ballast_v1_calls (expires_at)",
    """
    CREATE TABLE ballast_v1_records (
        kind text NOT NULL,
        key bytea NOT NULL,
        value bytea NOT NULL,
        version bigint NOT NULL,
        writer text NOT NULL,
        expires_at timestamptz,
        PRIMARY KEY (kind, key)
    )
    """,
    "CREATE INDEX ballast_v1_records_expiry ON ballast_v1_records (expires_at)",
    "CREATE SEQUENCE ballast_v1_record_version",
)

MIGRATIONS: Final[tuple[tuple[LiteralString, ...], ...]] = (_FIRST, (CLAIM, COMPLETE))

VERSION: Final = len(MIGRATIONS)


async def migrate(line: AsyncConnection[TupleRow]) -> None:
    """Bring the schema up to date, also when several processes begin to at once.

    Raises:
        StoreTooNew: It was written by a newer version. Nothing was changed.
        psycopg.Error: The server did not let us.
    """
    if await _version(line) == VERSION:
        return
    async with line.transaction():
        # Under "repeatable read", which an administrator may have made the default, whoever waited for the lock would
        # not see what was done under it.
        await line.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        await line.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        # To ask for the table first would not do: that it is not there may be remembered from before the lock.
        await line.execute("CREATE TABLE IF NOT EXISTS ballast_v1_schema (version integer NOT NULL)")
        for migration in MIGRATIONS[await _written(line) :]:
            for statement in migration:
                await line.execute(statement)
        await line.execute("DELETE FROM ballast_v1_schema")
        await line.execute("INSERT INTO ballast_v1_schema VALUES (%s)", (VERSION,))


async def _version(line: AsyncConnection[TupleRow]) -> int:
    """The version of the schema, 0 if there is none."""
    there = await (await line.execute("SELECT to_regclass('ballast_v1_schema')::text")).fetchone()
    return 0 if there is None or there[0] is None else await _written(line)


async def _written(line: AsyncConnection[TupleRow]) -> int:
    row = await (await line.execute("SELECT version FROM ballast_v1_schema")).fetchone()
    found = 0 if row is None else int(row[0])
    if found > VERSION:
        raise StoreTooNew(
            f"The PostgreSQL store has schema {found}; this version of mcp-ballast knows schemas up to {VERSION}. "
            "Upgrade mcp-ballast, or name another database."
        )
    return found
