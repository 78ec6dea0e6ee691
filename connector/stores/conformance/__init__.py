"""The guarantees of `connector.stores.port` as checks that any store can be put to, in any test framework.

Make a `Bench` with an empty store for each check of `CHECKS` and await the check; docs/stores.md shows it with pytest.
"""

from . import claiming, ending, keeping, racing, recording
from .bench import Bench, Check

__all__ = ["CHECKS", "Bench", "Check"]

CHECKS: tuple[Check, ...] = (
    *claiming.CHECKS,
    *ending.CHECKS,
    *racing.CHECKS,
    *recording.CHECKS,
    *keeping.CHECKS,
)
"""Every check, each independent of the others."""
