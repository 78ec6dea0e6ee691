"""Trying what is new against a target: as usual first, then as it is now, then ever fewer differences that still break.

Plays sessions and nothing else; which they are is decided in `rebuilding`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from connector.recorder.sighting import Sighting

from ..judging.operators import look_up
from ..judging.reply import Reply, read_reply
from ..mutating.applying import changed
from ..mutating.change import Change
from ..mutating.expectations import LEGACY_VERSION, OLD_VERSION, or_as_before
from ..mutating.shrinking import Shrinker
from ..notation.session import MISSING, Check, Expect, JsonBody, Session
from ..outcome import SessionRun, StepRun, Verdict
from .deviating import presented
from .editing import CannotBeMade
from .finding import Deviation, Fate, Finding, Trial
from .kinds import Kind, Severity
from .lock import Lock
from .rebuilding import Rebuilt, rebuild

Play = Callable[[Sequence[Session]], Awaitable[Sequence[SessionRun]]]
"""Plays sessions against the target, in order."""

_SIGHTINGS_OF_A_FINDING: Final = 2
_MOST_QUESTIONS: Final = 24
_RHYTHM: Final = "a rhythm is no request: nothing to send"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What became of one sighting: the differences that break, with what broke; or why it was not tried."""

    breaking: tuple[tuple[tuple[Deviation, ...], str], ...] = ()
    is_broken: bool = False
    why: str = ""
    not_tried: str = ""


