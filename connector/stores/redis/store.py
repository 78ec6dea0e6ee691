"""Calls and records in Redis or Valkey, each operation one script on the server's clock.

Not for payments and the like, unless the remote side is given a key of its own: what was acknowledged can be lost. A
server without `appendonly yes` forgets everything in a crash, with `appendfsync everysec` (the default then) the last
second or two of a loss of power, and a failover forgets what the replica had not got. A call whose claim is lost can be
run again; versions of records can come twice. `appendfsync always` on one server loses nothing.

A script whose answer was lost is sent again where the port says that it can be. A conditional `put` is too: it carries
a mark by which it knows its own first arrival. `release` and `take` are not, since they would deny it.
"""

import logging
import uuid
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

from redis.asyncio.connection import parse_url
from redis.exceptions import ResponseError

from ...errors import DeclarationError, StoreTooNew
from ..port import Claim, Claimed, Entry, Record, State, Verdict
from . import scripts
from .clients import Client, Clients

_VERSION: Final = 1
"""Of the keys and what is in them. Keys of another form get another name, so that both can be there for a time."""

_CONNECTIONS: Final = 16
_MICROSECONDS: Final = 1_000_000

_log = logging.getLogger("ballast.stores")


class RedisStore:
    """A store in Redis 6 or Valkey 7.2, or later, in keys that begin with `ballast:`.

    Args:
        url: `redis://user:password@host:port/database`; `rediss://` for TLS, `unix://` for a socket.
        connections: The most that are open at once in each event loop.

    Raises:
        DeclarationError: `url` cannot be read.
    """

    def __init__(self, url: str, *, connections: int = _CONNECTIONS) -> None:
        self._place = _place(url)
        self._clients = Clients(url, place=self._place, most=connections)
        self._checked = False
        self._kinds: set[str] = set()

    def __repr__(self) -> str:
        return f"RedisStore({self._place})"

    async def claim(self, claim: Claim) -> Claimed:
        """See `Calls.claim`."""
        verdict, now, fields = await self._run(
            scripts.CLAIM,
            [_call(claim.key)],
            claim.fingerprint,
            claim.holder,
            _microseconds(claim.lease),
            _microseconds(claim.window),
            "" if claim.grace is None else _microseconds(claim.grace),
            int(claim.takes_over),
        )
        return Claimed(verdict=Verdict(verdict.decode()), entry=_entry(claim.key, now, fields))

    async def look(self, key: str) -> Entry | None:
        """See `Calls.look`."""
        found = await self._run(scripts.LOOK, [_call(key)])
        return None if found is None else _entry(key, *found)

    async def renew(self, key: str, *, epoch: int, holder: str, lease: float) -> bool:
        """See `Calls.renew`."""
        return bool(await self._run(scripts.RENEW, [_call(key)], epoch, holder, _microseconds(lease)))

    async def complete(
        self, key: str, *, epoch: int, holder: str, state: State, result: bytes | None, window: float
    ) -> bool:
        """See `Calls.complete`."""
        kept = () if result is None else (result,)
        values = (epoch, holder, state.value, _microseconds(window), *kept)
        return bool(await self._run(scripts.COMPLETE, [_call(key)], *values))

    async def release(self, key: str, *, epoch: int, holder: str) -> bool:
        """See `Calls.release`."""
        return bool(await self._run(scripts.RELEASE, [_call(key)], epoch, holder, again=False))

    async def delivered(self, key: str, *, epoch: int) -> bool:
        """See `Calls.delivered`."""
        return bool(await self._run(scripts.DELIVERED, [_call(key)], epoch))

    async def get(self, kind: str, key: str) -> Record | None:
        """See `Records.get`."""
        return _record(key, await self._run(scripts.GET, _record_keys(kind, key)))

    async def put(
        self, kind: str, key: str, value: bytes, *, expires_in: float | None = None, version: int | None = None
    ) -> int | None:
        """See `Records.put`."""
        self._kinds.add(kind)
        written = await self._run(
            scripts.PUT,
            _record_keys(kind, key),
            key,
            value,
            uuid.uuid4().hex,
            "" if expires_in is None else _microseconds(expires_in),
            "" if version is None else version,
        )
        return None if written is None else int(written)

    async def take(self, kind: str, key: str) -> Record | None:
        """See `Records.take`."""
        return _record(key, await self._run(scripts.TAKE, _record_keys(kind, key), key, again=False))

    async def page(self, kind: str, *, prefix: str = "", after: str = "", limit: int = 100) -> Sequence[Record]:
        """See `Records.page`."""
        first, last = _between(prefix.encode(), after.encode())
        rows = await self._run(scripts.PAGE, _record_keys(kind, ""), first, last, limit)
        records = (_record(name.decode(), fields) for name, fields in rows)
        return [record for record in records if record is not None]

    async def check(self) -> None:
        """See `Store.check`. Says in the log when the server may delete what has not expired."""
        found = int(await self._clients.run(scripts.CHECK, [scripts.SCHEMA], [_VERSION]))
        if found > _VERSION:
            raise StoreTooNew(
                f"The Redis store has schema {found}; this version of mcp-ballast knows schemas up to {_VERSION}. "
                "Upgrade mcp-ballast, or name another database."
            )
        await self._clients.ask(self._warn_of_eviction, again=True)
        self._checked = True

    async def sweep(self, *, limit: int = 1000) -> int:
        """See `Store.sweep`. The server deletes what has expired; this forgets the names, of the kinds put here."""
        swept = 0
        for kind in sorted(self._kinds):
            swept += await self._run(scripts.SWEEP, _record_keys(kind, ""), limit - swept)
        return swept

    async def aclose(self) -> None:
        """See `Store.aclose`. Closes what the running event loop has opened."""
        await self._clients.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _run(self, script: str, keys: Sequence[str], *values: bytes | str | int, again: bool = True) -> Any:
        if not self._checked:
            await self.check()
        return await self._clients.run(script, keys, values, again=again)

    async def _warn_of_eviction(self, client: Client) -> None:
        try:
            memory = await client.info("memory")
        except ResponseError:  # not everybody may ask
            return
        policy = memory.get("maxmemory_policy", "noeviction")
        # Also those named `volatile-`: they delete what has an expiry, and every call has one.
        if memory.get("maxmemory", 0) and policy != "noeviction":
            _log.warning(
                "The Redis store at %s deletes calls when its memory is full (maxmemory-policy %s), and they may then "
                "run twice. Set maxmemory-policy to noeviction.",
                self._place,
                policy,
            )


