"""Trying mutants: side by side first, and where something breaks, against the original and then ever smaller.

Decides what counts as broken and when to stop; how a session is played is for the caller to know. What breaks while
others are tried is tried once more, and what is about time or repetition is tried alone.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from time import monotonic
from typing import Final

import anyio

from ..notation.session import Session, Step
from ..outcome import Ending, Fate, Finding, MutantRun, MutationRun, RuleRun, SessionRun, StepRun, Verdict
from ..side_by_side import AT_ONCE, side_by_side
from .applying import changed, clients
from .change import Change
from .plan import Plan
from .rule import Rule
from .sampling import Candidate, derived, sample
from .shrinking import Shrinker

LONGEST: Final = 5.0
"""Seconds one answer may take under a change, and a whole session without one: there are hundreds of mutants."""

_NOTHING_ANSWERS: Final = "nothing answers any more"
_LIMITED: Final = "the target asked for fewer requests (429): try fewer mutants at once, or one --rule at a time"
_LONGEST_WATCH: Final = 0.5  # seconds a stream that never ends is looked at; a baseline has shown that this is enough
_MOST_QUESTIONS: Final = 40
_MOST_QUESTIONS_OF_SILENCE: Final = 8  # each costs `LONGEST`

Play = Callable[[Session], Awaitable[SessionRun]]
"""Plays a session; several may be played at the same time."""

Note = Callable[[int, int, str], None]
"""Takes note of how many mutants were begun before, of how many, and by which rule the next one is."""

_Broken = tuple[StepRun, ...] | None
"""The steps that broke; None if everything was as expected."""


@dataclass(slots=True, kw_only=True)
class Mutator:
    """Tries the mutants of sessions that hold. `refuses` says why a session's mutants must not be tried at all."""

    play: Play
    plan: Plan
    seed: int
    refuses: Callable[[Session], str] = lambda _: ""
    note: Note | None = None
    is_slow: bool = False
    _gone: str = ""
    _is_accused: bool = False
    _count: int = 0
    _known: dict[str, list[Change]] = field(default_factory=dict)

    async def mutate(self, sessions: Sequence[Session], runs: Mapping[str, SessionRun]) -> MutationRun:
        """Try every mutant that the plan allows; `runs` are the sessions as they were played, by id."""
        since = monotonic()
        whys = await side_by_side(sessions, lambda one: self._why_none(one, runs.get(one.id)), at_once=AT_ONCE)
        reasons = {session.id: why for session, why in zip(sessions, whys, strict=True)}
        everything = derived(self.plan.rules, sessions)
        eligible = [candidate for candidate in everything if not reasons[candidate.session.id]]
        chosen = sample(eligible, self.plan.budget, self.seed)
        tried = await self._all(chosen)
        mutants = tuple(tried.get(id(one)) or self._untried(one, reasons[one.session.id]) for one in everything)
        return MutationRun(
            seed=self.seed,
            budget=self.plan.budget,
            derived=len(eligible),
            duration=monotonic() - since,
            sessions=tuple(session.id for session in sessions),
            rules=tuple(_summed(rule, mutants, sessions) for rule in self.plan.rules),
            mutants=mutants,
        )

    async def _all(self, chosen: Sequence[Candidate]) -> dict[int, MutantRun]:
        """Try all of them, those that may share the target first; by identity."""
        found: dict[int, MutantRun] = {}
        for is_alone in (False, True):
            part = [candidate for candidate in chosen if candidate.rule.is_alone is is_alone]
            at_once = 1 if is_alone else AT_ONCE

            async def begin(candidate: Candidate) -> "_Broken | str":
                return await self._begin(candidate, len(chosen))

            begun = await side_by_side(part, begin, at_once=at_once)
            by_rule: dict[str, list[tuple[Candidate, _Broken | str]]] = {}
            for candidate, broken in zip(part, begun, strict=True):
                by_rule.setdefault(candidate.rule.id, []).append((candidate, broken))
            settled = await side_by_side(list(by_rule.values()), self._settle, at_once=at_once)
            found |= {id(candidate): run for rule in settled for candidate, run in rule}
        return found

    async def _begin(self, candidate: Candidate, total: int) -> "_Broken | str":
        """Try one for the first time; words say why it was not tried."""
        if self._gone:
            return self._gone
        if self.note:
            self.note(self._count, total, candidate.rule.id)
        self._count += 1
        broken = await self._broken(candidate.session, candidate.mutant.changes)
        if broken and _is_unreachable(broken):
            self._gone = _NOTHING_ANSWERS  # so that no more are begun; which one did it is settled afterwards
        return broken

    async def _settle(self, begun: Sequence[tuple[Candidate, "_Broken | str"]]) -> list[tuple[Candidate, MutantRun]]:
        """Conclude on the mutants of one rule in order: what broke in one session is likely to do so in the next."""
        return [(candidate, await self._settled(candidate, broken)) for candidate, broken in begun]

    def _untried(self, candidate: Candidate, reason: str) -> MutantRun:
        reason = reason or f"beyond the budget of {self.plan.budget} mutants: --mutants 0 tries all"
        return replace(_begun(candidate), fate=Fate.NOT_TRIED, reason=reason)

    async def _why_none(self, session: Session, run: SessionRun | None) -> str:
        reason = self._why_not(session, run)
        if reason or await self._holds(session):
            return reason
        return "it does not hold when it is played without pauses and with short limits"

    def _why_not(self, session: Session, run: SessionRun | None) -> str:
        if run is None or run.verdict is Verdict.NOT_CHECKED:
            return f"not checked: {run.reason}" if run else "not checked"
        if run.verdict is Verdict.FAILED:
            return "the session does not hold without a change"
        took = sum(step.received.duration for step in run.steps if step.received)
        if took > LONGEST and not self.is_slow:
            return f"its answers took {took:.0f} s, too long to be repeated: run with --slow"
        return self.refuses(session)

    async def _settled(self, candidate: Candidate, broken: "_Broken | str") -> MutantRun:
        if isinstance(broken, str):
            return self._untried(candidate, self._gone or broken)
        if broken is None:
            return replace(_begun(candidate), plays=1)
        if _is_limited(broken) or (self._is_accused and _is_lost(broken)):
            reason = _LIMITED if _is_limited(broken) else self._gone
            return replace(_begun(candidate), fate=Fate.NOT_TRIED, reason=reason, plays=1)
        return await self._confirmed(candidate, broken)

    async def _confirmed(self, candidate: Candidate, broken: tuple[StepRun, ...]) -> MutantRun:
        """Try again what broke while others were tried, after the session without the change."""
        base, changes = _begun(candidate), candidate.mutant.changes
        if not await self._holds(candidate.session):
            return self._without_control(base, changes, broken)
        again = await self._broken(candidate.session, changes)
        if again is None:  # a busy machine is late once; a change breaks every time
            return replace(base, reason="broke once, and not when it was tried again", plays=3)
        return await self._shrunk(candidate, base, again)

    async def _holds(self, session: Session) -> bool:
        """Whether a session holds without a change, as mutants are played."""
        control = await self.play(self._bounded(session))
        if _is_unreachable(control.steps):
            self._gone = self._gone or _NOTHING_ANSWERS
        elif not self._is_accused:
            self._gone = ""  # it answers again: it was restarted, or busy
        return control.verdict is Verdict.PASSED

    def _without_control(self, base: MutantRun, changes: Sequence[Change], broken: tuple[StepRun, ...]) -> MutantRun:
        """Afterwards the session breaks without a change too: the change did lasting damage, or was not the cause."""
        if self._gone:
            self._is_accused = True
            self._gone = f"nothing answers since {base.rule} was tried with {base.session}, or others at the same time"
            reason = "afterwards nothing answered any more, so it was not made smaller"
        else:
            reason = "afterwards the session did not hold without the change either, so it was not made smaller"
        differences = tuple(difference for change in changes for difference in change.differences())
        return replace(base, fate=Fate.BROKE, differences=differences, steps=broken, reason=reason, plays=2)

    async def _shrunk(self, candidate: Candidate, base: MutantRun, broken: tuple[StepRun, ...]) -> MutantRun:
        async def breaks(changes: tuple[Change, ...]) -> tuple[StepRun, ...] | None:
            return await self._broken(candidate.session, changes)

        most = _MOST_QUESTIONS_OF_SILENCE if _was_silent(broken) else _MOST_QUESTIONS
        shrinker = Shrinker(breaks=breaks, most=most)
        known = self._known.setdefault(base.rule, [])
        changes = candidate.mutant.changes
        smallest, evidence = await shrinker.shrink(changes, broken, _likely(changes, broken, known))
        known += smallest if len(smallest) == 1 else ()
        return replace(
            base,
            fate=Fate.BROKE,
            differences=tuple(difference for change in smallest for difference in change.differences()),
            steps=tuple(_with_advice(step, candidate.rule) for step in evidence),
            plays=3 + shrinker.asked,
        )

    async def _broken(self, session: Session, changes: tuple[Change, ...]) -> _Broken:
        mutant = self._bounded(changed(session, changes))
        runs: list[SessionRun] = []

        async def play() -> None:
            runs.append(await self.play(mutant))

        async with anyio.create_task_group() as group:
            for _ in range(clients(changes)):
                group.start_soon(play)
        steps = tuple(step for run in runs for step in run.steps if step.findings)
        ended = next((run.reason for run in runs if run.verdict is Verdict.NOT_CHECKED), "")
        return steps or ((_ended(runs[0], ended),) if ended else None)

    def _bounded(self, session: Session) -> Session:
        """The session with a limit that hundreds of plays can afford."""
        return session if self.is_slow else replace(session, steps=tuple(map(_hastened, session.steps)))


