"""What earlier runs, a canary's report and a drift report say, as answers of the table. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ...report.history import PastRun
from ...report.words import first_line
from ..weighing.verdict import Sign

_MOST_NAMED: Final = 5
_LONGEST: Final = 300

_OF_CANARY: Final = {
    "status": ("incident", "clear"),
    "documents": ("changed", "same"),
    "api-call": ("works", "fails", "api-down"),
    "newest-sdk": ("same", "differs"),
}
"""What the canary's `answers` may say; a newer canary may say more, which is left out."""


def history_sign(runs: Sequence[PastRun]) -> Sign | None:
    """Whether what held in the run before the last still holds; None if there is nothing to compare.

    `runs` are of one target, oldest first.
    """
    if len(runs) < 2:  # noqa: PLR2004 - the last and the one before
        return None
    before, last = runs[-2], runs[-1]
    shared = set(before.held) & (set(last.held) | set(last.broken))
    if not shared:
        return None
    broken = sorted(shared & set(last.broken))
    when = last.started.isoformat(timespec="minutes")
    if not broken:
        return Sign(question="recorded-sessions", answer="hold", fact=f"{len(shared)} of the run before, at {when}")
    more = f" and {len(broken) - _MOST_NAMED} more" if len(broken) > _MOST_NAMED else ""
    return Sign(
        question="recorded-sessions", answer="break", fact=f"{', '.join(broken[:_MOST_NAMED])}{more}, at {when}"
    )


def drift_sign(report: Mapping[str, Any]) -> Sign | None:
    """What the JSON of `mcp-ballast drift --json` says; None if it is no such report."""
    findings = report.get("findings")
    if not isinstance(findings, list):
        return None
    said = [each for each in findings if isinstance(each, Mapping)]
    broken = [each for each in said if isinstance(each.get("trial"), Mapping) and each["trial"].get("fate") == "breaks"]
    if not said:
        return Sign(question="shapes", answer="none", fact="no drift")
    named = ", ".join(" ".join(str(each.get(part, "")) for part in ("kind", "turn", "name")) for each in broken or said)
    return Sign(
        question="shapes", answer="new-and-breaks" if broken else "new", fact=first_line(named, longest=_LONGEST)
    )


def canary_signs(report: Mapping[str, Any]) -> tuple[Sign, ...]:
    """What the JSON of `mcp-ballast canary --json` says. What is not known is left out."""
    said = report.get("answers")
    return tuple(_of_canary(said if isinstance(said, list) else []))


def _of_canary(said: Sequence[Any]) -> Iterable[Sign]:
    for each in said:
        question, answer = (str(each.get(name)) if isinstance(each, Mapping) else "" for name in ("question", "answer"))
        if answer in _OF_CANARY.get(question, ()):
            yield Sign(question=question, answer=answer, fact=str(each.get("fact", "")))
