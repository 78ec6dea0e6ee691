"""From a target to its diagnosis: ask, then weigh what came back. Holds the connections and reads the clock."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from time import monotonic
from typing import Final

from ..offer.catalogue import Example
from ..replay.wire import Wire
from ..target.target import Target
from .asking import Headers
from .diagnosis import Diagnosis, Evidence
from .observations import Observations
from .observing import Case, observe
from .reach import framings, reach
from .slow import slow_call
from .streams import streams

EVIDENCE: Final[tuple[Callable[[Observations], Evidence], ...]] = (reach, framings, streams, slow_call)
"""What is concluded, in the order of the report."""

PATIENCE: Final = 8.0
"""Seconds a stream is listened to: above the 5 s between a connector's heartbeats, below a person's patience."""


async def diagnose(
    target: Target,
    *,
    headers: Headers = (),
    examples: Mapping[str, Example] | None = None,
    direct: str = "",
    patience: float = PATIENCE,
) -> Diagnosis:
    """Ask a target, and the connector's own address if `direct` gives one, and say what stands between.

    Takes about `patience` seconds, or as long as the slow tool that `examples` names. A target that cannot be reached
    is a diagnosis as well: its exit code is 2.
    """
    started, since = datetime.now(UTC), monotonic()
    case = Case(target=target, headers=headers, examples=examples or {}, direct=direct, patience=patience)
    async with Wire() as wire:
        seen = await observe(wire, case)
    return Diagnosis(
        target=target.name,
        url=seen.url,
        direct=direct,
        started=started,
        duration=monotonic() - since,
        version=_own_version(),
        evidence=weigh(seen),
    )


def weigh(seen: Observations) -> tuple[Evidence, ...]:
    """Every conclusion that can be drawn from what was seen."""
    return tuple(evidence(seen) for evidence in EVIDENCE)


def _own_version() -> str:
    try:
        return version("mcp-ballast")
    except PackageNotFoundError:
        return "unknown"
