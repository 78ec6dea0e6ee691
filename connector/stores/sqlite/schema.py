"""The tables, and how a file of an older version becomes one of this.

A version is the number of steps a file has taken; it stands in `PRAGMA user_version`. A step, once released, is never
changed: what has to change is a step more. Table names carry the version of their meaning, so that a later meaning can
live beside this one.
"""

import sqlite3

from ...errors import StoreTooNew

APPLICATION = 0x42616C73
"""`Bals`: `PRAGMA application_id` of our files, so that no other program's database is taken for one."""

TABLES = (
    """
    CREATE TABLE ballast_v1_calls (
        key TEXT PRIMARY KEY,
        fingerprint TEXT NOT NULL,
        state TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        holder TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        lease_until REAL NOT NULL,
        kept_for REAL NOT NULL,
        begun_at REAL NOT NULL,
        ended_at REAL,
        delivered INTEGER NOT NULL,
        expires_at REAL NOT NULL,
        result BLOB
    )
    """,
    # AUTOINCREMENT, and a new row for every write, is what keeps a version from ever coming twice.
    """
    CREATE TABLE ballast_v1_records (
        version INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        expires_at REAL,
        value BLOB NOT NULL,
        UNIQUE (kind, key)
    )
    """,
)
EXPIRY = (
    "CREATE INDEX ballast_v1_calls_by_expiry ON ballast_v1_calls (expires_at)",
    "CREATE INDEX ballast_v1_records_by_expiry ON ballast_v1_records (expires_at) WHERE expires_at IS NOT NULL",
)
MIGRATIONS: tuple[tuple[str, ...], ...] = (TABLES, EXPIRY)
"""The statements of each step, oldest first; step 2 makes sweeping cheap."""


def version(connection: sqlite3.Connection) -> int:
    """How many steps the file has taken."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def require_known(connection: sqlite3.Connection, path: str) -> None:
    """Refuse a file that has taken steps we do not know.

    Raises:
        StoreTooNew: It has.
    """
    if (found := version(connection)) > len(MIGRATIONS):
        raise StoreTooNew(
            f"the store {path!r} has schema version {found}, and this version of mcp-ballast knows {len(MIGRATIONS)}: "
            "upgrade mcp-ballast, or name another file; nothing was changed"
        )


def is_foreign(connection: sqlite3.Connection) -> bool:
    """Whether another program has put something into the file.

    The mark is read last: another process may make the file ours between two looks, with mark and tables at once.
    """
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not (tables or version(connection)):
        return False
    return bool(connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION)


def bring_up_to_date(connection: sqlite3.Connection, path: str) -> None:
    """Take the steps that are missing, all or none, also when several processes begin at once.

    Raises:
        StoreTooNew: The file is ahead of this version. Nothing was changed.
        sqlite3.Error: It cannot be done now.
    """
    require_known(connection, path)
    if version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        require_known(connection, path)  # Another process may have been first.
        for step in range(version(connection), len(MIGRATIONS)):
            for statement in MIGRATIONS[step]:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
