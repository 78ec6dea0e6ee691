"""Records of a store as a dictionary: what the book's shelf needs of one, and it can be copied between nights."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.stores.port import Record


@dataclass(slots=True)
class Pages:
    """Named values without expiry: simulated nights pass in no time."""

    records: dict[str, dict[str, Record]] = field(default_factory=dict)
    versions: int = 0

    async def get(self, kind: str, key: str) -> Record | None:
        return self.records.get(kind, {}).get(key)

    async def put(
        self, kind: str, key: str, value: bytes, *, expires_in: float | None = None, version: int | None = None
    ) -> int | None:
        there = self.records.setdefault(kind, {})
        if version is not None and version != (there[key].version if key in there else 0):
            return None
        self.versions += 1
        there[key] = Record(key=key, value=value, version=self.versions, expires_at=None)
        return self.versions

    async def take(self, kind: str, key: str) -> Record | None:
        return self.records.get(kind, {}).pop(key, None)

    async def page(self, kind: str, *, prefix: str = "", after: str = "", limit: int = 100) -> Sequence[Record]:
        keys = sorted(key for key in self.records.get(kind, {}) if key.startswith(prefix) and key > after)
        return [self.records[kind][key] for key in keys[:limit]]

    def copy(self) -> "Pages":
        return Pages({kind: dict(records) for kind, records in self.records.items()}, self.versions)
