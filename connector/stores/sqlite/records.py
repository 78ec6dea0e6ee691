"""Records as rows: each function is an operation in a transaction that somebody else has begun."""

import sqlite3
import sys
from collections.abc import Sequence

from ..port import Record

LIVING = "kind = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)"
GET = f"SELECT key, value, version, expires_at FROM ballast_v1_records WHERE {LIVING}"  # noqa: S608  # a constant
PUT = "INSERT OR REPLACE INTO ballast_v1_records (kind, key, value, expires_at) VALUES (?, ?, ?, ?)"
DELETE = "DELETE FROM ballast_v1_records WHERE kind = ? AND key = ?"
PAGE = """
    SELECT key, value, version, expires_at FROM ballast_v1_records
    WHERE kind = ? AND key >= ? AND key > ? AND (? IS NULL OR key < ?) AND (expires_at IS NULL OR expires_at > ?)
    ORDER BY key LIMIT ?
"""
SWEEP = """
    DELETE FROM ballast_v1_records WHERE version IN (
        SELECT version FROM ballast_v1_records WHERE expires_at <= ? ORDER BY expires_at LIMIT ?
    )
"""


SURROGATES = range(0xD800, 0xE000)
"""Code points that no text in UTF-8 has."""


def get(connection: sqlite3.Connection, now: float, kind: str, key: str) -> Record | None:
    """See `Records.get`."""
    row = connection.execute(GET, (kind, key, now)).fetchone()
    return row and _record(row)


def put(
    connection: sqlite3.Connection,
    now: float,
    *,
    kind: str,
    key: str,
    value: bytes,
    expires_in: float | None,
    version: int | None,
) -> int | None:
    """See `Records.put`."""
    if version is not None:
        there = get(connection, now, kind, key)
        if version != (there.version if there else 0):
            return None
    expires_at = None if expires_in is None else now + expires_in
    return connection.execute(PUT, (kind, key, value, expires_at)).lastrowid


def take(connection: sqlite3.Connection, now: float, kind: str, key: str) -> Record | None:
    """See `Records.take`."""
    there = get(connection, now, kind, key)
    if there is not None:
        connection.execute(DELETE, (kind, key))
    return there


def page(
    connection: sqlite3.Connection, now: float, *, kind: str, prefix: str, after: str, limit: int
) -> Sequence[Record]:
    """See `Records.page`."""
    end = _end(prefix)
    rows = connection.execute(PAGE, (kind, prefix, after, end, end, now, limit))
    return [_record(row) for row in rows]


def sweep(connection: sqlite3.Connection, now: float, limit: int) -> int:
    """Delete up to `limit` expired records; how many."""
    return connection.execute(SWEEP, (now, limit)).rowcount


def _record(row: tuple[str, bytes, int, float | None]) -> Record:
    return Record(key=row[0], value=row[1], version=row[2], expires_at=row[3])


def _end(prefix: str) -> str | None:
    """The first text after all that begin with the prefix, by code point; None if there is none.

    LIKE and GLOB would do for plain prefixes, and take `%`, `_`, `*` and `[` for patterns.
    """
    for last in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[last]) + 1
        point = SURROGATES.stop if point in SURROGATES else point
        if point <= sys.maxunicode:
            return prefix[:last] + chr(point)
    return None
