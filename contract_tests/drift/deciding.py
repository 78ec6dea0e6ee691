"""A night's drift: what the book says and what is approved in, findings out. Pure: `now` is an argument.

Sightings are compared one by one, and what they show together is one finding; the rhythm is compared by measure.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.recorder.sighting import Cadence, Sighting

from .deviating import deviations
from .finding import Decision, Deviation, Finding
from .kinds import Kind, Severity, Turn, severity_of
from .lock import MANY, Lock, Place, Trait, place_of, traits_of
from .noise import Evidence, NoisePolicy, evidence_of, is_worth_an_alarm
from .rhythm import rhythm_findings

_PARTLY: Final = 0.05
"""Share of a place's requests that must lack a piece before it is going; less is variety."""

_Shown = dict[Deviation, list[Sighting]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What is looked at: everything the book has, the time it is, and since when something counts as of tonight."""

    sightings: tuple[Sighting, ...]
    cadences: tuple[Cadence, ...] = ()
    now: float
    since: float
    policy: NoisePolicy = field(default_factory=NoisePolicy)

    @property
    def recent(self) -> tuple[Sighting, ...]:
        """What was seen tonight, whenever it was seen first."""
        return tuple(sighting for sighting in self.sightings if sighting.last_seen >= self.since)


def decide(night: Night, lock: Lock) -> Decision:
    """Compare a night with what is approved; without an approved place everything is new."""
    shown = _shown(night, lock)
    found = [_finding(deviation, sightings, lock) for deviation, sightings in shown.items()]
    alarms = [finding for finding in found if is_worth_an_alarm(_evidence(finding), night.policy)]
    waiting = [finding for finding in found if finding not in alarms]
    if lock.places:
        alarms += rhythm_findings(night.cadences, lock, now=night.now, since=night.since)
    return Decision(findings=_sorted(alarms), waiting=_sorted(waiting), notes=tuple(_edge_notes(night, lock)))


def _shown(night: Night, lock: Lock) -> _Shown:
    """Every deviation, and the sightings that show it."""
    having = _Having(night)
    shown: _Shown = defaultdict(list)
    for sighting in night.recent:
        for deviation in deviations(sighting.shape, lock):
            if (
                deviation.turn is not Turn.VANISHED
                or deviation.kind is Kind.VERSION
                or having.lost(deviation, sighting, lock)
            ):
                shown[deviation].append(sighting)
    return shown


class _Having:
    """Which pieces tonight's requests still have, place by place and version by version."""

    def __init__(self, night: Night) -> None:
        self._night = night
        self._traits: dict[tuple[Place, str], set[Trait]] = defaultdict(set)
        self._lacking: Mapping[tuple[Place, str], list[Sighting]] = defaultdict(list)
        for sighting in night.recent:
            key = (place_of(sighting.shape), sighting.shape.version)
            self._traits[key] |= traits_of(sighting.shape).keys()
            self._lacking[key].append(sighting)

    def lost(self, deviation: Deviation, sighting: Sighting, lock: Lock) -> bool:
        """Whether a piece is gone: from everything, or from a good part of a place that is known well."""
        place, version = place_of(sighting.shape), sighting.shape.version
        trait = (deviation.kind, deviation.name)
        if trait not in self._traits[place, version]:
            return True
        profile = lock.places[place].versions.get(version)
        return profile is not None and profile.seen >= MANY and self._share(trait, place, version) >= _PARTLY

    def _share(self, trait: Trait, place: Place, version: str) -> float:
        """The share of requests that lack a piece since the first that did."""
        lacking = [each for each in self._lacking[place, version] if trait not in traits_of(each.shape)]
        since = min((each.first_seen for each in lacking), default=self._night.now)
        count = sum(each.count for each in lacking)
        requests = sum(
            cadence.count
            for cadence in self._night.cadences
            if (cadence.surface, cadence.method) == (place.surface, place.method) and (cadence.hour + 1) * 3600 > since
        )
        return count / max(requests, count, 1)


def _finding(deviation: Deviation, sightings: Sequence[Sighting], lock: Lock) -> Finding:
    evidence = evidence_of(sightings)
    severity, remark = _weighed(deviation, sightings, lock)
    return Finding(
        deviation=deviation,
        severity=severity,
        remark=remark,
        places=tuple(sorted({place_of(sighting.shape) for sighting in sightings})),
        count=evidence.count,
        subjects=evidence.subjects,
        first_seen=evidence.first_seen,
        last_seen=evidence.last_seen,
        sightings=tuple(sightings),
    )


def _weighed(deviation: Deviation, sightings: Sequence[Sighting], lock: Lock) -> tuple[Severity, str]:
    severity = severity_of(deviation.kind, deviation.turn, deviation.name)
    if deviation.kind is Kind.METHOD and any(
        lock.knows_method(sighting.shape.channel, sighting.shape.method) for sighting in sightings
    ):
        return Severity.MEDIUM, "other surfaces are known to ask for it"
    if deviation.kind is Kind.METHOD and deviation.name.startswith("notifications/"):
        return Severity.MEDIUM, ""
    return severity, ""


def _evidence(finding: Finding) -> Evidence:
    return Evidence(
        count=finding.count,
        subjects=finding.subjects,
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
    )


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    order = list(Severity)
    return tuple(sorted(findings, key=lambda each: (order.index(each.severity), str(each.deviation), each.places)))


def _edge_notes(night: Night, lock: Lock) -> Iterator[str]:
    """Headers that the way here adds are nobody's drift: they tell of a proxy, not of a platform."""
    hops = sorted({name for sighting in night.recent for name in sighting.shape.hops} - lock.edge)
    if hops and lock.places:
        yield f"new on the way here, from a proxy or an edge, not from the platform: {', '.join(hops)}"
