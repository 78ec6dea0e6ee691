"""What the book says: who was seen, at which pace, what went wrong, and who deployed. Values only, and pure.

Times are seconds since 1970 on the clock of the process that saw it. An hour is the number of whole hours since 1970.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .shape import Shape

MOST_SUBJECTS: Final = 8
"""How far subjects are told apart: more than a few is many."""

CUT_BOUNDS: Final = (
    1, 2, 5, 10, 20, 30, 45, 55, 58, 59, 60, 61, 65, 75, 90, 100, 110, 117, 118, 119, 120, 121, 125,
    150, 180, 210, 240, 300,
)  # fmt: skip
"""Seconds; a cut counts at the largest bound it reached, 0 below the first. Close together where clients were seen to
give up (59.8 s, 119.8 s, 150 to 240 s), so that a new limit shows as another bucket."""


def cut_bucket(seconds: float) -> int:
    """The bucket in which a cut after so many seconds is counted."""
    return max((bound for bound in CUT_BOUNDS if bound <= seconds), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One shape at one connector. `subjects`: how many different people or conversations sent it, at most
    `MOST_SUBJECTS`. `sample`: see `redacting.sample_of`.
    """

    connector: str
    shape: Shape
    first_seen: float
    last_seen: float
    count: int
    subjects: int
    sample: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """One hour of one method of one surface at one connector.

    `retries`: the same call again, after the first was cut. `cut_after`: how often the client left before the answer,
    by `cut_bucket`. `longest_parallel`: the most that one person or conversation had under way at once.
    `codes_issued` and `codes_redeemed`: answers that carried an authorization code, and codes that became tokens.
    """

    connector: str
    surface: str
    method: str
    hour: int
    count: int = 0
    retries: int = 0
    cut_after: Mapping[int, int] = field(default_factory=dict)
    longest_parallel: int = 0
    codes_issued: int = 0
    codes_redeemed: int = 0

    @property
    def day(self) -> int:
        """Whole days since 1970."""
        return self.hour // 24

    @property
    def lists(self) -> int:
        """How often something was listed."""
        return self.count if self.method.endswith("/list") else 0

    @property
    def calls(self) -> int:
        """How often a tool was called."""
        return self.count if self.method == "tools/call" else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """What went wrong in one hour for one surface at one connector: `count` times `kind`, of `total` requests.

    `kind`: `status 401` and the like, `cut` (the client left), `crashed` (no answer at all), `rpc error` (JSON-RPC
    says so), `tool error` (`isError`). A row with the kind `""` and count 0 says that there were requests and no
    failure.
    """

    connector: str
    hour: int
    surface: str
    kind: str
    count: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """From `at` on this build ran: another one ran before, or none."""

    connector: str
    build: str
    version: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSight:
    """Something unknown in OAuth, as `connector.oauth.noticed` has it: what, where, and its redacted name."""

    connector: str
    kind: str
    where: str
    name: str
    first_seen: float
