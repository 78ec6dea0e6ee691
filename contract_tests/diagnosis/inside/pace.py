"""What the visitors' book says of how callers behave: when they leave, come back, and stay away. Pure.

Counted are the latest day's rows of one connector; what is rare proves nothing and gives no sign.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from ..weighing.verdict import Sign
from .book import Book, CadenceRow
from .onset import Hour, hours_of, onset

_HOUR: Final = 3600
_DAY: Final = 24
_FEWEST: Final = 3
_MOST_OF: Final = 0.5

_HOST_LIMITS: Final = (59, 119)
"""Seconds, rounded down: the Responses API leaves after 59.8 s, ChatGPT after 119.8 s (2026-09-18)."""
_PROXY_TIMES: Final = (30, 60, 75, 90, 100, 120, 125, 300)
"""Seconds, rounded down, at which proxies are set to cut, as far as the book tells them from others."""
_QUIET: Final = 6
"""Hours without a call, with lists as usual, after which calls are missed."""


def pace_signs(book: Book, connector: str, now: float, *, is_failing_now: bool = False) -> tuple[Sign, ...]:
    """What the book says of how callers behave at one connector.

    `is_failing_now` says that somebody sees a failure at this moment: then silence in the book is evidence too.
    """
    hour = int(now) // _HOUR
    own = [row for row in book.cadences if row.connector == connector]
    lately = [row for row in own if row.hour > hour - _DAY]
    hours = hours_of(book.failures, connector)
    found = (
        _log(hours, hour, is_failing_now=is_failing_now), _cuts(lately), _retries(lately), _codes(lately),
        _calls(own, hour), _shapes(book, connector, hours, hour),
    )  # fmt: skip
    return tuple(sign for sign in found if sign is not None)


def _log(hours: Sequence[Hour], now: int, *, is_failing_now: bool) -> Sign | None:
    began = onset(hours, now)
    if began is not None:
        answer = "cut-before-the-answer" if _is_mostly_cut(began) else "answered-with-errors"
        kinds = ", ".join(f"{kind} {count} times" for kind, count in sorted(began.kinds.items()))
        return Sign(question="log", answer=answer, fact=f"{kinds}, of {began.total} requests")
    if not is_failing_now or not hours:
        return None
    fresh = [each for each in hours if each.hour >= now - 1]
    if fresh:
        total = sum(each.total for each in fresh)
        return Sign(question="log", answer="answered-well", fact=f"{total} requests in this hour and the last")
    return Sign(question="log", answer="nothing-arrives", fact="no request in this hour and the last")


def _is_mostly_cut(began: Hour) -> bool:
    return began.kinds.get("cut", 0) > _MOST_OF * began.failed


def _cuts(rows: Iterable[CadenceRow]) -> Sign | None:
    cuts: Counter[int] = Counter()
    for row in rows:
        cuts.update(row.cut_after)
    total = sum(cuts.values())
    if total < _FEWEST:
        return None
    for answer, times in (("at-a-host-limit", _HOST_LIMITS), ("at-a-proxy-time", _PROXY_TIMES)):
        here = {after: cuts[after] for after in times if cuts[after]}
        if sum(here.values()) > _MOST_OF * total:
            said = ", ".join(f"{count} after {after} s" for after, count in here.items())
            return Sign(question="cut", answer=answer, fact=f"of {total} cuts: {said}")
    return Sign(question="cut", answer="any-time", fact=f"{total} cuts")


def _retries(rows: Sequence[CadenceRow]) -> Sign | None:
    calls = [row for row in rows if row.method == "tools/call"]
    retries, cuts = sum(row.retries for row in calls), sum(sum(row.cut_after.values()) for row in calls)
    if retries >= _FEWEST and retries > cuts / 4:
        return Sign(question="twice", answer="retried-after-a-timeout", fact=f"{retries} retries of {cuts} cut calls")
    return None


def _codes(rows: Sequence[CadenceRow]) -> Sign | None:
    issued, redeemed = sum(row.codes_issued for row in rows), sum(row.codes_redeemed for row in rows)
    if issued < _FEWEST:
        return None
    answer = "never-redeemed" if redeemed < _MOST_OF * issued else "redeemed"
    return Sign(question="codes", answer=answer, fact=f"{redeemed} of {issued} codes redeemed")


def _calls(rows: Sequence[CadenceRow], now: int) -> Sign | None:
    """Calls against the week before: a connector that is never called at night is not missed at night."""
    recent = [row for row in rows if row.hour > now - _QUIET]
    lists = sum(row.count for row in recent if row.method == "tools/list")
    calls = sum(row.count for row in recent if row.method == "tools/call")
    same_hours = {(hour % _DAY) for hour in range(now - _QUIET + 1, now + 1)}
    usual = [row for row in rows if row.hour <= now - _QUIET and row.hour % _DAY in same_hours]
    before = sum(row.count for row in usual if row.method == "tools/call")
    days = {row.hour // _DAY for row in usual if row.method == "tools/call"}
    if calls:
        return Sign(question="calls", answer="steady", fact=f"{calls} calls within {_QUIET} hours") if before else None
    if lists and len(days) >= _FEWEST:
        fact = (
            f"{lists} lists and no call within {_QUIET} hours; at this time of day {before} calls on {len(days)} days"
        )
        return Sign(question="calls", answer="lists-but-no-calls", fact=fact)
    return None


def _shapes(book: Book, connector: str, hours: Sequence[Hour], now: int) -> Sign | None:
    """New shapes around the onset; a book that is younger than a day finds everything new and is not asked."""
    began = onset(hours, now)
    own = [row.first_seen for row in book.sightings if row.connector == connector]
    if began is None or not own or min(own) > (began.hour - _DAY) * _HOUR:
        return None
    new = sum((began.hour - 1) * _HOUR <= first < (began.hour + 1) * _HOUR for first in own)
    answer = "new" if new else "none"
    return Sign(
        question="shapes", answer=answer, fact=f"{new} of {len(own)} shapes came first around the first failure"
    )
