"""What a run is to be. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FAULTS: Final = ("kill", "leave", "stop", "cut", "store", "clock")
"""Kinds: workers die, are told to leave, stand still; clients hang up; the store has trouble; a clock is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """What a run is to be. `calls` is how many requests clients send at least, `lease` and `grace` are seconds,
    `strikes` is how many of a hundred stories are struck by a fault at a commit point. `is_forgetful` breaks the store,
    to see that it is noticed.
    """

    store: str
    calls: int
    seed: int
    faults: Sequence[str] = FAULTS
    lease: float = 1.5
    grace: float = 0.3
    strikes: float = 4.0
    is_forgetful: bool = False

    def troubles(self, kinds: int) -> int:
        """How often something is done to a store to which `kinds` can be done: each once at least, and once for a
        thousand calls.
        """
        return max(kinds, self.calls // 1000) if kinds else 0
