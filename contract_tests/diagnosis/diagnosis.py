"""`Diagnosis`: what was concluded about one target, as values. Reads no clock, socket or file."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_FINDING, _NOTHING_JUDGED = 1, 2


class Verdict(StrEnum):
    """What one piece of evidence says."""

    HOLDS = "holds"
    FINDING = "finding"
    NOT_CHECKED = "not checked"


class Suspect(StrEnum):
    """Who may be at fault."""

    EDGE = "edge"
    """What stands between the address people use and the connector: proxies, balancers, tunnels."""
    CONNECTOR = "connector"
    """The server itself."""


class Certainty(StrEnum):
    """How far a finding's suspicion goes."""

    CERTAIN = "certain"
    LIKELY = "likely"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One conclusion: a sentence, the figures it rests on, what to do, and the incidents that began like this.

    `suspects` and `certainty` are empty unless it is a finding.
    """

    subject: str
    verdict: Verdict
    sentence: str
    facts: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    certainty: Certainty | None = None
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All evidence about one target. `direct` is the connector's own address if one was given, else empty."""

    target: str
    url: str
    direct: str
    started: datetime
    duration: float
    version: str
    evidence: tuple[Evidence, ...]

    @property
    def findings(self) -> tuple[Evidence, ...]:
        """The evidence that something is wrong."""
        return tuple(each for each in self.evidence if each.verdict is Verdict.FINDING)

    @property
    def exit_code(self) -> int:
        """0: what could be checked holds; 1: at least one finding; 2: nothing could be judged."""
        if self.findings:
            return _FINDING
        return 0 if any(each.verdict is Verdict.HOLDS for each in self.evidence) else _NOTHING_JUDGED
