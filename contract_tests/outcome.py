"""What a replay found, as values: exchanges, findings, and the run they add up to.

Nothing here reads a clock, a socket or a file. Every report (terminal, JSON, JUnit, HTML) is a function of `Run`.
Times are seconds; `at` counts from the moment the request's last byte was handed to the socket.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Verdict(StrEnum):
    """How a session ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class Ending(StrEnum):
    """How the reply's byte stream ended."""

    COMPLETE = "complete"
    CUT_BY_CLIENT = "cut by the client"
    BROKEN = "broken by the target"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Bytes that arrived together: when (seconds), how many, and whether they were only a heartbeat.

    Of very many arrivals, neighbours are one: then `count` of them came from `at` on, shortly after each other.
    """

    at: float
    size: int
    is_heartbeat: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The literal request, with credentials already replaced by placeholders."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The reply as it came: status and headers, body text, and the arrival time of every chunk."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: str
    chunks: tuple[Chunk, ...]
    ending: Ending
    duration: float
    first_byte: float | None = None
    longest_gap: float = 0.0
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken expectation: where, what was expected, what came instead, and the incident it guards against."""

    step: str
    where: str
    expected: str
    actual: str
    incidents: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span the target exported while a step ran. Times are Unix nanoseconds; `status` is unset, ok or error."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    started_ns: int
    ended_ns: int
    status: str
    attributes: tuple[tuple[str, str], ...] = ()
    links: tuple[str, ...] = ()
    events: tuple[tuple[str, int], ...] = ()
    status_message: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One step as it was played. `skipped` says why it was not sent; then `sent` and `received` are None."""

    name: str
    sent: Sent | None
    received: Received | None
    findings: tuple[Finding, ...] = ()
    skipped: str = ""
    started: float = 0.0
    trace_id: str = ""
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRun:
    """One session as it was played, or one contract as it was checked, with what says how far to trust it.

    `severity` is a contract's (critical, serious, minor); empty for sessions.
    """

    id: str
    title: str
    host: str
    surface: str
    provenance: str
    seen: date
    expires: date
    is_expired: bool
    incidents: tuple[str, ...]
    verdict: Verdict
    steps: tuple[StepRun, ...] = ()
    reason: str = ""
    duration: float = 0.0
    severity: str = ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding of every step, in order."""
        return tuple(finding for step in self.steps for finding in step.findings)


class Fate(StrEnum):
    """What became of a mutant."""

    SURVIVED = "survived"
    BROKE = "broke"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where a mutant differs from its session.

    `part` is body, header, query, form, cut or dialogue; `pointer` a JSON pointer in a body, or else a name. `value` is
    the JSON type with the value where it is short, of what was added, removed, or put `instead_of` another.
    `position` says whether the step itself differs (here), a copy before or after it, or all of the session (beside).
    """

    step: str
    part: str
    pointer: str
    kind: str
    value: str
    instead_of: str = ""
    position: str = "here"


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantRun:
    """One session after one kind of platform change. Of a broken one `differences` are the smallest that break it.

    `steps` are those that broke, with their exchanges. `reason` says why it was not tried, or what else happened.
    """

    rule: str
    session: str
    fate: Fate
    differences: tuple[Difference, ...]
    steps: tuple[StepRun, ...] = ()
    reason: str = ""
    plays: int = 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding of every step, in order."""
        return tuple(finding for step in self.steps for finding in step.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRun:
    """One kind of platform change, and what became of its mutants. `not_applicable` counts sessions without a place."""

    id: str
    title: str
    stands_for: str
    expected: str
    source: str
    incidents: tuple[str, ...]
    advice: str
    survived: int
    broke: int
    not_tried: int
    not_applicable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MutationRun:
    """All mutants of one run: `derived` could have been tried; more than `budget` are sampled by `seed`."""

    seed: int
    budget: int
    derived: int
    duration: float
    sessions: tuple[str, ...]
    rules: tuple[RuleRun, ...]
    mutants: tuple[MutantRun, ...]

    @property
    def survived(self) -> int:
        """Mutants under which nothing broke."""
        return sum(rule.survived for rule in self.rules)

    @property
    def broke(self) -> int:
        """Mutants under which something broke."""
        return sum(rule.broke for rule in self.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All sessions of one replay against one target, and what became of their mutants if they were asked for."""

    target: str
    url: str
    started: datetime
    duration: float
    version: str
    sessions: tuple[SessionRun, ...]
    notes: tuple[str, ...] = field(default=())
    mutations: MutationRun | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding of every session, in order."""
        return tuple(finding for session in self.sessions for finding in session.findings)

    @property
    def exit_code(self) -> int:
        """0: every checked session holds; 1: a finding, also under a mutation; 2: nothing could be checked."""
        verdicts = {session.verdict for session in self.sessions}
        if Verdict.FAILED in verdicts or (self.mutations is not None and self.mutations.broke):
            return 1
        return 0 if Verdict.PASSED in verdicts else 2
