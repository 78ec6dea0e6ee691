"""Calls as rows: each function is an operation in a transaction that somebody else has begun.

What becomes of a call is decided by `rules`; here it is read before and written after. The two steps that nearly every
call takes, the first claim and the completion by its holder, are tried as one statement first: half the time of two.
"""

import sqlite3

from .. import rules
from ..port import Claim, Claimed, Entry, State
from ..rules import Kept

READ = """
    SELECT key, fingerprint, state, epoch, holder, attempt, lease_until, kept_for, begun_at, ended_at, delivered,
           expires_at, result
    FROM ballast_v1_calls WHERE key = ?
"""
INTO = """
    INTO ballast_v1_calls
        (key, fingerprint, state, epoch, holder, attempt, lease_until, kept_for, begun_at, ended_at, delivered,
         expires_at, result)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
WRITE = f"INSERT OR REPLACE {INTO}"
WRITE_FIRST = f"INSERT {INTO} ON CONFLICT DO NOTHING"
COMPLETE = """
    UPDATE ballast_v1_calls
    SET state = ?, result = ?, kept_for = ?, ended_at = ?, expires_at = ?, delivered = 0
    WHERE key = ? AND epoch = ? AND holder = ? AND state = 'running' AND expires_at > ?
"""
RENEW = "UPDATE ballast_v1_calls SET lease_until = ?, expires_at = ? WHERE key = ?"
DELIVERED = "UPDATE ballast_v1_calls SET delivered = 1 WHERE key = ?"
RELEASE = "DELETE FROM ballast_v1_calls WHERE key = ?"
SWEEP = """
    DELETE FROM ballast_v1_calls WHERE rowid IN (
        SELECT rowid FROM ballast_v1_calls WHERE expires_at <= ? ORDER BY expires_at LIMIT ?
    )
"""


def claim(connection: sqlite3.Connection, now: float, claim: Claim) -> Claimed:
    """See `Calls.claim`."""
    verdict, then = rules.claimed(None, claim, now)
    if connection.execute(WRITE_FIRST, _row(then)).rowcount == 0:
        kept = _read(connection, claim.key)
        verdict, then = rules.claimed(kept, claim, now)
        if then is not kept:
            connection.execute(WRITE, _row(then))
    return rules.answered(verdict, then, now)


def look(connection: sqlite3.Connection, now: float, key: str) -> Entry | None:
    """See `Calls.look`."""
    kept = _read(connection, key)
    return rules.entry(kept, now) if kept and kept.expires_at > now else None


def renew(connection: sqlite3.Connection, now: float, *, key: str, epoch: int, holder: str, lease: float) -> bool:
    """See `Calls.renew`."""
    mine = rules.held(_read(connection, key), epoch, holder, now)
    then = mine and rules.renewed(mine, lease, now)
    if then is not None:
        connection.execute(RENEW, (then.lease_until, then.expires_at, key))
    return then is not None


def complete(
    connection: sqlite3.Connection,
    now: float,
    *,
    key: str,
    epoch: int,
    holder: str,
    state: State,
    result: bytes | None,
    window: float,
) -> bool:
    """See `Calls.complete`."""
    ended = (state.value, result, window, now, now + window)
    if connection.execute(COMPLETE, (*ended, key, epoch, holder, now)).rowcount == 1:
        return True
    mine = rules.held(_read(connection, key), epoch, holder, now)
    then = mine and rules.completed(mine, state, result, window, now)
    if then is not None and then is not mine:
        connection.execute(WRITE, _row(then))
    return then is not None


def release(connection: sqlite3.Connection, now: float, key: str, epoch: int, holder: str) -> bool:
    """See `Calls.release`."""
    mine = rules.held(_read(connection, key), epoch, holder, now)
    if mine is None or not rules.can_be_released(mine):
        return False
    connection.execute(RELEASE, (key,))
    return True


def delivered(connection: sqlite3.Connection, now: float, key: str, epoch: int) -> bool:
    """See `Calls.delivered`."""
    then = rules.delivered(_read(connection, key), epoch, now)
    if then is not None:
        connection.execute(DELIVERED, (key,))
    return then is not None


def sweep(connection: sqlite3.Connection, now: float, limit: int) -> int:
    """Delete up to `limit` expired calls; how many."""
    return connection.execute(SWEEP, (now, limit)).rowcount


def _read(connection: sqlite3.Connection, key: str) -> Kept | None:
    row = connection.execute(READ, (key,)).fetchone()
    if row is None:
        return None
    return Kept(
        key=row[0],
        fingerprint=row[1],
        state=State(row[2]),
        epoch=row[3],
        holder=row[4],
        attempt=row[5],
        lease_until=row[6],
        window=row[7],
        begun_at=row[8],
        ended_at=row[9],
        delivered=bool(row[10]),
        expires_at=row[11],
        result=row[12],
    )


def _row(kept: Kept) -> tuple[str | int | float | bytes | None, ...]:
    return (
        kept.key,
        kept.fingerprint,
        kept.state.value,
        kept.epoch,
        kept.holder,
        kept.attempt,
        kept.lease_until,
        kept.window,
        kept.begun_at,
        kept.ended_at,
        kept.delivered,
        kept.expires_at,
        kept.result,
    )
