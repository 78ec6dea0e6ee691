"""A past run as one line of a history file: what it said of a target, without what was exchanged.

Pure: from a `Run` to a line, and from a line back to a `PastRun`. Which file, and who else writes to it, is not known
here. A line of another form is refused with a reason, never guessed at.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from ..credentials import clean, without_credentials
from ..outcome import Finding, MutationRun, Run, SessionRun, Verdict
from .words import first_line, printable

FORMAT: Final = 1
"""The form of a line. Members may be added within it; a reader leaves out those it does not know."""

MUTATION: Final = "mutation "
"""Before the id of a rule, where ids of sessions and contracts stand too."""

_MOST: Final = 500  # ids of one kind in a line: several times the corpus
_LONGEST: Final = 200  # characters of an id or of a finding's place


class NotUnderstood(ValueError):
    """A line that is no past run; `is_newer` if a later version of this program wrote it."""

    def __init__(self, *, is_newer: bool = False) -> None:
        self.is_newer = is_newer
        super().__init__("written by a newer version" if is_newer else "damaged")


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """What is remembered of a run. Ids are those of sessions and contracts, and `mutation RULE`; durations are seconds.

    `findings` are places, as `SESSION > STEP: WHERE`, without what was expected and what came.
    """

    target: str
    started: datetime
    duration: float
    version: str
    exit_code: int
    held: tuple[str, ...]
    broken: tuple[str, ...]
    not_checked: tuple[str, ...]
    findings: tuple[str, ...]
    mutants_survived: int | None = None
    mutants_broken: int | None = None

    @property
    def checked(self) -> frozenset[str]:
        """Everything the run has a judgement of."""
        return frozenset(self.held) | frozenset(self.broken)


def remembered(run: Run) -> PastRun:
    """What is worth remembering of a run, without credentials."""
    run = without_credentials(run)
    ids = {verdict: [s.id for s in run.sessions if s.verdict is verdict] for verdict in Verdict}
    rules = _rules(run.mutations)
    return PastRun(
        target=redacted(run.target),
        started=run.started.astimezone(UTC),
        duration=round(run.duration, 3),
        version=run.version,
        exit_code=run.exit_code,
        held=_bounded([*ids[Verdict.PASSED], *rules[Verdict.PASSED]]),
        broken=_bounded([*ids[Verdict.FAILED], *rules[Verdict.FAILED]]),
        not_checked=_bounded([*ids[Verdict.NOT_CHECKED], *rules[Verdict.NOT_CHECKED]]),
        findings=_bounded(place(session, finding) for session in run.sessions for finding in session.findings),
        mutants_survived=run.mutations.survived if run.mutations else None,
        mutants_broken=run.mutations.broke if run.mutations else None,
    )


def place(session: SessionRun, finding: Finding) -> str:
    """Where a finding was made: the same from run to run, whatever came."""
    return _short(clean(f"{session.id} > {finding.step}: {finding.where}"))


def redacted(target: str) -> str:
    """A target's name without user, password, query and fragment."""
    if "://" not in target:
        return _short(clean(target))
    parts = urlsplit(target)
    return _short(clean(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))))


def line(past: PastRun) -> str:
    """The run as one line of ASCII, without a line feed."""
    members = {name: getattr(past, name) for name in PastRun.__slots__}
    members["started"] = past.started.isoformat(timespec="milliseconds")
    return json.dumps({"format": FORMAT, **members}, ensure_ascii=True, separators=(",", ":"))


def parsed(text: str) -> PastRun:
    """A line read back.

    Raises:
        NotUnderstood: it is damaged, or of a newer form.
    """
    try:
        data = json.loads(text)
        form = data["format"]
        if isinstance(form, int) and form > FORMAT:
            raise NotUnderstood(is_newer=True)
        if form != FORMAT:
            raise NotUnderstood
        return _past(data)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as problem:
        raise problem if isinstance(problem, NotUnderstood) else NotUnderstood from problem


def _past(data: dict[str, Any]) -> PastRun:
    started = datetime.fromisoformat(data["started"])
    if started.tzinfo is None or not math.isfinite(data["duration"]):
        raise NotUnderstood
    return PastRun(
        target=_text(data["target"]),
        started=started,
        duration=float(data["duration"]),
        version=_text(data["version"]),
        exit_code=int(data["exit_code"]),
        held=_texts(data["held"]),
        broken=_texts(data["broken"]),
        not_checked=_texts(data["not_checked"]),
        findings=_texts(data["findings"]),
        mutants_survived=_count(data.get("mutants_survived")),
        mutants_broken=_count(data.get("mutants_broken")),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise NotUnderstood
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise NotUnderstood
    return tuple(_text(item) for item in value)


def _count(value: Any) -> int | None:
    return None if value is None else int(value)


def _rules(mutations: MutationRun | None) -> dict[Verdict, list[str]]:
    """A rule holds only if every mutant that could be tried was: of a sample, silence says nothing."""
    found: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
    is_whole = mutations is not None and mutations.survived + mutations.broke >= mutations.derived
    for rule in mutations.rules if mutations else ():
        holds = rule.survived and is_whole
        verdict = Verdict.FAILED if rule.broke else Verdict.PASSED if holds else Verdict.NOT_CHECKED
        found[verdict].append(f"{MUTATION}{rule.id}")
    return found


def _bounded(texts: Iterable[str]) -> tuple[str, ...]:
    """Each once, and no more than a line should hold."""
    return tuple(dict.fromkeys(_short(clean(text)) for text in texts))[:_MOST]


def _short(text: str) -> str:
    return first_line(printable(text), longest=_LONGEST)