def _begun(candidate: Candidate) -> MutantRun:
    return MutantRun(rule=candidate.rule.id, session=candidate.session.id, fate=Fate.SURVIVED, differences=())


def _hastened(step: Step) -> Step:
    longest = _LONGEST_WATCH if step.send.method == "GET" else LONGEST
    cut = None if step.cut_after is None else min(step.cut_after, longest)
    return replace(step, cut_after=cut, limit=min(step.limit, LONGEST))


def _ended(run: SessionRun, reason: str) -> StepRun:
    """A finding for a dialogue that stopped where it had gone on without the change."""
    last = next((step for step in reversed(run.steps) if step.sent), None)
    finding = Finding(
        step=last.name if last else run.id,
        where="dialogue",
        expected="to go on as it does without the change",
        actual=f"it ended: {reason}",
    )
    return (
        replace(last, findings=(finding,))
        if last
        else StepRun(name=run.id, sent=None, received=None, findings=(finding,), skipped=reason)
    )


def _is_limited(steps: Sequence[StepRun]) -> bool:
    return any(step.received and step.received.status == HTTPStatus.TOO_MANY_REQUESTS for step in steps)


def _is_unreachable(steps: Sequence[StepRun]) -> bool:
    return any(step.received and step.received.ending is Ending.UNREACHABLE for step in steps)


