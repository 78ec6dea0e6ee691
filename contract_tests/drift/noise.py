"""When something new is worth an alarm, and when it only waits. Pure.

One burst of one person raises nothing: a script, a scan, a broken client. What several send does, or what comes back;
and rarity decays what is known: twice in a lifetime is not coming back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from connector.recorder.shape import OTHER, Shape
from connector.recorder.sighting import Cadence, Sighting

from .lock import Place

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


_HOURS_OF_A_STRANGER: Final = 2
"""Hours with requests that count as one sighting of a client nobody knows: people try things twice."""

_MARKS: Final = frozenset({"authorization", "mcp-session-id", "x-openai-session", "x-openai-subject"})
_MEMBERS: Final = ("openai/subject", "openai/session")


def is_stranger(surface: str) -> bool:
    """Whether a surface is in no table: a new platform, or anybody with a script."""
    return surface == "other" or surface.startswith("unknown:")


def is_elsewhere(places: Sequence[Place]) -> bool:
    """Whether all of it asked for nothing that is ours to answer, as the whole internet does of every address."""
    return all(place.channel == OTHER and is_stranger(place.surface) for place in places)


def evidence_of_stranger(sightings: Sequence[Sighting], cadences: Sequence[Cadence]) -> "Evidence":
    """What is seen of a client nobody knows: people count if they are named, else the hours in which it came."""
    named = [sighting.subjects for sighting in sightings if _names_somebody(sighting.shape)]
    surfaces = {sighting.shape.surface for sighting in sightings} - {"other"}  # many clients share that word
    hours = {cadence.hour for cadence in cadences if cadence.surface in surfaces and cadence.count}
    return replace(evidence_of(sightings), count=len(hours) // _HOURS_OF_A_STRANGER, subjects=max(named, default=0))


def _names_somebody(shape: Shape) -> bool:
    return bool(_MARKS.intersection(shape.headers)) or any(
        mark in path for path, _ in shape.members for mark in _MEMBERS
    )


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
    enough = 1 + 0.75 * (1 + span / policy.half_life)  # two within days are enough; two in a month are not
    is_from_several = evidence.subjects >= enough
    is_repeated = span >= policy.burst and evidence.count >= enough
    return is_from_several or is_repeated
