"""Keeps documents that were fetched: as long as their senders allow, within bounds, and longer through an outage.

Kept in the store, so that a restart during an outage loses nothing. Knows JSON objects, not what they say.
"""

import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ....stores.port import Records
from ..reading import json_object
from ..sealing import Seal
from .fetching import Fetcher, Unfetchable, Unreachable

logger = logging.getLogger("ballast.oauth")

KIND: Final = "oauth-document"

_SHORTEST: Final = 60.0
_LONGEST: Final = 86_400.0
_UNSAID: Final = 300.0
"""Seconds a document is fresh: at least, at most, and where its sender says nothing (ChatGPT says 300)."""

_STALE: Final = 30 * 86_400.0
"""Seconds a copy helps through an outage. Some data centres are answered 403 for weeks."""

_WITHDRAWN: Final = 3600.0
"""Seconds a copy helps when its sender answers that there is no such document: a client may have been withdrawn, or
only be deployed anew."""

_REST: Final = 30.0
"""Seconds without another try after a failure."""

_MOST_RESTING: Final = 1000
"""Failures remembered; strangers can invent addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A JSON object that was fetched at `fetched_at`."""

    members: Mapping[str, Any]
    fetched_at: float
    fresh_until: float


@dataclass(slots=True, kw_only=True)
class Cabinet:
    """Documents by address. `admit` is asked before anything is fetched and may raise."""

    records: Records
    seal: Seal
    fetcher: Fetcher
    now: Callable[[], float]
    _resting: OrderedDict[str, tuple[float, Unreachable | Unfetchable]] = field(default_factory=OrderedDict)

    async def get(
        self, url: str, *, admit: Callable[[], None] = lambda: None, newer_than: float | None = None
    ) -> Document:
        """The document at `url`: a fresh copy, a new one, or in an outage an old one.

        `newer_than` asks for one fetched after that time, where the last one misses something.

        Raises:
            Unreachable: It cannot be fetched now, and there is no copy.
            Unfetchable: It is not to be had.
        """
        key = self.seal.digest("document", url)
        kept = await self._kept(key)
        if kept is not None and self._is_fresh(kept, newer_than):
            return kept
        until, failed = self._resting.get(key, (0.0, None))
        if failed is None or until <= self.now():
            admit()
            try:
                return await self._fetch(key, url)
            except (Unreachable, Unfetchable) as trouble:
                failed = type(trouble)(str(trouble))  # a new one: what is kept must not keep the frames it came from
                self._rest(key, failed)
                logger.warning("A client document cannot be had: %s", failed)
        return self._instead(kept, failed)

    def _instead(self, kept: Document | None, failed: Unreachable | Unfetchable) -> Document:
        """The old copy, where it may still stand for the new one."""
        is_over = kept is None or (isinstance(failed, Unfetchable) and self.now() >= kept.fresh_until + _WITHDRAWN)
        if kept is None or is_over:
            raise type(failed)(str(failed))
        return kept

    async def _kept(self, key: str) -> Document | None:
        record = await self.records.get(KIND, key)
        if record is None:
            return None
        said = json.loads(record.value)
        return Document(members=said["members"], fetched_at=said["fetched_at"], fresh_until=said["fresh_until"])

    def _is_fresh(self, kept: Document, newer_than: float | None) -> bool:
        if newer_than is not None:
            return kept.fetched_at > newer_than
        return kept.fetched_at <= self.now() < kept.fresh_until

    async def _fetch(self, key: str, url: str) -> Document:
        fetched = await self.fetcher.fetch(url)
        members = json_object(fetched.body)
        if members is None:
            raise Unfetchable("it is not a JSON object")
        age = _UNSAID if fetched.max_age is None else fetched.max_age
        now = self.now()
        fresh_until = now + min(max(age, _SHORTEST), _LONGEST)
        value = {"members": members, "fetched_at": now, "fresh_until": fresh_until}
        await self.records.put(KIND, key, json.dumps(value).encode(), expires_in=_STALE)
        return Document(members=members, fetched_at=now, fresh_until=fresh_until)

    def _rest(self, key: str, failed: Unreachable | Unfetchable) -> None:
        self._resting.pop(key, None)
        self._resting[key] = (self.now() + _REST, failed)
        if len(self._resting) > _MOST_RESTING:
            self._resting.popitem(last=False)