def _is_lost(steps: Sequence[StepRun]) -> bool:
    """Whether the connection went, which says nothing of the change where everything else went too."""
    return any(step.received and step.received.ending in {Ending.UNREACHABLE, Ending.BROKEN} for step in steps)


def _was_silent(steps: Sequence[StepRun]) -> bool:
    return any(step.received and step.received.duration >= LONGEST for step in steps)


def _likely(changes: Sequence[Change], broken: Sequence[StepRun], known: Sequence[Change]) -> list[Change]:
    """Changes to try alone: those that did it elsewhere, then one of each kind in the step that broke first."""
    marks = [_mark(change) for change in known]
    place = broken[0].name.split(",")[0].split(" (")[0]
    before = [change for change in changes if _mark(change) in marks]
    return sorted(before, key=lambda change: (not place.startswith(change.step), marks.index(_mark(change))))[:3]


def _mark(change: Change) -> tuple[object, ...]:
    """What is the same of a change in every session."""
    return (change.position, change.label, *((edit.part, edit.place) for edit in change.edits))


def _with_advice(step: StepRun, rule: Rule) -> StepRun:
    """The findings speak of the change that was made, not of what the session guards against."""
    findings = (replace(finding, incidents=rule.incidents, advice=rule.advice) for finding in step.findings)
    return replace(step, findings=tuple(findings))


def _summed(rule: Rule, mutants: Sequence[MutantRun], sessions: Sequence[Session]) -> RuleRun:
    fates = [mutant.fate for mutant in mutants if mutant.rule == rule.id]
    return RuleRun(
        id=rule.id,
        title=rule.title,
        stands_for=rule.stands_for,
        expected=rule.expected,
        source=rule.source,
        incidents=rule.incidents,
        advice=rule.advice,
        survived=fates.count(Fate.SURVIVED),
        broke=fates.count(Fate.BROKE),
        not_tried=fates.count(Fate.NOT_TRIED),
        not_applicable=sum(not rule.mutants(session) for session in sessions),
    )
