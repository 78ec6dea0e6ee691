"""The rhythm of requests: what is learned of it when somebody approves, and what of tonight's does not fit. Pure.

Shares are compared with what chance makes of them: a night's counts are small, and every night has many of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, log10
from typing import Final

from connector.recorder.sighting import CUT_BOUNDS, Cadence

from .chances import binomial_at_least, binomial_at_most, poisson_at_least
from .finding import Deviation, Finding
from .kinds import Kind, Turn, severity_of
from .lock import Approved, Lock, Measure, Place
from .measures import A_DAY, CODES_REDEEMED, CUT_AFTER, FOR_A_CALL, HOURS_A_DAY, IN_PARALLEL, RETRIED
from .noise import DAY
from .pace import CALL, Pace, Spoken, calls_of, daily, is_opening, paces, total

HOUR: Final = 3600.0

_BY_CHANCE: Final = 5e-4  # of one measure in one night; 30 nights of ten measures are then quiet six times in seven
_HARDLY_EVER: Final = 1e-6  # for what comes in bursts by nature, such as connectors being created after a newsletter
_EXPECTED_BY_NOW: Final = 10.0  # hours in which it would have come: e**-10 is how likely silence is then
_OVERDISPERSED: Final = 1.15  # nights differ more than chance alone makes them
_MORE_RETRIES: Final = 1.6  # a doubling, seen through the noise of a night
_MORE_OPENINGS: Final = 4.0
_LEAST_SHARE: Final = 0.005  # what was approved as none is one in two hundred: rarer things were not seen
_ENOUGH_CALLS: Final = 60  # of fewer a share says nothing
_ENOUGH_CUTS: Final = 5  # of fewer nobody can say at which times they come
_ENOUGH_CODES: Final = 5
_NARROW: Final = 5  # seconds: cuts that fall into so narrow a bucket are a clock's, not people's
_USUAL_HOURS: Final = 0.8  # `in parallel` holds in so many of the hours that were learned from
_UNUSUAL_HOURS: Final = 0.4  # and may not hold in so many: a first night has few hours to learn from


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A rhythm as it was measured: by surface and method, and for everything together."""

    of: Mapping[Spoken, Mapping[str, Measure]]
    whole: Mapping[str, Measure]


