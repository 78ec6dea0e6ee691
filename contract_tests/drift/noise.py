"""When something new is worth an alarm, and when it only waits. Pure.

One burst of one person raises nothing: a script, a scan, a broken client. What several send does, or what comes back;
and rarity decays what is known: twice in a lifetime is not coming back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connector.recorder.sighting import Sighting

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisePolicy:
    """`burst`: seconds within which repeating counts as one event: retries and a scan are over by then.
    `half_life`: seconds in which the weight of what was seen halves while nothing new comes of it.
    """

    burst: float = 1_800.0
    half_life: float = 14 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How well something is seen. `subjects` is the most that one shape had: nobody knows who they are."""

    count: int
    subjects: int
    first_seen: float
    last_seen: float


def evidence_of(sightings: Sequence[Sighting]) -> Evidence:
    """What some sightings show together."""
    return Evidence(
        count=sum(sighting.count for sighting in sightings),
        subjects=max(sighting.subjects for sighting in sightings),
        first_seen=min(sighting.first_seen for sighting in sightings),
        last_seen=max(sighting.last_seen for sighting in sightings),
    )


def is_worth_an_alarm(evidence: Evidence, policy: NoisePolicy) -> bool:
    """Whether it came from several, or came back, and not only in a lifetime."""
    span = evidence.last_seen - evidence.first_seen
    enough = 1 + 0.5 * (1 + span / policy.half_life)  # two at once are enough; two in a month are one and a ghost
    is_from_several = evidence.subjects >= enough
    is_repeated = span >= policy.burst and evidence.count >= enough
    return is_from_several or is_repeated
