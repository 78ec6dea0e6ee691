"""The names of what is measured over time, as a lock file writes them, and whether each is a list of numbers."""

from collections.abc import Mapping
from typing import Final

A_DAY: Final = "a day"
"""Requests in 24 hours, of what came on every day that is known."""

HOURS_A_DAY: Final = "hours a day"
"""Hours of 24 in which some come, of the same: one conversation is many requests, and one hour."""

RETRIED: Final = "retried"
"""Share of the requests that were the same call again."""

CUT_AFTER: Final = "cut after"
"""Seconds after which the client leaves by itself, as buckets of the visitors' book."""

IN_PARALLEL: Final = "in parallel"
"""The most requests that one person or conversation has under way at once, in a usual hour."""

FOR_A_CALL: Final = "for a call"
"""Handshakes and lists for every call of a tool."""

CODES_REDEEMED: Final = "codes redeemed"
"""Share of the authorization codes that became tokens."""

MEASURES: Final[Mapping[str, bool]] = {
    A_DAY: False,
    HOURS_A_DAY: False,
    RETRIED: False,
    CUT_AFTER: True,
    IN_PARALLEL: False,
    FOR_A_CALL: False,
    CODES_REDEEMED: False,
}