def learned(cadences: Sequence[Cadence], *, now: float) -> Learned:
    """Measure everything the book knows of the rhythm."""
    found = paces(cadences)
    first = min((cadence.hour for cadence in cadences), default=0)
    calls = calls_of(found)
    of = {spoken: dict(_measured(spoken[1], pace, calls, first, int(now // HOUR))) for spoken, pace in found.items()}
    whole = total(found)
    return Learned(
        of=of, whole={CODES_REDEEMED: _rounded(whole.redeemed / whole.issued)} if whole.issued >= _ENOUGH_CUTS else {}
    )


def _measured(method: str, pace: Pace, calls: int, first: int, this: int) -> Iterator[tuple[str, Measure]]:
    if (a_day := daily(pace, first_hour=first, this_hour=this)) is not None:
        yield A_DAY, _rounded(a_day[0])
        yield HOURS_A_DAY, _rounded(a_day[1])
    if is_opening(method) and calls >= _ENOUGH_CALLS:
        yield FOR_A_CALL, _rounded(pace.count / calls)
    if method != CALL:
        return
    if pace.count >= _ENOUGH_CALLS:
        yield RETRIED, _rounded(pace.retries / pace.count)
    if pace.parallel:
        yield IN_PARALLEL, float(_usual(list(pace.parallel.values())))
    least = max(2.0, pace.cuts.total() / 10)
    if pace.cuts.total() >= _ENOUGH_CUTS or pace.count >= 5 * _ENOUGH_CALLS:
        yield CUT_AFTER, tuple(float(bound) for bound, times in sorted(pace.cuts.items()) if times >= least)


def rhythm_findings(cadences: Sequence[Cadence], lock: Lock, *, now: float, since: float) -> list[Finding]:
    """What of the hours since `since` does not fit the approved rhythm."""
    tonight = paces([cadence for cadence in cadences if (cadence.hour + 1) * HOUR > since])
    found = [*_silences(paces(cadences), lock, cadences, now=now, since=since)]
    calls = calls_of(tonight)
    for place, approved in sorted(lock.places.items(), key=lambda item: item[0]):
        pace = tonight.get((place.surface, place.method))
        if pace is not None and pace.count:
            found += _unfitting(place, approved, pace, calls, since=since, now=now)
    whole = total(tonight)
    if (share := lock.rhythm.get(CODES_REDEEMED)) is not None and (words := _codes(whole, share, 0)):
        place = Place(surface="any", channel="oauth", method="codes")
        found.append(_finding(CODES_REDEEMED, words, place, whole.issued, since=since, now=now))
    return _merged(found)


def _merged(findings: Sequence[Finding]) -> list[Finding]:
    """One measure that drifts in several places is one finding, in the words of the place with most requests."""
    found: dict[tuple[Kind, str], Finding] = {}
    for each in findings:
        known = found.get((each.deviation.kind, each.deviation.name), each)
        places = each.places if known is each else (*known.places, *each.places)
        widest = max(known, each, key=lambda one: one.count)
        found[each.deviation.kind, each.deviation.name] = replace(widest, places=tuple(sorted(places)))
    return list(found.values())


def _unfitting(
    place: Place, approved: Approved, pace: Pace, calls: int, *, since: float, now: float
) -> Iterator[Finding]:
    usual = _number(approved.rhythm.get(A_DAY, 0.0)) * (now - since) / DAY
    for measure, unfit in _UNFIT.items():
        value = approved.rhythm.get(measure)
        if measure == FOR_A_CALL and pace.count < 2 * max(usual, 1):
            continue  # there are not more of these, but fewer calls
        if value is not None and (words := unfit(pace, value, calls)):
            yield _finding(measure, words, place, pace.count, since=since, now=now)


def _retried(pace: Pace, approved: Measure, _: int) -> tuple[str, str] | None:
    usual = max(_number(approved), _LEAST_SHARE)
    expected = pace.count * usual * _OVERDISPERSED
    share = pace.retries / pace.count
    if pace.retries < 5 or share < usual * _MORE_RETRIES:  # noqa: PLR2004 - fewer are one unlucky person
        return None
    return _shares(approved, share) if poisson_at_least(pace.retries, expected) < _BY_CHANCE else None


def _cut_after(pace: Pace, approved: Measure, _: int) -> tuple[str, str] | None:
    cuts, known = pace.cuts.total(), approved if isinstance(approved, tuple) else (approved,)
    around = {bound for each in known for bound in _neighbours(int(each))}
    for bound, times in pace.cuts.most_common():
        enough = 3 if _width(bound) <= _NARROW else 8
        if bound not in around and times >= enough and times >= 0.4 * cuts:
            return " and ".join(f"{each:g} s" for each in known) or "never", f"{bound} s"
    return None


def _in_parallel(pace: Pace, approved: Measure, _: int) -> tuple[str, str] | None:
    usual, hours = _number(approved), list(pace.parallel.values())
    above = [most for most in hours if most > usual]
    if len(hours) < 4:  # noqa: PLR2004 - too few hours for chances: every one must have twice as many
        is_unfit = bool(hours) and pace.count >= 20 and min(hours) >= 2 * usual  # noqa: PLR2004 - as above
    else:
        is_unfit = binomial_at_least(len(above), len(hours), _UNUSUAL_HOURS) < _BY_CHANCE
    return (f"{usual:g}", f"{_usual(hours):g}") if is_unfit and _usual(hours) > usual else None


def _for_a_call(pace: Pace, approved: Measure, calls: int) -> tuple[str, str] | None:
    usual = max(_number(approved), _LEAST_SHARE)
    share = pace.count / max(calls, 1)
    if not calls or share < usual * _MORE_OPENINGS:
        return None
    is_chance = poisson_at_least(pace.count, calls * usual * _OVERDISPERSED) >= _HARDLY_EVER
    return None if is_chance else _shares(approved, share)


def _codes(pace: Pace, approved: Measure, _: int) -> tuple[str, str] | None:
    usual = min(_number(approved), 0.98)  # one in fifty gives up between the consent and the token
    if pace.issued < 5 or pace.redeemed / pace.issued >= usual / 2:  # noqa: PLR2004 - fewer are one person's evening
        return None
    is_chance = binomial_at_most(pace.redeemed, pace.issued, usual) >= _BY_CHANCE
    return None if is_chance else _shares(approved, pace.redeemed / pace.issued)


_UNFIT: Final[Mapping[str, Callable[[Pace, Measure, int], tuple[str, str] | None]]] = {
    RETRIED: _retried,
    CUT_AFTER: _cut_after,
    IN_PARALLEL: _in_parallel,
    FOR_A_CALL: _for_a_call,
}


def _silences(
    known: Mapping[Spoken, Pace], lock: Lock, cadences: Sequence[Cadence], *, now: float, since: float
) -> Iterator[Finding]:
    """What came daily and does not come: all of it, a surface, or a method; the widest that fits is said."""
    begin = min((cadence.hour * HOUR for cadence in cadences), default=since)
    last = {spoken: (max(pace.by_hour) + 1) * HOUR for spoken, pace in known.items() if pace.by_hour}
    silent: list[Place] = []
    for place, approved in lock.places.items():
        heard = last.get((place.surface, place.method), begin)
        expected = _number(approved.rhythm.get(HOURS_A_DAY, 0.0)) * (now - heard) / DAY
        if heard <= since and expected >= _EXPECTED_BY_NOW:
            silent.append(place)
    heard_surfaces = {surface for (surface, _), heard in last.items() if heard > since}
    if silent and not heard_surfaces:
        yield _silence("everything", tuple(sorted(silent)), begin, now)
        return
    for surface in sorted({place.surface for place in silent} - heard_surfaces):
        yield _silence(surface, tuple(sorted(place for place in silent if place.surface == surface)), begin, now)
    for place in sorted(place for place in silent if place.surface in heard_surfaces):
        yield _silence(place.method, (place,), begin, now)


def _silence(name: str, places: tuple[Place, ...], begin: float, now: float) -> Finding:
    deviation = Deviation(kind=Kind.SILENCE, turn=Turn.VANISHED, name=name)
    severity = severity_of(Kind.SILENCE, Turn.VANISHED)
    return Finding(
        deviation=deviation, severity=severity, places=places, count=0, subjects=0, first_seen=begin, last_seen=now
    )


def _finding(measure: str, words: tuple[str, str], place: Place, count: int, *, since: float, now: float) -> Finding:
    return Finding(
        deviation=Deviation(kind=Kind.CADENCE, turn=Turn.CHANGED, name=measure, was=words[0], now=words[1]),
        severity=severity_of(Kind.CADENCE, Turn.CHANGED, measure),
        places=(place,),
        count=count,
        subjects=0,
        first_seen=since,
        last_seen=now,
    )


def _usual(hours: Sequence[int]) -> int:
    """What most hours do not exceed."""
    ordered = sorted(hours)
    return ordered[min(int(len(ordered) * _USUAL_HOURS), len(ordered) - 1)] if ordered else 0


def _neighbours(bound: int) -> Iterator[int]:
    """A bucket and the two beside it: a clock that is a little late is the same clock."""
    bounds = (0, *CUT_BOUNDS)
    yield bound
    if bound in bounds:
        at = bounds.index(bound)
        yield from bounds[max(at - 1, 0) : at + 2]


def _width(bound: int) -> float:
    bounds = (0, *CUT_BOUNDS, 10 * CUT_BOUNDS[-1])
    return bounds[bounds.index(bound) + 1] - bound if bound in bounds[:-1] else 0.0


def _shares(approved: Measure, share: float) -> tuple[str, str]:
    return f"{_number(approved):.2g}", f"{share:.2g}"


def _number(measure: Measure) -> float:
    return measure if isinstance(measure, float) else measure[0] if measure else 0.0


def _rounded(value: float) -> float:
    """Two significant digits: the next approval should not write another number for the same thing."""
    return round(value, 1 - floor(log10(abs(value)))) if value else 0.0
