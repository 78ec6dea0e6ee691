"""Playing sessions against a target: survey it once, play sessions side by side, check, mutate, add up a `Run`.

The edge between the pure parts and everything else: it reads the clock and holds the connections, and tells a
`Listener` how far it is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from random import Random, SystemRandom
from time import monotonic
from typing import Any, Literal, Protocol

from .checks.checking import Examiner
from .checks.contract import Contract
from .checks.means import Means
from .errors import TargetUnreachable
from .judging.operators import look_up
from .judging.reply import load
from .login.agent import Agent
from .login.publishing import Published, published
from .login.signing_in import Login, NoGrant, Tokens
from .login.signing_key import SigningKey
from .mutating.plan import Plan
from .mutating.running import Mutator
from .notation.session import Session
from .offer.catalogue import Catalogue, Example, only_reading
from .outcome import Ending, MutationRun, Run, SessionRun, Span, StepRun, Verdict
from .replay.dialogue import Dialogue, Setting
from .replay.needs import why_not_checked
from .replay.survey import Surveyor
from .replay.values import Client, is_loopback, of_session
from .replay.wire import Wire
from .side_by_side import AT_ONCE, side_by_side
from .target.target import Target

Pace = Literal["real", "none"]


class Listener(Protocol):
    """Who wants to know how a run goes; `report.terminal.Progress` is one."""

    def run_started(self, target: str, url: str, total: int) -> None:
        """Take note that `total` sessions will be played."""

    def session_started(self, id: str, title: str) -> None:  # noqa: A002 - the session's own word
        """Take note that a session begins."""

    def session_ended(self, session: SessionRun) -> None:
        """Take note of how it went."""

    def mutant_started(self, number: int, total: int, rule: str) -> None:
        """Take note that a mutant is tried next: the `number`th (from 0) of `total`, by a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to play. `headers` go with every request that is not anonymous; `follow` are foreign origins to talk to.

    `client_documents` is where the user has published them, `client_key` signs for them; `named` are contracts that the
    user asked for one by one. `restart` kills the target and starts it again, and returns when it answers.
    """

    headers: tuple[tuple[str, str], ...] = ()
    examples: Mapping[str, Example] = field(default_factory=dict)
    client: Client | None = None
    tokens: Tokens | None = None
    client_documents: str = ""
    client_key: SigningKey | None = None
    follow: tuple[str, ...] = ()
    pace: Pace = "real"
    is_slow: bool = False
    named: tuple[str, ...] = ()
    restart: Callable[[], None] | None = None
    means: Means = field(default_factory=Means)
    seed: int | None = None
    is_traced: bool = False


async def play_sessions(
    sessions: Sequence[Session],
    target: Target,
    *,
    options: Options | None = None,
    listener: Listener | None = None,
    contracts: Sequence[Contract] = (),
    plan: Plan | None = None,
) -> Run:
    """Play sessions against a target, then check contracts, then try mutants if there is a plan.

    What no order ties is done side by side; a session's own steps are in order, and so is the result.

    Raises:
        TargetUnreachable: nothing answers at the target's address.
    """
    options = options or Options()
    seed = SystemRandom().randrange(2**32) if options.seed is None else options.seed
    started, since = datetime.now(UTC), monotonic()
    async with Wire() as wire:
        url, catalogue = await _survey(wire, target, options)
        if listener:
            listener.run_started(target.name, url, len(sessions) + len(contracts))
        with _published(sessions, catalogue, url, options, has_contracts=bool(contracts)) as documents:
            options = replace(options, means=_means(options, target))
            table = _Table(_setting(wire, url, catalogue, options), catalogue, options, seed, started.date(), documents)
            table, remark = await _let_in(table)
            table = table.for_sessions(sessions)
            runs = [*await _play_all(sessions, table, listener), *await _check_all(contracts, table, listener)]
            mutations = await _mutate(sessions, runs, table, plan, listener) if plan else None
    elsewhere = "" if url == target.url else f"{target.url} did not answer as MCP; {url} did"
    return Run(
        target=target.name,
        url=url,
        started=started,
        duration=monotonic() - since,
        version=_own_version(),
        sessions=tuple(runs),
        notes=tuple(filter(None, (f"seed {seed}", elsewhere, remark, _pauses(sessions, options)))),
        mutations=mutations,
    )


async def _play_all(sessions: Sequence[Session], table: "_Table", listener: Listener | None) -> list[SessionRun]:
    """Play sessions side by side, for no host waits for another one; those that pause longest begin first."""
    hung: set[str] = set()

    async def play(session: Session) -> SessionRun:
        run = await _play(session, table.without(hung), listener)
        hung.update(filter(None, map(_hung_tool, run.steps)))
        return run

    return await side_by_side(sessions, play, at_once=AT_ONCE, first=lambda one: sum(step.pause for step in one.steps))


async def _check_all(contracts: Sequence[Contract], table: "_Table", listener: Listener | None) -> list[SessionRun]:
    """Check what is about the wire side by side, then what needs the target for itself, each by itself."""

    async def check(contract: Contract) -> SessionRun:
        if listener:
            listener.session_started(contract.id, contract.title)
        run = await _examiner(contract, table).check(contract)
        if listener:
            listener.session_ended(run)
        return run

    apart = [contract for contract in contracts if contract.surface == "oauth" or contract.is_alone]
    others = [contract for contract in contracts if contract not in apart]
    runs = [*await side_by_side(others, check, at_once=AT_ONCE), *await side_by_side(apart, check, at_once=1)]
    found = {run.id: run for run in runs}
    return [found[contract.id] for contract in contracts]


def _means(options: Options, target: Target) -> Means:
    """The user's means, with what is known of this run."""
    known = options.means.pid
    return replace(options.means, is_slow=options.is_slow, pid=known or (lambda: target.pid))


