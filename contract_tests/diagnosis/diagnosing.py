"""From a target to its diagnosis: ask, conclude, weigh. Holds the connections and reads the clock."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from time import monotonic
from typing import Final

from ..offer.catalogue import Example
from ..replay.wire import Wire
from ..target.target import Target
from .diagnosis import Diagnosis, Evidence
from .evidence import evidence_of
from .outside.answers import TRIED, signs_of
from .outside.asking import Headers
from .outside.observations import Observations, Place
from .outside.observing import Case, observe
from .outside.reach import framings, reach
from .outside.slow import slow_call
from .outside.streams import streams
from .weighing.scales import weigh
from .weighing.verdict import Sign

EVIDENCE: Final[tuple[Callable[[Observations], Evidence], ...]] = (reach, framings, streams, slow_call)
"""What is concluded with advice of its own, in the order of the report."""

PATIENCE: Final = 8.0
"""Seconds a stream is listened to: above the 5 s between a connector's heartbeats, below a person's patience."""


async def diagnose(
    target: Target,
    *,
    headers: Headers = (),
    examples: Mapping[str, Example] | None = None,
    direct: str = "",
    patience: float = PATIENCE,
    inside: Sequence[Sign] = (),
) -> Diagnosis:
    """Ask a target, and the connector's own address if `direct` gives one, and say whose fault it is if anything fails.

    Takes about `patience` seconds, or as long as the slow tool that `examples` names. `inside` is evidence from
    elsewhere: a visitors' book, a history of runs, a canary, a person. A target that cannot be reached is a diagnosis
    as well: its exit code is 2.

    Raises:
        BadTable: `inside` names a question or an answer that the table of weights does not have.
    """
    started, since = datetime.now(UTC), monotonic()
    case = Case(target=target, headers=headers, examples=examples or {}, direct=direct, patience=patience)
    async with Wire() as wire:
        seen = await observe(wire, case)
    signs = (*signs_of(seen), *inside)
    return Diagnosis(
        target=target.name,
        url=seen.url,
        direct=direct,
        started=started,
        duration=monotonic() - since,
        version=_own_version(),
        evidence=(*conclude(seen), *evidence_of(signs)),
        verdict=weigh(signs, tried=TRIED),
        was_reached=any(place is Place.TARGET and each.status is not None for (place, _), each in seen.answers.items()),
    )


def conclude(seen: Observations) -> tuple[Evidence, ...]:
    """Every conclusion that can be drawn from what was seen."""
    return tuple(evidence(seen) for evidence in EVIDENCE)


def _own_version() -> str:
    try:
        return version("mcp-ballast")
    except PackageNotFoundError:
        return "unknown"
