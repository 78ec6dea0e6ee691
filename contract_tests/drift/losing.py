"""Whether something that always came is gone, or only missing from some requests as optional things are. Pure.

One conversation is many requests, and one person lacks what another has; so how much must lack it depends on how well
it was known.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from connector.recorder.sighting import Cadence, Sighting

from .finding import Deviation
from .lock import LOTS, MANY, Lock, Place, Profile, Trait, place_of, traits_of

_HOUR: Final = 3600
_REQUESTS_SINCE: Final = 3
"""Requests after the last one that had it, where it is known well."""
_REQUESTS_SINCE_OF_FEW: Final = 5
_HOURS_SINCE_OF_FEW: Final = 3
"""The same where it is known from few requests: more of them, and spread, for they could be one person's."""
_PARTLY_OF_LOTS: Final = 0.1
_PARTLY_OF_MANY: Final = 0.5
"""Share of the requests that must lack something while others still have it."""


class Losses:
    """Tonight's requests, place by place and version by version."""

    def __init__(self, recent: Sequence[Sighting], cadences: Sequence[Cadence], *, now: float) -> None:
        self._cadences = cadences
        self._now = now
        self._there: dict[tuple[Place, str], list[tuple[Sighting, frozenset[Trait]]]] = defaultdict(list)
        for sighting in recent:
            key = (place_of(sighting.shape), sighting.shape.version)
            self._there[key].append((sighting, frozenset(traits_of(sighting.shape))))

    def is_lost(self, deviation: Deviation, sighting: Sighting, lock: Lock) -> bool:
        """Whether what one sighting lacks is gone: from everything, or from a good part of what is known well."""
        place, version = place_of(sighting.shape), sighting.shape.version
        trait = (deviation.kind, deviation.name)
        having = [each for each, traits in self._there[place, version] if trait in traits]
        lacking = [each for each, traits in self._there[place, version] if trait not in traits]
        profile = lock.places[place].versions[version]
        last = max((each.last_seen for each in having), default=None)
        if last is None or last < max(each.last_seen for each in lacking):
            since = min(each.first_seen for each in lacking) if last is None else last
            if self._is_gone_since(since, place, profile, is_total=last is None):
                return True
        return self._is_partly_lost(lacking, place, profile)

    def _is_gone_since(self, since: float, place: Place, profile: Profile, *, is_total: bool) -> bool:
        hours = self._hours(place, since if is_total else since + _HOUR)
        if profile.seen >= MANY:
            return sum(hours.values()) >= _REQUESTS_SINCE
        return sum(hours.values()) >= _REQUESTS_SINCE_OF_FEW and len(hours) >= _HOURS_SINCE_OF_FEW

    def _is_partly_lost(self, lacking: Sequence[Sighting], place: Place, profile: Profile) -> bool:
        least = _PARTLY_OF_LOTS if profile.seen >= LOTS else _PARTLY_OF_MANY
        if profile.seen < MANY:
            return False
        count = sum(each.count for each in lacking)
        requests = sum(self._hours(place, min(each.first_seen for each in lacking)).values())
        return count / max(requests, count, 1) >= least

    def _hours(self, place: Place, since: float) -> dict[int, int]:
        """Requests for a place by hour, from the hour of `since` on."""
        found: dict[int, int] = defaultdict(int)
        for cadence in self._cadences:
            is_here = (cadence.surface, cadence.method) == (place.surface, place.method)
            if is_here and cadence.count and cadence.hour >= int(since // _HOUR):
                found[cadence.hour] += cadence.count
        return dict(found)
