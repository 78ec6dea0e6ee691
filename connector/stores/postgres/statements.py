"""What is asked of PostgreSQL: one statement for each operation, each atomic by itself.

A statement that meets a row another one is changing waits for it, and then decides on the row as it has become: under
"read committed" (the server's default) that is how conflicting inserts and updates work; under a stricter default the
server refuses and the statement is sent again. Where several columns depend on one decision, the clock is read once,
after the row is locked.
"""

# ruff: noqa: S608  # no value is ever put into a statement: all of them are literal strings, which mypy checks

from typing import Final, LiteralString

from .rows import ENTRY, NOW

CLAIM: Final[LiteralString] = """
    SELECT * FROM ballast_v1_claim(
        %(key)s, %(fingerprint)s, %(holder)s, %(lease)s, %(window)s, %(grace)s::float8, %(takes_over)s
    )
"""

LOOK: Final[LiteralString] = f"""
    SELECT {ENTRY} FROM ballast_v1_calls AS c WHERE c.key = %(key)s AND c.expires_at > clock_timestamp()
"""

_MINE: Final[LiteralString] = """
    c.key = %(key)s AND c.epoch = %(epoch)s AND c.holder = %(holder)s AND c.expires_at > clock_timestamp()
"""

RENEW: Final[LiteralString] = f"""
    UPDATE ballast_v1_calls AS c
    SET (lease_until, expires_at) = (
        SELECT now + make_interval(secs => %(lease)s), now + make_interval(secs => %(lease)s) + c.keep_for
        FROM {NOW}
    )
    WHERE {_MINE} AND c.state = 'running'
"""

COMPLETE: Final[LiteralString] = """
    SELECT ballast_v1_complete(%(key)s, %(epoch)s, %(holder)s, %(state)s, %(result)s::bytea, %(window)s)
"""

RELEASE: Final[LiteralString] = f"DELETE FROM ballast_v1_calls AS c WHERE {_MINE} AND c.state = 'running'"

DELIVERED: Final[LiteralString] = """
    UPDATE ballast_v1_calls AS c SET delivered = true
    WHERE c.key = %(key)s AND c.epoch = %(epoch)s AND c.state <> 'running' AND c.expires_at > clock_timestamp()
"""

_RECORD: Final[LiteralString] = "r.key, r.value, r.version, extract(epoch FROM r.expires_at)::float8"

_LIVES: Final[LiteralString] = "(r.expires_at IS NULL OR r.expires_at > clock_timestamp())"

GET: Final[LiteralString] = f"""
    SELECT {_RECORD} FROM ballast_v1_records AS r WHERE r.kind = %(kind)s AND r.key = %(key)s AND {_LIVES}
"""

_INSERT: Final[LiteralString] = """
    INSERT INTO ballast_v1_records AS r (kind, key, value, version, writer, expires_at)
    VALUES (
        %(kind)s, %(key)s, %(value)s, nextval('ballast_v1_record_version'), %(writer)s,
        clock_timestamp() + make_interval(secs => %(expires_in)s::float8)
    )
    ON CONFLICT (kind, key) DO UPDATE
    SET (value, version, writer, expires_at) =
        (excluded.value, excluded.version, excluded.writer, excluded.expires_at)
"""

PUT: Final[LiteralString] = f"{_INSERT} RETURNING r.version"

# `writer` is new for every put: only the very same put, sent again by the store, passes for its own condition.
PUT_NEW: Final[LiteralString] = f"{_INSERT} WHERE NOT {_LIVES} OR r.writer = excluded.writer RETURNING r.version"

PUT_OVER: Final[LiteralString] = f"""
    UPDATE ballast_v1_records AS r
    SET (value, version, writer, expires_at) = (
        %(value)s, nextval('ballast_v1_record_version'), %(writer)s,
        clock_timestamp() + make_interval(secs => %(expires_in)s::float8)
    )
    WHERE r.kind = %(kind)s AND r.key = %(key)s AND (r.version = %(version)s AND {_LIVES} OR r.writer = %(writer)s)
    RETURNING r.version
"""

TAKE: Final[LiteralString] = f"""
    DELETE FROM ballast_v1_records AS r WHERE r.kind = %(kind)s AND r.key = %(key)s AND {_LIVES} RETURNING {_RECORD}
"""

PAGE: Final[LiteralString] = f"""
    SELECT {_RECORD} FROM ballast_v1_records AS r
    WHERE r.kind = %(kind)s AND r.key >= %(first)s AND r.key > %(after)s
      AND (%(beyond)s::bytea IS NULL OR r.key < %(beyond)s) AND {_LIVES}
    ORDER BY r.key LIMIT %(limit)s
"""

# Here the clock is that of the statement's beginning: an index can be asked for what is before it.
SWEEP_CALLS: Final[LiteralString] = """
    DELETE FROM ballast_v1_calls WHERE key IN (
        SELECT key FROM ballast_v1_calls WHERE expires_at <= statement_timestamp()
        ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
"""

SWEEP_RECORDS: Final[LiteralString] = """
    DELETE FROM ballast_v1_records WHERE (kind, key) IN (
        SELECT kind, key FROM ballast_v1_records WHERE expires_at <= statement_timestamp()
        ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
"""