def _examiner(contract: Contract, table: "_Table") -> Examiner:
    return Examiner(
        login=table.login(contract.id),
        catalogue=table.catalogue,
        today=table.today,
        named=table.options.named,
        headers=table.setting.headers,
        means=table.options.means,
        restart=table.options.restart,
    )


async def _mutate(
    sessions: Sequence[Session], runs: Sequence[SessionRun], table: "_Table", plan: Plan, listener: Listener | None
) -> MutationRun:
    """Try mutants without pauses. Elsewhere than on loopback nothing is written and nobody is registered for them."""
    is_near = is_loopback(table.setting.url)
    catalogue = table.catalogue if is_near else only_reading(table.catalogue)
    table = replace(table, catalogue=catalogue, setting=replace(table.setting, is_paced=False, is_traced=False))

    def refuses(session: Session) -> str:
        if not is_near and (session.surface == "oauth" or "login" in session.needs):
            return "it registers clients and logs in: its mutants are tried on loopback only"
        client, has_documents = table.options.client, table.documents is not None
        return why_not_checked(session, catalogue, client, has_documents=has_documents)

    mutator = Mutator(
        play=lambda session: _play(session, table, None),
        plan=plan,
        seed=table.seed,
        refuses=refuses,
        note=listener.mutant_started if listener else None,
        is_slow=table.options.is_slow,
    )
    return await mutator.mutate(sessions, {run.id: run for run in runs})


async def _let_in(table: "_Table") -> tuple["_Table", str]:
    """Log in where the target lets nobody in with the configured headers, and survey it again; else change nothing."""
    if not table.catalogue.is_locked or any(name.lower() == "authorization" for name, _ in table.options.headers):
        return table, ""
    try:
        grant = await table.login("access").sign_in()
    except NoGrant as problem:
        return table, f"the target asks for authorization, and no login without a person is open: {problem}"
    headers = (*table.options.headers, ("Authorization", f"Bearer {grant.access_token}"))
    surveyor = Surveyor(wire=table.setting.wire, url=table.setting.url, headers=headers)
    catalogue = await surveyor.survey(table.options.examples)
    remark = "the target asks for authorization: its own login was used, or the token in ballast.toml"
    return replace(table, catalogue=catalogue, setting=replace(table.setting, headers=headers)), remark


def _setting(wire: Wire, url: str, catalogue: Catalogue, options: Options) -> Setting:
    return Setting(
        wire=wire,
        url=url,
        headers=options.headers,
        public_origin=catalogue.public_origin,
        follow=options.follow,
        is_paced=options.pace == "real",
        is_slow=options.is_slow,
        is_traced=options.is_traced,
    )


def _published(
    sessions: Sequence[Session], catalogue: Catalogue, url: str, options: Options, *, has_contracts: bool
) -> AbstractContextManager[Published | None]:
    """Client documents, where anything of this run could want one."""
    is_oauth = catalogue.is_protected or catalogue.publishes_authorization
    needs = {need for session in sessions for need in session.needs}
    is_wanted = catalogue.is_locked or not needs.isdisjoint({"client_document", "login", "oauth"})
    is_near = is_oauth and (is_wanted or has_contracts) and is_loopback(url)
    return published(sessions, is_near=is_near, base=options.client_documents, key=options.client_key)


def with_spans(run: Run, spans_of: Callable[[str], tuple[Span, ...]]) -> Run:
    """Return the run with the spans that were exported for each step."""

    def step_with_spans(step: StepRun) -> StepRun:
        return replace(step, spans=spans_of(step.trace_id)) if step.trace_id else step

    return replace(
        run,
        sessions=tuple(
            replace(session, steps=tuple(step_with_spans(step) for step in session.steps)) for session in run.sessions
        ),
    )


