"""A night's drift: what the book says and what is approved in, findings out. Pure: `now` is an argument.

Sightings are compared one by one, and what they show together is one finding; the rhythm is compared by measure.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from connector.recorder.sighting import Cadence, Sighting

from .deviating import deviations, presented
from .finding import Decision, Deviation, Finding
from .kinds import Kind, Severity, Turn, severity_of
from .lock import Lock, place_of
from .losing import Losses
from .noise import (
    NoisePolicy,
    evidence_of,
    evidence_of_stranger,
    is_elsewhere,
    is_stranger,
    is_worth_an_alarm,
)
from .rhythm import rhythm_findings

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
    strangers = [finding for finding in found if is_elsewhere(finding.places)]
    found = [finding for finding in found if finding not in strangers]
    alarms = [finding for finding in found if _is_alarm(finding, night)]
    waiting = [finding for finding in found if finding not in alarms]
    if lock.places:
        alarms += rhythm_findings(night.cadences, lock, now=night.now, since=night.since)
    return Decision(findings=_sorted(alarms), waiting=_sorted(waiting), notes=tuple(_notes(night, lock, strangers)))


def _shown(night: Night, lock: Lock) -> _Shown:
    """Every deviation, and the sightings that show it."""
    losses = Losses(night.recent, night.cadences)
    shown: _Shown = defaultdict(list)
    for sighting in night.recent:
        for deviation in deviations(sighting.shape, lock):
            is_loss = deviation.turn is Turn.VANISHED and deviation.kind is not Kind.VERSION
            if not is_loss or losses.is_lost(deviation, sighting, lock):
                shown[presented(deviation)].append(sighting)
    return shown


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


def _is_alarm(finding: Finding, night: Night) -> bool:
    if finding.deviation.kind is Kind.SURFACE and all(is_stranger(place.surface) for place in finding.places):
        evidence = evidence_of_stranger(finding.sightings, night.cadences)
    else:
        evidence = evidence_of(finding.sightings)
    return is_worth_an_alarm(evidence, night.policy)


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    order = list(Severity)
    return tuple(sorted(findings, key=lambda each: (order.index(each.severity), str(each.deviation), each.places)))


def _notes(night: Night, lock: Lock, strangers: Sequence[Finding]) -> Iterator[str]:
    """What tells of a proxy, not of a platform, and what tells of the internet."""
    hops = sorted({name for sighting in night.recent for name in sighting.shape.hops} - lock.edge)
    if hops and lock.places:
        yield f"new on the way here, from a proxy or an edge, not from the platform: {', '.join(hops)}"
    if strangers:
        asked = sum(finding.count for finding in strangers)
        yield f"{asked} requests by {len(strangers)} new kinds of strangers asked for nothing that MCP or OAuth has"