@dataclass(slots=True, kw_only=True)
class Tester:
    """Tries findings. `shipped` are the sessions that dialogues are taken from, by id."""

    play: Play
    lock: Lock
    shipped: Mapping[str, Session]
    _known: dict[str, _Outcome] = field(default_factory=dict)

    async def tried(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """Every finding with its trial; what breaks is critical. Gravest first."""
        found = [await self._tried(finding) for finding in findings]
        order = list(Severity)
        return tuple(sorted(found, key=lambda each: order.index(each.severity)))

    async def _tried(self, finding: Finding) -> Finding:
        if not finding.sightings:
            return replace(finding, trial=Trial(fate=Fate.NOT_TRIED, why=_RHYTHM))
        trials = [_trial(finding, await self._outcome(sighting)) for sighting in _telling(finding)]
        order = (Fate.BREAKS, Fate.SURVIVED, Fate.NOT_TRIED)
        trial = min(trials, key=lambda each: order.index(each.fate))
        severity = Severity.CRITICAL if trial.fate is Fate.BREAKS else finding.severity
        return replace(finding, trial=trial, severity=severity)

    async def _outcome(self, sighting: Sighting) -> _Outcome:
        id_ = sighting.shape.id
        if id_ not in self._known:
            try:
                rebuilt = rebuild(sighting, self.lock, self.shipped)
            except CannotBeMade as problem:
                self._known[id_] = _Outcome(not_tried=str(problem))
            else:
                self._known[id_] = await self._play(rebuilt)
        return self._known[id_]

    async def _play(self, rebuilt: Rebuilt) -> _Outcome:
        if rebuilt.usual is None:
            (run,) = await self.play([rebuilt.new])
            if run.verdict is Verdict.NOT_CHECKED:
                return _Outcome(not_tried=run.reason)
            return _Outcome(is_broken=run.verdict is Verdict.FAILED, why=_why(run))
        if not rebuilt.changes:
            return _Outcome(not_tried="; ".join(rebuilt.left_out) or "nothing of it can be sent otherwise than usual")
        (usual,) = await self.play([rebuilt.usual])
        reason = _why_not(usual, rebuilt.step)
        if reason:
            return _Outcome(not_tried=reason)
        base = _judged(rebuilt, usual) if rebuilt.learns else rebuilt.usual
        return await _Hunt(play=self.play, base=base, changes=rebuilt.changes).outcome()


@dataclass(slots=True, kw_only=True)
class _Hunt:
    """The search for what breaks among the differences of one request."""

    play: Play
    base: Session
    changes: Mapping[Deviation, Change]

    async def outcome(self) -> _Outcome:
        """Every smallest set of differences that breaks: what is found is left away, and the rest is tried again."""
        left, found = tuple(self.changes), []
        while left and (evidence := await self._breaks(left)) is not None:
            shrinker = Shrinker(breaks=self._breaks, most=_MOST_QUESTIONS)
            smallest, evidence = await shrinker.shrink(left, evidence)
            found.append((smallest, _why(evidence)))
            left = tuple(each for each in left if each not in smallest)
        return _Outcome(breaking=tuple(found), is_broken=bool(found), why=found[0][1] if found else "")

    async def _breaks(self, deviations: tuple[Deviation, ...]) -> SessionRun | None:
        session = changed(self.base, [self.changes[each] for each in deviations])
        if any(each.kind is Kind.VERSION for each in deviations):
            session = _may_be_refused(session)
        (run,) = await self.play([session])
        return run if run.verdict is Verdict.FAILED else None


def _telling(finding: Finding) -> list[Sighting]:
    """The sightings worth trying: those seen most, of different methods and versions."""
    found: dict[tuple[str, str, str], Sighting] = {}
    for sighting in sorted(finding.sightings, key=lambda each: -each.count):
        shape = sighting.shape
        found.setdefault((shape.channel, shape.method, shape.version), sighting)
    return list(found.values())[:_SIGHTINGS_OF_A_FINDING]


def _trial(finding: Finding, outcome: _Outcome) -> Trial:
    if outcome.not_tried:
        return Trial(fate=Fate.NOT_TRIED, why=outcome.not_tried)
    is_whole = finding.deviation.kind in {Kind.SURFACE, Kind.METHOD} or not outcome.breaking
    if is_whole:
        smallest = tuple(str(each) for deviations, _ in outcome.breaking[:1] for each in deviations)
        fate = Fate.BREAKS if outcome.is_broken else Fate.SURVIVED
        return Trial(fate=fate, why=outcome.why, smallest=smallest if outcome.is_broken else ())
    for deviations, why in outcome.breaking:
        if finding.deviation in {presented(each) for each in deviations} or _names(finding.deviation, deviations):
            return Trial(fate=Fate.BREAKS, why=why, smallest=tuple(map(str, deviations)))
    return Trial(fate=Fate.SURVIVED, why="what breaks is something else in the same request")


def _names(deviation: Deviation, among: Sequence[Deviation]) -> bool:
    """Whether one of them is about the same thing, in whatever words it is put there."""
    name = deviation.name.partition(": ")[0]
    return any(deviation.kind is each.kind and name == each.name.partition(": ")[0] for each in among)


def _why_not(run: SessionRun, step: str) -> str:
    """Why nothing can be learned from a session as it usually is; empty if it was answered."""
    judged = _step(run, step)
    if run.verdict is Verdict.NOT_CHECKED or judged is None or judged.received is None:
        return run.reason or (judged.skipped if judged else "") or "the dialogue did not come so far"
    if run.verdict is Verdict.FAILED:
        return f"what is usual does not hold either: {_why(run)}"
    return ""


def _judged(rebuilt: Rebuilt, usual: SessionRun) -> Session:
    """The usual session, whose step must be answered as it was just answered."""
    session, ran = rebuilt.usual, _step(usual, rebuilt.step)
    if session is None or ran is None or ran.received is None:
        raise AssertionError("unreachable because `_why_not` has looked at them")
    expect = _as_answered(read_reply(ran.received))
    steps = tuple(replace(step, expect=expect) if step.name == rebuilt.step else step for step in session.steps)
    return replace(session, steps=steps)


def _as_answered(reply: Reply) -> Expect:
    """What tells the same answer from another: the status, whether it is a result, a tool's error, or which error."""
    code = look_up(reply.message, ("error", "code"))
    if code is not MISSING:
        return Expect(status=_statuses(reply), json=(Check(at=("error", "code"), operator="equals", operand=code),))
    if look_up(reply.message, ("result",)) is MISSING:
        return Expect(status=_statuses(reply), media_not=("text/html",))
    is_error = look_up(reply.message, ("result", "isError")) is True
    kept = Check(at=("result", "isError"), operator="equals", operand=is_error, default=False)
    return Expect(status=_statuses(reply), json=(Check(at=("result",), operator="type", operand="object"), kept))


def _statuses(reply: Reply) -> tuple[int, ...]:
    return () if reply.status is None else (reply.status,)


def _may_be_refused(session: Session) -> Session:
    """A version may be refused where the revisions say so: the platform falls back. A handshake negotiates (P-37)."""
    *before, last = session.steps
    if isinstance(last.send.body, JsonBody) and look_up(last.send.body.value, ("method",)) == "initialize":
        return session
    expect = or_as_before(last.expect, OLD_VERSION, LEGACY_VERSION)
    return replace(session, steps=(*before, replace(last, expect=expect)))


def _step(run: SessionRun, name: str) -> StepRun | None:
    return next((step for step in reversed(run.steps) if step.name.partition(",")[0] == name), None)


def _why(run: SessionRun) -> str:
    """The first thing that was not as expected."""
    return next((f"{each.where}: {each.expected}, got {each.actual}" for each in run.findings), run.reason)
