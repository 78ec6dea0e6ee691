"""What a simulated night comes to: kept in the book, compared with the lock, and tried if there is a target."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contract_tests.drift.approving import approve
from contract_tests.drift.deciding import Night, decide
from contract_tests.drift.finding import Decision, Finding
from contract_tests.drift.lock import Lock
from contract_tests.drift.running import tried
from contract_tests.play import Options
from contract_tests.target.target import Target

from .changes import PlatformChange
from .imitation import DAY, FIRST_NIGHT, Alter, Platform
from .logbook import Logbook


@dataclass(slots=True)
class Watch:
    """A connector that was watched for some nights and approved; the next night can be played in many ways."""

    platform: Platform
    nights: int
    logbook: Logbook
    lock: Lock

    async def next_night(self, alter: Alter | None = None, *, keep: bool = False) -> Decision:
        """What the following night comes to; it is forgotten unless it is kept."""
        logbook = self.logbook if keep else self.logbook.copy()
        await logbook.keep(self.platform.night(self.nights, alter))
        night = await night_at(logbook, self.nights + 1)
        self.nights += keep
        return decide(night, self.lock)

    async def tried(self, decision: Decision, target: str) -> Decision:
        """What becomes of it at an address."""
        return await tried(decision, self.lock, Target(name=target, url=target), Options())


async def watched(platform: Platform, nights: int) -> Watch:
    """Watch a platform for some nights, and approve what was seen."""
    logbook = Logbook()
    for number in range(nights):
        await logbook.keep(platform.night(number))
    night = await night_at(logbook, nights)
    return Watch(platform, nights, logbook, approve(Lock(), decide(night, Lock()), night))


async def night_at(logbook: Logbook, number: int) -> Night:
    """The last 24 hours at the end of so many nights."""
    contents, now = await logbook.contents(), FIRST_NIGHT + number * DAY
    return Night(sightings=contents.sightings, cadences=contents.cadences, now=now, since=now - DAY)


def is_it(change: PlatformChange) -> Callable[[Finding], bool]:
    """Whether a finding is the one that a change must lead to."""
    return lambda found: (
        found.deviation.kind.value == change.kind
        and found.deviation.turn.value == change.turn
        and change.names in str(found.deviation)
    )


def fate_of(findings: Sequence[Finding], change: PlatformChange) -> str | None:
    """What became of it when it was tried; None for what cannot be."""
    found = next(filter(is_it(change), findings), None)
    fate = None if found is None or found.trial is None else found.trial.fate.value
    return None if fate == "not tried" and change.fate is None else fate
