"""The decisions of the port as functions of the server, which plans their statements once for each of its connections.

Sent as statements they would be planned every time: preparing them is not safe behind every pooler. A function is, and
it takes one round trip however much there is to decide. Each of its statements is atomic by itself and looks at the
rows as they have become.
"""

# ruff: noqa: S608  # no value is ever put into a statement: all of them are literal strings, which mypy checks

from typing import Final, LiteralString

from .rows import AS_IT_IS, COLUMNS, ENTRY, NOW

_CLAIM_FIRST: Final[LiteralString] = f"""
    INSERT INTO ballast_v1_calls AS c (key, {COLUMNS})
    SELECT p_key, p_fingerprint, p_holder, 'running', 1, 1, false, NULL, make_interval(secs => p_window),
           now + make_interval(secs => p_lease), now, NULL,
           now + make_interval(secs => p_lease) + make_interval(secs => p_window)
    FROM {NOW}
    ON CONFLICT (key) DO NOTHING
    RETURNING {ENTRY}
"""

_CLAIM_STANDING: Final[LiteralString] = f"""
    SELECT {ENTRY}
    FROM ballast_v1_calls AS c, {NOW}
    WHERE c.key = p_key AND c.expires_at > now AND CASE
        WHEN c.fingerprint <> p_fingerprint THEN true
        WHEN c.state = 'running' THEN c.holder = p_holder OR c.lease_until > now
        ELSE NOT c.delivered OR (c.ended_at + make_interval(secs => p_grace::float8) < now) IS NOT true
    END
"""

_CLAIM_AFRESH: Final[LiteralString] = f"""
    INSERT INTO ballast_v1_calls AS c (key, {COLUMNS})
    SELECT p_key, p_fingerprint, p_holder, 'running', 1, 1, false, NULL, keep, now + lease, now, NULL,
           now + lease + keep
    FROM {NOW}, (
        SELECT make_interval(secs => p_lease) AS lease, make_interval(secs => p_window) AS keep
    ) AS lengths
    ON CONFLICT (key) DO UPDATE SET ({COLUMNS}) = (
        SELECT becomes.*
        FROM {NOW}, LATERAL (
            SELECT make_interval(secs => p_lease) AS lease,
                   CASE
                       WHEN c.expires_at <= now THEN 'begins'
                       WHEN c.fingerprint <> excluded.fingerprint THEN 'stays'
                       WHEN c.state = 'running' AND (c.holder = excluded.holder OR c.lease_until > now) THEN 'stays'
                       WHEN c.state = 'running' AND p_takes_over THEN 'is taken over'
                       WHEN c.state = 'running' THEN 'is lost'
                       WHEN c.delivered AND c.ended_at + make_interval(secs => p_grace::float8) < now THEN 'begins'
                       ELSE 'stays'
                   END AS it
        ) AS decided, LATERAL (
            SELECT {AS_IT_IS}
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
    RETURNING {ENTRY}
"""

# Nearly every claim is the first of its key. Those that find their call in flight or ended are many at once: nothing is
# written for them, so they do not wait for each other.
CLAIM: Final[LiteralString] = f"""
    CREATE FUNCTION ballast_v1_claim(
        p_key text, p_fingerprint text, p_holder text, p_lease float8, p_window float8, p_grace float8,
        p_takes_over boolean
    ) RETURNS TABLE (
        o_fingerprint text, o_state text, o_epoch bigint, o_holder text, o_attempt integer, o_lease_left float8,
        o_begun_at float8, o_ended_at float8, o_delivered boolean, o_result bytea
    ) LANGUAGE plpgsql AS $$
    BEGIN
        RETURN QUERY {_CLAIM_FIRST};
        IF FOUND THEN RETURN; END IF;
        RETURN QUERY {_CLAIM_STANDING};
        IF FOUND THEN RETURN; END IF;
        RETURN QUERY {_CLAIM_AFRESH};
    END $$
"""

_MINE: Final[LiteralString] = """
    c.key = p_key AND c.epoch = p_epoch AND c.holder = p_holder AND c.expires_at > clock_timestamp()
"""

_COMPLETE_RUNNING: Final[LiteralString] = f"""
    UPDATE ballast_v1_calls AS c
    SET state = p_state, result = p_result, ended_at = clock_timestamp(),
        expires_at = clock_timestamp() + make_interval(secs => p_window)
    WHERE {_MINE} AND c.state = 'running'
"""

_COMPLETE_LATE: Final[LiteralString] = f"""
    UPDATE ballast_v1_calls AS c
    SET (state, result, delivered, ended_at, expires_at) = (
        SELECT becomes.*
        FROM {NOW}, LATERAL (
            SELECT c.state, c.result, c.delivered, c.ended_at, c.expires_at
            WHERE c.state = p_state
            UNION ALL
            SELECT p_state, p_result::bytea, false, now, now + make_interval(secs => p_window)
            WHERE c.state <> p_state
        ) AS becomes
    )
    WHERE {_MINE} AND c.state IN ('running', 'unknown', p_state)
"""

# Who was never lost completes a running call. The rest is for those who come late, or say it twice.
COMPLETE: Final[LiteralString] = f"""
    CREATE FUNCTION ballast_v1_complete(
        p_key text, p_epoch bigint, p_holder text, p_state text, p_result bytea, p_window float8
    ) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        {_COMPLETE_RUNNING};
        IF FOUND THEN RETURN true; END IF;
        {_COMPLETE_LATE};
        RETURN FOUND;
    END $$
"""
