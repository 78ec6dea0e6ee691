"""The lock after an approval: what was found becomes known, what is known stays, what waits stays unknown. Pure.

Whether a piece is always there is only ever weakened by requests that came since; it is learned for what is new. A
measured number stays as it was written until it drifts, so that an approval changes no line it is not about.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from connector.recorder.sighting import MOST_SUBJECTS, Sighting

from .deciding import Night
from .finding import Decision, Finding
from .kinds import Kind
from .lock import FEW, LOTS, MANY, Approved, Lock, Measure, Place, Profile, Trait, Usage, place_of, traits_of
from .measures import A_DAY, HOURS_A_DAY
from .rhythm import HOUR, Learned, learned

_DAILY = frozenset({A_DAY, HOURS_A_DAY})


def approve(lock: Lock, decision: Decision, night: Night) -> Lock:
    """The lock in which all findings of a decision are approved. The first one takes all that the book knows."""
    sightings = _accepted(decision, night) if lock.places else night.sightings
    grouped: Mapping[tuple[Place, str], list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        grouped[place_of(sighting.shape), sighting.shape.version].append(sighting)
    places = dict(lock.places)
    for (place, version), own in grouped.items():
        approved = places.get(place, Approved())
        profile = _profile(approved.versions.get(version), own)
        places[place] = replace(approved, versions={**approved.versions, version: profile})
    return _with_rhythm(replace(lock, places=places), decision, night)


def _accepted(decision: Decision, night: Night) -> list[Sighting]:
    """Tonight's sightings without those that show nothing but what still waits."""
    found = {_key(sighting) for finding in decision.findings for sighting in finding.sightings}
    waits = {_key(sighting) for finding in decision.waiting for sighting in finding.sightings} - found
    return [sighting for sighting in night.recent if _key(sighting) not in waits]


def _key(sighting: Sighting) -> tuple[str, str]:
    return sighting.connector, sighting.shape.id


def _profile(old: Profile | None, sightings: Sequence[Sighting]) -> Profile:
    shapes = [traits_of(sighting.shape) for sighting in sightings]
    known: Mapping[Trait, Usage] = old.traits if old else {}
    regular = old.regular if old else frozenset()
    traits: dict[Trait, Usage] = {}
    for trait in {*known, *(trait for shape in shapes for trait in shape)}:
        words = [shape[trait] for shape in shapes if trait in shape]
        if not words and trait in regular:
            continue  # it was always there, and is gone
        was = known.get(trait)
        is_always = len(words) == len(shapes) and (was is None or was.is_always)
        traits[trait] = Usage(is_always=is_always, words=frozenset().union(was.words if was else (), *words))
    return Profile(seen=max(old.seen if old else 1, _at_least(sightings)), traits=traits)


def _at_least(sightings: Sequence[Sighting]) -> int:
    """How well it is known. Requests of one or two people are theirs; where nobody can be told apart, they count."""
    count = sum(sighting.count for sighting in sightings)
    people = max((sighting.subjects for sighting in sightings), default=0)
    for bound, least in ((LOTS, MOST_SUBJECTS), (MANY, MOST_SUBJECTS), (FEW, 0)):
        if count >= bound and (people >= least or people <= 1):
            return bound
    return 1


def _with_rhythm(lock: Lock, decision: Decision, night: Night) -> Lock:
    rhythm = learned(night.cadences, now=night.now)
    tonight = learned([each for each in night.cadences if (each.hour + 1) * HOUR > night.since], now=night.now)
    drifted = {(place, each.deviation.name) for each in decision.findings for place in each.places if _is_cadence(each)}
    silent = {place for each in decision.findings if each.deviation.kind is Kind.SILENCE for place in each.places}
    places = {}
    for place, approved in lock.places.items():
        own = [name for at, name in drifted if at == place]
        measures = _measures(approved.rhythm, _of(rhythm, place), own, _of(tonight, place))
        kept = {name: value for name, value in measures.items() if place not in silent or name not in _DAILY}
        places[place] = replace(approved, rhythm=kept)
    whole = [name for place, name in drifted if place not in lock.places]
    return replace(
        lock,
        places=places,
        rhythm=_measures(lock.rhythm, rhythm.whole, whole, tonight.whole),
        edge=lock.edge | {name for sighting in night.recent for name in sighting.shape.hops},
    )


def _is_cadence(finding: Finding) -> bool:
    return finding.deviation.kind is Kind.CADENCE


def _of(rhythm: Learned, place: Place) -> Mapping[str, Measure]:
    return rhythm.of.get((place.surface, place.method), {})


def _measures(
    known: Mapping[str, Measure],
    ever: Mapping[str, Measure],
    drifted: Iterable[str],
    tonight: Mapping[str, Measure],
) -> Mapping[str, Measure]:
    """What was written, what could not be written before, and tonight's numbers for what has drifted."""
    return {**ever, **known, **{name: tonight[name] for name in drifted if name in tonight}}
