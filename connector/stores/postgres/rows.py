"""The columns of a call, in the orders in which they are written and read."""

from typing import Final, LiteralString

ENTRY: Final[LiteralString] = """
    c.fingerprint, c.state, c.epoch, c.holder, c.attempt,
    extract(epoch FROM c.lease_until - clock_timestamp())::float8,
    extract(epoch FROM c.begun_at)::float8, extract(epoch FROM c.ended_at)::float8, c.delivered, c.result
"""

COLUMNS: Final[LiteralString] = """
    fingerprint, holder, state, epoch, attempt, delivered, result, keep_for, lease_until, begun_at, ended_at, expires_at
"""

# The sub-select is not merged into the one around it, because its column is volatile: so `now` is one moment.
NOW: Final[LiteralString] = "(SELECT clock_timestamp() AS now) AS clock"

AS_IT_IS: Final[LiteralString] = """
    c.fingerprint, c.holder, c.state, c.epoch, c.attempt, c.delivered, c.result, c.keep_for, c.lease_until, c.begun_at,
    c.ended_at, c.expires_at
"""
