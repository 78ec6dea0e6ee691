"""Signs as evidence for the report, where no function of its own draws a conclusion with advice. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from .diagnosis import Certainty, Evidence, Standing, Suspect
from .weighing.culprit import Culprit
from .weighing.table import weights
from .weighing.verdict import Sign

TOLD_ELSEWHERE: Final = frozenset({"reach", "framing", "idle-stream", "slow-call"})
"""Questions whose answers `reach`, `streams` and `slow` put in words themselves."""

_SUSPECTS: Final[Mapping[Culprit, Suspect]] = {
    Culprit.PLATFORM: Suspect.PLATFORM,
    Culprit.EDGE: Suspect.EDGE,
    Culprit.PROXY: Suspect.EDGE,
    Culprit.AUTHORIZATION: Suspect.AUTHORIZATION,
    Culprit.CONNECTOR: Suspect.CONNECTOR,
    Culprit.TOOL: Suspect.TOOL,
    Culprit.LIMIT: Suspect.LIMIT,
    Culprit.USER: Suspect.USER,
}
_CERTAIN: Final = 5.0  # bits
_LIKELY: Final = 3.0
_NEAR: Final = 2.0  # bits below the strongest suspicion at which another one is still mentioned


def evidence_of(signs: Sequence[Sign]) -> tuple[Evidence, ...]:
    """One piece of evidence for each sign that nobody else tells."""
    return tuple(_evidence(sign) for sign in signs if sign.question not in TOLD_ELSEWHERE)


def _evidence(sign: Sign) -> Evidence:
    answer = weights().answer(sign.question, sign.answer)
    suspects, certainty = _suspected(answer.weights) if answer.is_failure else ((), None)
    return Evidence(
        subject=sign.question,
        standing=Standing.FINDING if answer.is_failure else Standing.HOLDS,
        sentence=answer.means,
        facts=(sign.fact,) if sign.fact else (),
        suspects=suspects,
        certainty=certainty,
        incidents=weights().questions[sign.question].incidents if answer.is_failure else (),
    )


def _suspected(bits: Mapping[Culprit, float]) -> tuple[tuple[Suspect, ...], Certainty]:
    highest = max(bits.values(), default=0.0)
    near = [culprit for culprit, value in bits.items() if value > 0 and value >= highest - _NEAR]
    suspects = tuple(dict.fromkeys(_SUSPECTS[culprit] for culprit in near))
    if highest >= _CERTAIN and len(suspects) == 1:
        return suspects, Certainty.CERTAIN
    return suspects, Certainty.LIKELY if highest >= _LIKELY else Certainty.UNDECIDED
