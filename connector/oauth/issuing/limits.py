"""How often one address or one name may try. Counts; what is counted and what follows is decided elsewhere."""

import json
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ...stores.port import Records

_TRIES: Final = 20
"""A write that finds the count changed looks again."""

_MOST_KEYS: Final = 10_000
"""Addresses remembered at once: about a megabyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Per address and minute, in each process: registrations, and client documents that must be fetched.

    Hosts register from a few addresses for all their people, so these stop floods, not traffic. `sign_ins` are wrong
    passwords within `sign_in_window` seconds, for one name from one address; ten times as many from one address for
    any name, or for one name from any address. They are counted in the store, for all processes.
    """

    registrations: int = 120
    documents: int = 60
    sign_ins: int = 5
    sign_in_window: float = 300.0


@dataclass(slots=True, kw_only=True)
class Throttle:
    """At most `most` in `per` seconds for each key, in memory."""

    most: int
    now: Callable[[], float]
    per: float = 60.0
    _windows: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)

    def wait(self, key: str) -> float | None:
        """Count one more. None: it may pass; else the seconds until the next one may."""
        now = self.now()
        began, count = self._windows.pop(key, (now, 0))
        if not 0 <= now - began < self.per:
            began, count = now, 0
        self._windows[key] = (began, count + 1)
        if len(self._windows) > _MOST_KEYS:
            self._windows.popitem(last=False)
        return None if count < self.most else began + self.per - now


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Failed attempts, counted in the store so that neither a restart nor another process forgets them."""

    records: Records
    kind: str
    window: float
    now: Callable[[], float]

    async def add(self, key: str, more: int) -> int:
        """Count `more`, and say how many there are within the window now, which begins with the first one.

        Where so many count at once that this one finds no gap, that is too many: the answer is larger than any limit.
        """
        for _ in range(_TRIES):
            record = await self.records.get(self.kind, key)
            count, began = (0, self.now()) if record is None else self._read(record.value)
            count = max(0, count + more)
            value = json.dumps({"count": count, "began": began}).encode()
            version = 0 if record is None else record.version
            if await self.records.put(self.kind, key, value, expires_in=self.window, version=version):
                return count
        return sys.maxsize

    def _read(self, value: bytes) -> tuple[int, float]:
        said = json.loads(value)
        if not 0 <= self.now() - said["began"] < self.window:
            return 0, self.now()
        return said["count"], said["began"]