def _place(url: str) -> str:
    """Where, without the password."""
    try:
        parts: dict[str, Any] = dict(parse_url(url))
    except ValueError:
        raise DeclarationError(  # without the cause, which may repeat pieces of the URL
            "The store's URL begins with redis and cannot be read as one. Write redis://user:password@host:port/0, "
            "with special characters of the password percent-encoded."
        ) from None
    if "path" in parts:
        return str(parts["path"])
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 6379)}/{parts.get('db', 0)}"


def _call(key: str) -> str:
    return f"ballast:{{c:{key}}}"


def _record_keys(kind: str, key: str) -> list[str]:
    """The record, the index of names, that of ends, and the counter of versions."""
    home = f"ballast:{{r:{kind}}}"
    return [f"{home}:record:{key}", f"{home}:names", f"{home}:ends", f"{home}:versions"]


def _microseconds(seconds: float) -> int:
    return round(seconds * _MICROSECONDS)


def _between(prefix: bytes, after: bytes) -> tuple[bytes, bytes]:
    """The bounds of a page as Redis writes them. UTF-8 has no byte 255, so the last byte of a prefix has a next."""
    first = b"(" + after if after >= prefix else b"[" + prefix
    last = b"(" + prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else b"+"
    return first, last


def _entry(key: str, now: bytes, fields: Sequence[bytes | None]) -> Entry:
    kept = dict(zip(scripts.FIELDS, fields, strict=True))
    words = {name: (value or b"").decode() for name, value in kept.items() if name != "result"}
    return Entry(
        key=key,
        fingerprint=words["fingerprint"],
        state=State(words["state"]),
        epoch=int(words["epoch"]),
        holder=words["holder"],
        attempt=int(words["attempt"]),
        lease_left=(int(words["lease"]) - int(now)) / _MICROSECONDS,
        begun_at=int(words["begun"]) / _MICROSECONDS,
        ended_at=int(words["ended"]) / _MICROSECONDS if words["ended"] else None,
        delivered=words["delivered"] == "1",
        result=kept["result"],
    )


def _record(key: str, fields: Sequence[bytes | None]) -> Record | None:
    value, version, expires = fields
    if value is None or version is None:
        return None
    expires_at = None if expires is None else int(expires) / _MICROSECONDS
    return Record(key=key, value=value, version=int(version), expires_at=expires_at)
