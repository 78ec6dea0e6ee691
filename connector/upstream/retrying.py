"""What is tried again, and when. Pure: it takes what happened, and gives an answer.

| what happened | a read, or a write with a key | a write without |
|---|---|---|
| no connection was made: nothing was sent | again | again |
| the connection broke, or nothing came in time | again | once |
| 502, 503, 504: the gateway's own failures (RFC 9110, section 15.6) | again | once |
| 429: it was not done (RFC 6585, section 4) | again | once |
| anything else | once | once |

A `Retry-After` is kept to, unless it ends after the call does: then the answer is handed to the tool at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

READS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Safe by RFC 9110 section 9.2.1, so a second try changes nothing."""

UNREADY: Final = frozenset({502, 503, 504})
THROTTLED: Final = 429

TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What became of one try. `status` is None where there was no answer; `was_sent` whether anything may have arrived;
    `after` is the answer's `Retry-After`.
    """

    status: int | None = None
    was_sent: bool = True
    after: str | None = None


def is_repeatable(method: str, *, has_key: bool) -> bool:
    """Whether a second try of the request changes nothing that the first did not."""
    return method in READS or has_key


def pause_before_next(
    trouble: Trouble,
    *,
    tried: int,
    is_safe: bool,
    remaining: float | None,
    may_retry: Callable[[], bool],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> float | bool:
    """Whether to try again: False; True, after the usual pause; or after so many seconds.

    `may_retry` is asked last, because asking takes from the budget.
    """
    if tried >= TRIES or not (is_safe or not trouble.was_sent):
        return False
    pause = None if trouble.after is None else seconds_of(trouble.after, now())
    if pause is not None and remaining is not None and pause >= remaining:
        return False
    if not may_retry():
        return False
    return True if pause is None else pause


def seconds_of(after: str, now: datetime) -> float | None:
    """The seconds that a `Retry-After` asks for (RFC 9110, section 10.2.3: seconds, or a date); None for neither."""
    said = after.strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
