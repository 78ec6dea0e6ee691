"""`Diagnosis`: what was concluded about one target, as values. Reads no clock, socket or file."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .weighing.verdict import Verdict

_FINDING, _NOTHING_JUDGED = 1, 2


class Standing(StrEnum):
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
    AUTHORIZATION = "authorization server"
    """Who issues its tokens."""
    TOOL = "tool"
    """One tool of it."""
    LIMIT = "client limit"
    """A limit of the client that a proper answer exceeds."""
    PLATFORM = "platform"
    """The host."""
    USER = "user's side"
    """The address, the account, what is switched on in the host."""


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
    standing: Standing
    sentence: str
    facts: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    certainty: Certainty | None = None
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All evidence about one target, and what it comes to. `direct` is the connector's own address, or empty;
    `was_reached` says whether anything answered at the target.
    """

    target: str
    url: str
    direct: str
    started: datetime
    duration: float
    version: str
    evidence: tuple[Evidence, ...]
    verdict: Verdict
    was_reached: bool = True

    @property
    def findings(self) -> tuple[Evidence, ...]:
        """The evidence that something is wrong."""
        return tuple(each for each in self.evidence if each.standing is Standing.FINDING)

    @property
    def exit_code(self) -> int:
        """0: what could be checked holds; 1: at least one finding; 2: nothing could be judged."""
        if self.findings:
            return _FINDING
        is_judged = any(each.standing is Standing.HOLDS for each in self.evidence)
        return 0 if is_judged and self.was_reached else _NOTHING_JUDGED
