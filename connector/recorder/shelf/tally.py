"""What was counted since the last time it was put on the shelf, and how it is added to what is there. Pure.

Adding is commutative, so workers and processes can add in any order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..shape import Shape
from ..sighting import MOST_SUBJECTS

MOST_HOPS: Final = 32
MOST_METHODS: Final = 40
"""Of one surface in one hour; what comes beyond is counted as `MORE`."""
MOST_KINDS: Final = 24
MORE: Final = "(more)"


@dataclass(slots=True, kw_only=True)
class ShapeTally:
    """One shape. `count` is new since the last time, `total` is all of this process. `subjects` are digests."""

    shape: Shape
    sample: Mapping[str, Any]
    first: float
    last: float
    count: int = 0
    total: int = 0
    subjects: set[bytes] = field(default_factory=set)
    hops: set[str] = field(default_factory=set)
    is_gone: bool = False

    def added_to(self, row: Mapping[str, Any] | None, connector: str, marks: set[str]) -> dict[str, Any]:
        """The row with this in it; `marks` are the subjects as the store may have them."""
        old: Mapping[str, Any] = row or {}
        subjects = sorted({*old.get("subjects", ()), *marks})
        hops = sorted({*old.get("hops", ()), *self.hops, *self.shape.hops})
        return {
            "connector": connector,
            "shape": old.get("shape") or self.shape.as_json(),
            "sample": old.get("sample") or self.sample,
            "first": min(self.first, old.get("first", self.first)),
            "last": max(self.last, old.get("last", self.last)),
            "count": self.count + old.get("count", 0),
            "subjects": subjects[:MOST_SUBJECTS],
            "hops": hops[:MOST_HOPS],
        }


@dataclass(slots=True, kw_only=True)
class MethodTally:
    """One method in one hour. See `sighting.Cadence`."""

    count: int = 0
    retries: int = 0
    parallel: int = 0
    issued: int = 0
    redeemed: int = 0
    cuts: dict[int, int] = field(default_factory=dict)

    def added_to(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with this in it."""
        return {
            "count": self.count + row.get("count", 0),
            "retries": self.retries + row.get("retries", 0),
            "parallel": max(self.parallel, row.get("parallel", 0)),
            "issued": self.issued + row.get("issued", 0),
            "redeemed": self.redeemed + row.get("redeemed", 0),
            "cuts": _sums({str(bucket): count for bucket, count in self.cuts.items()}, row.get("cuts", {})),
        }

    def add(self, other: "MethodTally") -> None:
        """Take another's counts over."""
        self.count += other.count
        self.retries += other.retries
        self.parallel = max(self.parallel, other.parallel)
        self.issued += other.issued
        self.redeemed += other.redeemed
        self.cuts = _sums(self.cuts, other.cuts)


@dataclass(slots=True, kw_only=True)
class HourTally:
    """One surface in one hour: its methods, and what went wrong among all its requests."""

    total: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    methods: dict[str, MethodTally] = field(default_factory=dict)

    def method(self, name: str) -> MethodTally:
        """The counts of a method."""
        if name not in self.methods and len(self.methods) >= MOST_METHODS:
            name = MORE
        return self.methods.setdefault(name, MethodTally())

    def failed(self, kind: str) -> None:
        """Something went wrong."""
        if kind not in self.failures and len(self.failures) >= MOST_KINDS:
            kind = MORE
        self.failures[kind] = self.failures.get(kind, 0) + 1

    def added_to(self, row: Mapping[str, Any] | None, connector: str, hour: int, surface: str) -> dict[str, Any]:
        """The row with this in it."""
        old: Mapping[str, Any] = row or {}
        methods = {name: dict(each) for name, each in old.get("methods", {}).items()}
        for name, tally in self.methods.items():
            place = name if name in methods or len(methods) < MOST_METHODS else MORE
            methods[place] = tally.added_to(methods.get(place, {}))
        return {
            "connector": connector,
            "hour": hour,
            "surface": surface,
            "total": self.total + old.get("total", 0),
            "failures": _sums(self.failures, old.get("failures", {})),
            "methods": methods,
        }

    def add(self, other: "HourTally") -> None:
        """Take another's counts over."""
        self.total += other.total
        self.failures = _sums(self.failures, other.failures)
        for name, tally in other.methods.items():
            self.method(name).add(tally)


def _sums(one: Mapping[Any, int], other: Mapping[Any, int]) -> dict[Any, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**other, **one}}
