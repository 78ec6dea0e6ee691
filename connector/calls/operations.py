"""Operations: calls that somebody may ask about after they were answered. How they are kept, and by whom they may be
asked about.

An operation's name is a digest of its call under the connector's secret: the same for every answer to one call at any
worker, and not to be guessed. Records are always sealed, because they can hold arguments. Knows the store's port.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from ..errors import StoreUnavailable
from ..stores.port import Entry, Records
from ..stores.sealing import NotReadable
from .keeping import Seal
from .keys import Digest, Request, Wish, said_by

_KIND: Final = "operation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is known of one.

    `scope` says who may ask. `call` and `fingerprint` are the call's in the store; `run` is the attempt the blocks are
    of. `result` is there once it has ended. `arguments` are kept only where the call may be begun again without being
    asked for again.
    """

    id: str
    scope: str
    tool: str
    call: str = ""
    fingerprint: str = ""
    epoch: int = 1
    is_named: bool = False
    run: int = 1
    blocks: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    left_out: int = 0
    result: Mapping[str, Any] | None = None
    arguments: Mapping[str, Any] | None = None

    @property
    def wish(self) -> Wish:
        """The wish the call belongs to."""
        return Wish(key=self.call, fingerprint=self.fingerprint, is_named=self.is_named)


class Operations:
    """Operations in a store. `kept_for` is in seconds, from the last thing that happened to one."""

    def __init__(self, store: Records, seal: Seal, digest: Digest, kept_for: float) -> None:
        self._store, self._seal, self._digest, self.kept_for = store, seal, digest, kept_for

    def id_of(self, entry: Entry) -> str:
        """The name of the operation that a call is: the same for all its attempts."""
        return self._digest("operation", entry.key, f"{entry.begun_at:.3f}")[:32]

    def new_id(self, seed: str) -> str:
        """A name for what is no call in the store."""
        return self._digest("operation", "alone", seed)[:32]

    def of(self, entry: Entry, wish: Wish, *, tool: str, scope: str, arguments: Mapping[str, Any] | None) -> Operation:
        """A call in the store as an operation of which there is nothing yet."""
        return Operation(
            id=self.id_of(entry),
            scope=scope,
            tool=tool,
            call=entry.key,
            fingerprint=entry.fingerprint,
            epoch=entry.epoch,
            is_named=wish.is_named,
            run=entry.attempt,
            arguments=arguments,
        )

    async def seen(self, empty: Operation) -> Operation:
        """What is known of a call that another worker runs. If nothing is, then from now on that it runs."""
        try:
            known = await self.get(empty.id)
            if known is None:
                await self.put(empty, is_new=True)
        except StoreUnavailable:
            return empty
        return known or empty

    def scope_of(self, request: Request) -> str:
        """Who may ask: the user and the conversation, as far as the host names them. MCP sessions change at will and
        play no part. The client counts only where the token names no user: hosts register anew (CT-28).
        """
        return self._digest("scope", *said_by(request))

    async def get(self, id_: str) -> Operation | None:
        """What is known of an operation; None if there is none, or none any more.

        Raises:
            StoreUnavailable: It cannot be looked up now.
        """
        key = self._key(id_)
        record = await self._store.get(_KIND, key)
        if record is None:
            return None
        try:
            return Operation(**json.loads(self._seal.open(record.value, bound_to=key.encode())))
        except (NotReadable, TypeError):  # TypeError: written by another version
            return None

    async def put(self, operation: Operation, *, is_new: bool = False, kept_for: float | None = None) -> bool:
        """Keep it, for `kept_for` seconds if that is said; with `is_new`, only if nothing is known of it yet.

        Raises:
            StoreUnavailable: It may not have been kept.
        """
        key = self._key(operation.id)
        sealed = self._seal.seal(json.dumps(asdict(operation)).encode(), bound_to=key.encode())
        version = 0 if is_new else None
        await self._store.put(_KIND, key, sealed, expires_in=kept_for or self.kept_for, version=version)
        return True

    def _key(self, id_: str) -> str:
        return self._digest("operation-record", id_)
