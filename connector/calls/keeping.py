"""How a result is kept: as JSON, sealed if the connector has a secret for that, and only up to a size.

Never kept: tokens, headers, `_meta` of the request. What is too large is kept as its digest, so that a retry learns
that the work is done.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_core import from_json, to_json

from ..stores.port import Entry
from ..stores.sealing import NotReadable
from .outcome import NOT_KEPT, UNREADABLE, refusal, when

_CLEAR = b"{"


class Seal(Protocol):
    """Keeps a text from being read or changed by who has the store but not the secret."""

    def seal(self, plain: bytes, *, bound_to: bytes) -> bytes:
        """Seal `plain` so that it opens only with the same `bound_to`."""
        ...

    def open(self, sealed: bytes, *, bound_to: bytes) -> bytes:
        """Undo `seal`.

        Raises:
            NotReadable: It was sealed with another secret, was bound to something else, or was changed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Keeping:
    """Turns results into what a store keeps, and back. `largest` is in bytes."""

    largest: int
    seal: Seal | None = None

    def pack(self, key: str, result: Mapping[str, Any], *, origin: str | None = None) -> bytes:
        """What is stored for a result. `origin` is kept with it as it is (`origin_of`)."""
        named = {} if origin is None else {"origin": origin}
        body = to_json({"result": result, **named})
        if len(body) > self.largest:
            body = to_json({"size": len(body), "sha256": hashlib.sha256(body).hexdigest(), **named})
        return body if self.seal is None else self.seal.seal(body, bound_to=key.encode())

    def unpack(self, entry: Entry) -> Mapping[str, Any] | None:
        """The result an entry holds, or a sentence that stands for it; None if it holds none."""
        if entry.result is None:
            return None
        ended = when(entry.ended_at or entry.begun_at)
        try:
            kept = from_json(self._opened(entry.key, entry.result))
        except NotReadable:
            return refusal(UNREADABLE.format(when=ended))
        result = kept.get("result")
        if isinstance(result, dict):
            return result
        said = NOT_KEPT.format(when=ended, size=kept.get("size"), digest=kept.get("sha256"))
        return refusal(said)

    def origin_of(self, entry: Entry) -> str | None:
        """What was packed with the result as its origin; None if there was none, or nobody can tell."""
        try:
            kept = {} if entry.result is None else from_json(self._opened(entry.key, entry.result))
        except NotReadable:
            return None
        origin = kept.get("origin")
        return origin if isinstance(origin, str) else None

    def _opened(self, key: str, stored: bytes) -> bytes:
        if stored[:1] == _CLEAR:
            return stored
        if self.seal is None:
            raise NotReadable("sealed, and there is no secret to open it with")
        return self.seal.open(stored, bound_to=key.encode())