async def _survey(wire: Wire, target: Target, options: Options) -> tuple[str, Catalogue]:
    """Survey the target's addresses in order until one answers as MCP; else the first one's answer counts."""
    first: tuple[str, Catalogue] | None = None
    for url in target.addresses:
        surveyor = Surveyor(wire=wire, url=url, headers=options.headers)
        catalogue = await surveyor.survey(options.examples)
        if catalogue.is_mcp:
            return url, catalogue
        first = first or (url, catalogue)
    if first is None:
        raise TargetUnreachable(f"{target.name} has no address.")
    return first


@dataclass(frozen=True, slots=True)
class _Table:
    """What is laid out for every session of a run."""

    setting: Setting
    catalogue: Catalogue
    options: Options
    seed: int
    today: date
    documents: Published | None

    def without(self, hung: Iterable[str]) -> "_Table":
        """The table for the next session: a tool that hung is not waited for again."""
        return replace(self, catalogue=replace(self.catalogue, hung=self.catalogue.hung | frozenset(hung)))

    def for_sessions(self, sessions: Sequence[Session]) -> "_Table":
        """The table for these sessions: what one takes over from another of them is judged there."""
        apart = frozenset(session.id for session in sessions)
        return replace(self, setting=replace(self.setting, documents=self.documents, judged_apart=apart))

    def login(self, name: str) -> Login:
        """A way to log in, with identifiers of its own for every name."""
        return Login(
            agent=Agent(wire=self.setting.wire, territory=self.setting.territory),
            url=self.setting.url,
            random=Random(f"{self.seed}/login/{name}"),  # noqa: S311 - identifiers for a test, repeatable by design
            client=self.options.client,
            tokens=self.options.tokens,
            documents=self.documents,
        )


def _hung_tool(step: StepRun) -> str:
    """The tool a step called without getting to the end of an answer; empty if it did, or called none."""
    if not (step.sent and step.received and step.findings and step.received.ending is Ending.CUT_BY_CLIENT):
        return ""
    message = load(step.sent.body)
    return str(look_up(message, ("params", "name")) or "") if look_up(message, ("method",)) == "tools/call" else ""


async def _play(session: Session, table: _Table, listener: Listener | None) -> SessionRun:
    if listener:
        listener.session_started(session.id, session.title)
    since = monotonic()
    reason = why_not_checked(session, table.catalogue, table.options.client, has_documents=table.documents is not None)
    steps: tuple[StepRun, ...] = ()
    granted: Mapping[str, Any] = {}
    if not reason and "login" in session.needs:
        try:
            granted = (await table.login(session.id).sign_in()).values()
        except NoGrant as problem:
            reason = str(problem)
    if not reason:
        dialogue = _dialogue(session, table, granted)
        steps = await dialogue.play()
        reason = dialogue.ended
    run = _concluded(session, steps, reason, table.today, monotonic() - since)
    if listener:
        listener.session_ended(run)
    return run


def _dialogue(session: Session, table: _Table, granted: Mapping[str, Any]) -> Dialogue:
    random = Random(f"{table.seed}/{session.id}")  # noqa: S311 - identifiers for a test, repeatable by design
    values = of_session(session, table.catalogue, url=table.setting.url, client=table.options.client, random=random)
    values |= granted
    if session.client_document is not None and table.documents is not None:
        values |= {"document.url": table.documents.url(session.id), "document.jwks": table.documents.jwks}
    return Dialogue(session=session, setting=table.setting, values=values, random=random)


def _concluded(session: Session, steps: tuple[StepRun, ...], reason: str, today: date, duration: float) -> SessionRun:
    was_sent = any(step.sent for step in steps)
    if any(step.findings for step in steps):
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.NOT_CHECKED if reason or not was_sent else Verdict.PASSED
    return SessionRun(
        id=session.id,
        title=session.title,
        host=session.host,
        surface=session.surface,
        provenance=session.provenance.value,
        seen=session.seen,
        expires=session.expires,
        is_expired=session.is_expired(today),
        incidents=session.incidents,
        verdict=verdict,
        steps=steps,
        reason=reason or ("" if was_sent else "none of its steps applied"),
        duration=duration,
    )


def _pauses(sessions: Sequence[Session], options: Options) -> str:
    """What is to be said of waits that were not waited."""
    has_pauses = any(step.pause for session in sessions for step in session.steps)
    return "pauses between steps were left out (--pace none)" if has_pauses and options.pace == "none" else ""


def _own_version() -> str:
    try:
        return version("mcp-ballast")
    except PackageNotFoundError:
        return "unknown"
