"""`Sign` and `Verdict`: one piece of evidence, and what all of them come to. Values only; nothing is weighed here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .culprit import Culprit


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One piece of evidence: the answer to one question of the table, with what was seen (`fact`, may be empty)."""

    question: str
    answer: str
    fact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A sign with what it contributed: bits for or against each culprit, after its group's discount."""

    sign: Sign
    means: str
    bits: Mapping[Culprit, float]
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Who is at fault, how sure that is, and what to do.

    `confidence` (0 to 1) is the culprit's share of all likelihood; it is the largest share even where the verdict is
    `unknown`. `decides` names the question whose answer would tell most, and how to get it; empty if there is none.
    `is_failure_seen` is False where all evidence is good: then nobody is blamed and `confidence` is 0.
    """

    culprit: Culprit
    confidence: float
    sentence: str
    next_step: str
    decides: str = ""
    look: str = ""
    shares: Mapping[Culprit, float] = field(default_factory=dict)
    weighed: tuple[Weighed, ...] = ()
    is_failure_seen: bool = True
