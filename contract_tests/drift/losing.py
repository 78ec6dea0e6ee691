"""Whether something that always came is gone, or only missing from some requests as optional things are. Pure.

One conversation is many requests, and one person lacks what another has: so people count, and hours, and requests only
where nobody can be told apart.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connector.recorder.paths import read
from connector.recorder.shape import MCP
from connector.recorder.sighting import Cadence, Sighting

from .finding import Deviation
from .kinds import Kind
from .lock import LOTS, MANY, Lock, Place, Profile, Trait, place_of, traits_of

_HOUR: Final = 3600
_PEOPLE: Final = 3
"""People who lack it, and none did before: what one in ten lacks, three in a row lack once in a thousand."""
_PEOPLE_OF_FEW: Final = 6
"""The same where so few were met that all may have had by chance what every second has."""
_PEOPLE_OF_THE_PLATFORM: Final = 2
"""Headers, the envelope and what stands around arguments are the platform's, not a person's."""
_REQUESTS: Final = 3
"""Requests since it went, where nobody can be told apart; of a place that is hardly known more, and spread."""
_REQUESTS_OF_FEW: Final = 5
_HOURS_OF_FEW: Final = 3
_PARTLY: Final = 0.1
"""Share of the requests that must lack something while others still have it; of a place that is known from lots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lacking:
    """Those that lack something."""

    first: float
    count: int
    people: int


class Losses:
    """Tonight's requests, place by place and version by version."""

    def __init__(self, recent: Sequence[Sighting], cadences: Sequence[Cadence]) -> None:
        self._cadences = cadences
        self._there: dict[tuple[Place, str], list[tuple[Sighting, frozenset[Trait]]]] = defaultdict(list)
        for sighting in recent:
            key = (place_of(sighting.shape), sighting.shape.version)
            self._there[key].append((sighting, frozenset(traits_of(sighting.shape))))

    def is_lost(self, deviation: Deviation, sighting: Sighting, lock: Lock) -> bool:
        """Whether what one sighting lacks is gone: from everything, or from a good part of what is known well."""
        place, version = place_of(sighting.shape), sighting.shape.version
        trait, there = (deviation.kind, deviation.name), self._there[place, version]
        lacking = [each for each, traits in there if trait not in traits]
        since = max((each.last_seen for each, traits in there if trait in traits), default=float("-inf"))
        profile = lock.places[place].versions[version]
        new = [each for each in lacking if each.first_seen > since]
        people = _people_needed(deviation, place, profile)
        if new and self._is_clean_cut(_lacking(new), place, profile, people):
            return True
        return profile.seen >= LOTS and self._share(_lacking(lacking), place) >= _PARTLY

    def _is_clean_cut(self, lacking: _Lacking, place: Place, profile: Profile, people: int) -> bool:
        """These came after the last that had it: are they enough?"""
        if lacking.people > 1:
            return lacking.people >= people
        if profile.seen >= MANY:
            return lacking.count >= _REQUESTS
        return lacking.count >= _REQUESTS_OF_FEW and len(self._hours(place, lacking.first)) >= _HOURS_OF_FEW

    def _share(self, lacking: _Lacking, place: Place) -> float:
        requests = sum(self._hours(place, lacking.first).values())
        return lacking.count / max(requests, lacking.count, 1)

    def _hours(self, place: Place, since: float) -> dict[int, int]:
        """Requests for a place by hour, from the hour of `since` on."""
        found: dict[int, int] = defaultdict(int)
        for cadence in self._cadences:
            is_here = (cadence.surface, cadence.method) == (place.surface, place.method)
            if is_here and cadence.count and cadence.hour >= int(since // _HOUR):
                found[cadence.hour] += cadence.count
        return dict(found)


def _people_needed(deviation: Deviation, place: Place, profile: Profile) -> int:
    segments = deviation.name.split(".") if deviation.kind is not Kind.MEMBER else read(deviation.name)
    is_envelope = any(segment.startswith("io.modelcontextprotocol/") for segment in segments)
    if deviation.kind is Kind.HEADER or (place.channel == MCP and ("_meta" not in segments[:-1] or is_envelope)):
        return _PEOPLE_OF_THE_PLATFORM
    return _PEOPLE if profile.seen >= MANY else _PEOPLE_OF_FEW


def _lacking(sightings: Sequence[Sighting]) -> _Lacking:
    return _Lacking(
        first=min(each.first_seen for each in sightings),
        count=sum(each.count for each in sightings),
        people=max(each.subjects for each in sightings),
    )
