"""Calls and records in PostgreSQL, each operation one statement on the server's clock.

What was answered survives a crash of the server and a loss of power, as far as its `synchronous_commit` and `fsync` are
on, which they are unless somebody turned them off. A failover to an asynchronous replica can lose the last moments.

A statement whose connection was lost is sent once more where the port says that it can be. A conditional `put` is too:
it carries a mark by which it knows its own first arrival. `release` and `take` are not, since they would deny it.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, LiteralString, Self, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from ...errors import DeclarationError
from ..port import Claim, Claimed, Entry, Record, State, Verdict
from . import statements
from .lines import Lines
from .pool import Line
from .schema import migrate

T = TypeVar("T")

_CONNECTIONS: Final = 8
"""The most a process opens: more do not make two cores faster, and a server takes 100 by default."""


class PostgresStore:
    """A store in a PostgreSQL database, in tables that begin with `ballast_v1_`.

    Args:
        url: `postgresql://user:password@host:port/database`, with any parameter libpq knows, and `prepare=on` to
            prepare statements: faster, and wrong behind a pooler that hands out connections for one transaction
            without knowing of them (PgBouncer before 1.21), so `off` unless it is said.
        connections: The most that are open at once in each event loop.

    Raises:
        DeclarationError: `url` cannot be read.
    """

    def __init__(self, url: str, *, connections: int = _CONNECTIONS) -> None:
        options = _options(url)
        self._place = "{}:{}/{}".format(*(options.get(name) or "default" for name in ("host", "port", "dbname")))
        self._lines = Lines(options, place=self._place, most=connections)
        self._migrated = False

    def __repr__(self) -> str:
        return f"PostgresStore({self._place})"

    async def claim(self, claim: Claim) -> Claimed:
        """See `Calls.claim`."""
        (row,) = await self._rows(
            statements.CLAIM,
            key=claim.key,
            fingerprint=claim.fingerprint,
            holder=claim.holder,
            lease=claim.lease,
            window=claim.window,
            grace=claim.grace,
            takes_over=claim.takes_over,
        )
        entry = _entry(claim.key, row)
        return Claimed(verdict=_verdict(claim, entry), entry=entry)

    async def look(self, key: str) -> Entry | None:
        """See `Calls.look`."""
        row = await self._row(statements.LOOK, key=key)
        return None if row is None else _entry(key, row)

    async def renew(self, key: str, *, epoch: int, holder: str, lease: float) -> bool:
        """See `Calls.renew`."""
        return await self._changed(statements.RENEW, key=key, epoch=epoch, holder=holder, lease=lease) == 1

    async def complete(
        self, key: str, *, epoch: int, holder: str, state: State, result: bytes | None, window: float
    ) -> bool:
        """See `Calls.complete`."""
        (row,) = await self._rows(
            statements.COMPLETE,
            key=key,
            epoch=epoch,
            holder=holder,
            state=state.value,
            result=result,
            window=window,
        )
        return bool(row[0])

    async def release(self, key: str, *, epoch: int, holder: str) -> bool:
        """See `Calls.release`."""
        return await self._changed(statements.RELEASE, again=False, key=key, epoch=epoch, holder=holder) == 1

    async def delivered(self, key: str, *, epoch: int) -> bool:
        """See `Calls.delivered`."""
        return await self._changed(statements.DELIVERED, key=key, epoch=epoch) == 1

    async def get(self, kind: str, key: str) -> Record | None:
        """See `Records.get`."""
        row = await self._row(statements.GET, kind=kind, key=key.encode())
        return None if row is None else _record(row)

    async def put(
        self, kind: str, key: str, value: bytes, *, expires_in: float | None = None, version: int | None = None
    ) -> int | None:
        """See `Records.put`."""
        statement = {None: statements.PUT, 0: statements.PUT_NEW}.get(version, statements.PUT_OVER)
        row = await self._row(
            statement,
            kind=kind,
            key=key.encode(),
            value=value,
            expires_in=expires_in,
            writer=uuid.uuid4().hex,
            version=version,
        )
        return None if row is None else int(row[0])

    async def take(self, kind: str, key: str) -> Record | None:
        """See `Records.take`."""
        row = await self._row(statements.TAKE, again=False, kind=kind, key=key.encode())
        return None if row is None else _record(row)

    async def page(self, kind: str, *, prefix: str = "", after: str = "", limit: int = 100) -> Sequence[Record]:
        """See `Records.page`."""
        rows = await self._rows(
            statements.PAGE,
            kind=kind,
            first=prefix.encode(),
            after=after.encode(),
            beyond=_beyond(prefix.encode()),
            limit=limit,
        )
        return [_record(row) for row in rows]

    async def check(self) -> None:
        """See `Store.check`."""
        await self._lines.ask(migrate, again=True)
        self._migrated = True

    async def sweep(self, *, limit: int = 1000) -> int:
        """See `Store.sweep`."""
        calls = await self._changed(statements.SWEEP_CALLS, limit=limit)
        return calls + await self._changed(statements.SWEEP_RECORDS, limit=limit)

    async def aclose(self) -> None:
        """See `Store.aclose`. Closes what the running event loop has opened."""
        await self._lines.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _row(self, statement: LiteralString, *, again: bool = True, **values: Any) -> TupleRow | None:
        rows = await self._rows(statement, again=again, **values)
        return rows[0] if rows else None

    async def _rows(self, statement: LiteralString, *, again: bool = True, **values: Any) -> list[TupleRow]:
        async def fetch(line: Line) -> list[TupleRow]:
            return await (await line.execute(statement, values, binary=True)).fetchall()

        return await self._ask(fetch, again=again)

    async def _changed(self, statement: LiteralString, *, again: bool = True, **values: Any) -> int:
        async def change(line: Line) -> int:
            return (await line.execute(statement, values)).rowcount

        return await self._ask(change, again=again)

    async def _ask(self, work: Callable[[Line], Awaitable[T]], *, again: bool) -> T:
        if not self._migrated:
            await self.check()
        return await self._lines.ask(work, again=again)


def _options(url: str) -> dict[str, Any]:
    """The parts of the URL for `AsyncConnection.connect`: what libpq knows, and `prepare`, which it does not."""
    place, _, query = url.partition("?")
    words = query.split("&") if query else []
    prepared = [word for word in words if word.startswith("prepare=")]
    rest = "&".join(word for word in words if word not in prepared)
    try:
        options: dict[str, Any] = conninfo_to_dict(f"{place}?{rest}" if rest else place)
    except psycopg.ProgrammingError:
        raise DeclarationError(  # without the cause, which repeats pieces of the URL
            "The store's URL begins with postgresql:// and cannot be read as one. Write "
            "postgresql://user:password@host:port/database, with special characters of the password percent-encoded."
        ) from None
    if prepared:
        options["prepare_threshold"] = _threshold(prepared[-1].removeprefix("prepare="))
    return options


def _threshold(said: str) -> int | None:
    if said not in {"on", "off"}:
        raise DeclarationError(f"The store's URL has prepare={said!r}: write prepare=on or prepare=off.")
    return 0 if said == "on" else None


def _verdict(claim: Claim, entry: Entry) -> Verdict:
    """What a claim came to, told from the entry as it is afterwards: holders never claim twice with one name."""
    if entry.fingerprint != claim.fingerprint:
        return Verdict.MISMATCH
    if entry.state is not State.RUNNING:
        return Verdict.ENDED
    if entry.holder != claim.holder:
        return Verdict.IN_FLIGHT
    return Verdict.CLAIMED if entry.attempt == 1 else Verdict.TAKEN_OVER


def _entry(key: str, row: TupleRow) -> Entry:
    fingerprint, state, epoch, holder, attempt, lease_left, begun_at, ended_at, delivered, result = row
    return Entry(
        key=key,
        fingerprint=fingerprint,
        state=State(state),
        epoch=epoch,
        holder=holder,
        attempt=attempt,
        lease_left=lease_left,
        begun_at=begun_at,
        ended_at=ended_at,
        delivered=delivered,
        result=result,
    )


def _record(row: TupleRow) -> Record:
    key, value, version, expires_at = row
    return Record(key=key.decode(), value=value, version=version, expires_at=expires_at)


def _beyond(prefix: bytes) -> bytes | None:
    """The least bytes that are greater than all that begin with the prefix. UTF-8 has no byte 255."""
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else None
