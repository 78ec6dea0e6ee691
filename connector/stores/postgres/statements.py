"""What is asked of PostgreSQL: one statement for each operation, each atomic by itself.

A statement that meets a row another one is changing waits for it, and then decides on the row as it has become: under
"read committed" (the server's default) that is how conflicting inserts and updates work; under a stricter default the
server refuses and the statement is sent again. Where several columns depend on one decision, the clock is read once,
after the row is locked.
"""

# ruff: noqa: S608  # no value is ever put into a statement: all of them are literal strings, which mypy checks

from typing import Final, LiteralString

_ENTRY: Final[LiteralString] = """
    c.fingerprint, c.state, c.epoch, c.holder, c.attempt,
    extract(epoch FROM c.lease_until - clock_timestamp())::float8,
    extract(epoch FROM c.begun_at)::float8, extract(epoch FROM c.ended_at)::float8, c.delivered, c.result
"""

_COLUMNS: Final[LiteralString] = """
    fingerprint, holder, state, epoch, attempt, delivered, result, keep_for, lease_until, begun_at, ended_at, expires_at
"""

# The sub-select is not merged into the one around it, because its column is volatile: so `now` is one moment.
_NOW: Final[LiteralString] = "(SELECT clock_timestamp() AS now) AS clock"

_AS_IT_IS: Final[LiteralString] = """
    c.fingerprint, c.holder, c.state, c.epoch, c.attempt, c.delivered, c.result, c.keep_for, c.lease_until, c.begun_at,
    c.ended_at, c.expires_at
"""

# Nearly every claim is the first of its key, and this is much less to plan than the whole table of the port.
CLAIM_FIRST: Final[LiteralString] = f"""
    INSERT INTO ballast_v1_calls AS c (key, {_COLUMNS})
    SELECT %(key)s, %(fingerprint)s, %(holder)s, 'running', 1, 1, false, NULL, make_interval(secs => %(window)s),
           now + make_interval(secs => %(lease)s), now, NULL,
           now + make_interval(secs => %(lease)s) + make_interval(secs => %(window)s)
    FROM {_NOW}
    ON CONFLICT (key) DO NOTHING
    RETURNING {_ENTRY}
"""

# Those that find their call in flight or ended are many at once, and nothing is written for them.
CLAIM_STANDING: Final[LiteralString] = f"""
    SELECT {_ENTRY}
    FROM ballast_v1_calls AS c, {_NOW}
    WHERE c.key = %(key)s AND c.expires_at > now AND CASE
        WHEN c.fingerprint <> %(fingerprint)s THEN true
        WHEN c.state = 'running' THEN c.holder = %(holder)s OR c.lease_until > now
        ELSE NOT c.delivered OR (c.ended_at + make_interval(secs => %(grace)s::float8) < now) IS NOT true
    END
"""

CLAIM: Final[LiteralString] = f"""
    INSERT INTO ballast_v1_calls AS c (key, {_COLUMNS})
    SELECT %(key)s, %(fingerprint)s, %(holder)s, 'running', 1, 1, false, NULL, keep, now + lease, now, NULL,
           now + lease + keep
    FROM {_NOW}, (
        SELECT make_interval(secs => %(lease)s) AS lease, make_interval(secs => %(window)s) AS keep
    ) AS lengths
    ON CONFLICT (key) DO UPDATE SET ({_COLUMNS}) = (
        SELECT becomes.*
        FROM {_NOW}, LATERAL (
            SELECT make_interval(secs => %(lease)s) AS lease,
                   CASE
                       WHEN c.expires_at <= now THEN 'begins'
                       WHEN c.fingerprint <> excluded.fingerprint THEN 'stays'
                       WHEN c.state = 'running' AND (c.holder = excluded.holder OR c.lease_until > now) THEN 'stays'
                       WHEN c.state = 'running' AND %(takes_over)s THEN 'is taken over'
                       WHEN c.state = 'running' THEN 'is lost'
                       WHEN c.delivered AND c.ended_at + make_interval(secs => %(grace)s::float8) < now THEN 'begins'
                       ELSE 'stays'
                   END AS it
        ) AS decided, LATERAL (
            SELECT {_AS_IT_IS}
            WHERE it = 'stays'
            UNION ALL
            SELECT excluded.fingerprint, excluded.holder, 'running', c.epoch + 1, 1, false, NULL, excluded.keep_for,
                   now + lease, now, NULL, now + lease + excluded.keep_for
            WHERE it = 'begins'
            UNION ALL
            SELECT c.fingerprint, excluded.holder, 'running', c.epoch + 1, c.attempt + 1, false, NULL,
                   excluded.keep_for, now + lease, c.begun_at, NULL, now + lease + excluded.keep_for
            WHERE it = 'is taken over'
            UNION ALL
            SELECT c.fingerprint, c.holder, 'unknown', c.epoch, c.attempt, false, NULL, excluded.keep_for,
                   c.lease_until, c.begun_at, now, now + excluded.keep_for
            WHERE it = 'is lost'
        ) AS becomes
    )
    RETURNING {_ENTRY}
"""

LOOK: Final[LiteralString] = f"""
    SELECT {_ENTRY} FROM ballast_v1_calls AS c WHERE c.key = %(key)s AND c.expires_at > clock_timestamp()
"""

_MINE: Final[LiteralString] = """
    c.key = %(key)s AND c.epoch = %(epoch)s AND c.holder = %(holder)s AND c.expires_at > clock_timestamp()
"""

RENEW: Final[LiteralString] = f"""
    UPDATE ballast_v1_calls AS c
    SET (lease_until, expires_at) = (
        SELECT now + make_interval(secs => %(lease)s), now + make_interval(secs => %(lease)s) + c.keep_for
        FROM {_NOW}
    )
    WHERE {_MINE} AND c.state = 'running'
"""

# What a holder that was never lost says: the rest of the port's rules have nothing to decide.
COMPLETE_FIRST: Final[LiteralString] = f"""
    UPDATE ballast_v1_calls AS c
    SET state = %(state)s, result = %(result)s, ended_at = clock_timestamp(),
        expires_at = clock_timestamp() + make_interval(secs => %(window)s)
    WHERE {_MINE} AND c.state = 'running'
"""

COMPLETE: Final[LiteralString] = f"""
    UPDATE ballast_v1_calls AS c
    SET (state, result, delivered, ended_at, expires_at) = (
        SELECT becomes.*
        FROM {_NOW}, LATERAL (
            SELECT c.state, c.result, c.delivered, c.ended_at, c.expires_at
            WHERE c.state = %(state)s
            UNION ALL
            SELECT %(state)s, %(result)s::bytea, false, now, now + make_interval(secs => %(window)s)
            WHERE c.state <> %(state)s
        ) AS becomes
    )
    WHERE {_MINE} AND c.state IN ('running', 'unknown', %(state)s)
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
