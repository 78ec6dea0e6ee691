"""The run as it happens: a live display on a terminal, one line per session anywhere else; then the account.

The line of a session is stable: verdict, id, title, figures, doubts, in this order, two blanks between.
Nothing a target said reaches the terminal as markup or as an escape sequence.
"""

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich import progress as bars
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..credentials import clean, without_credentials
from ..outcome import Finding, Run, SessionRun, StepRun, Verdict
from .contracts import remedy, why
from .mutations import lines_of
from .words import (
    VERDICTS,
    doubtful,
    doubts,
    excerpt,
    first_line,
    plural,
    printable,
    seconds,
    slowest_first_byte,
    status_line,
    timing,
    trust,
    verdict_line,
)

LONGEST_BODY = 400
"""Characters of a body: what is needed to recognise it without scrolling the finding away."""

_STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "bold red", Verdict.NOT_CHECKED: "yellow"}
_WIDTH_OF_VERDICT = max(len(word) for word in VERDICTS.values())


class Progress:
    """What a person sees while sessions are played, and the account at the end.

    Also a context manager, so that a terminal is given back whatever happens. Colour is used where the console
    allows it (`NO_COLOR` is honoured) and never carries anything that the words do not say.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._is_live = self._console.is_terminal and not self._console.is_dumb_terminal
        self._bars: bars.Progress | None = None
        self._running: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def run_started(self, target: str, url: str, total: int) -> None:
        """Say what is about to be played: `total` sessions against `target`, which answers at `url`."""
        where = "" if url == target else f" at {clean(url)}"
        self._line(Text(printable(f"replaying {plural(total, 'session')} against {clean(target)}{where}")))
        if self._is_live:
            self._bars = _live(self._console)
            self._task = self._bars.add_task("", total=total)
            self._bars.start()

    def session_started(self, id: str, title: str) -> None:  # noqa: A002 - the session's own word
        """Show that a session is being played. Several may be at the same time."""
        self._running[id] = title
        self._describe()

    def session_ended(self, session: SessionRun) -> None:
        """Show how a session ended."""
        self._running.pop(session.id, None)
        self._line(_session_line(session))
        self._describe()
        if self._bars:
            self._bars.advance(self._task)

    def mutant_started(self, number: int, total: int, rule: str) -> None:
        """Show which kind of platform change is tried: the `number`th mutant (from 0) of `total`."""
        if not number:
            self._line(Text(printable(f"trying {plural(total, 'mutant')}")))
        if self._bars:
            self._bars.update(self._task, total=total, completed=number, description=printable(rule))

    def run_ended(self, run: Run) -> None:
        """Give the verdict, then every finding with its exchange, then what was not checked and why."""
        self._close()
        run = without_credentials(run)
        self._line(Text())
        self._line(_verdict(run))
        for note in run.notes:
            self._line(Text(printable(note), style="dim"))
        if doubtful(run):
            self._line(Text(doubtful(run), style="yellow"))
        for session in run.sessions:
            if session.verdict is Verdict.FAILED:
                self._account(session)
        self._reasons([session for session in run.sessions if session.verdict is Verdict.NOT_CHECKED])
        if run.mutations:
            for line in lines_of(run.mutations):
                self._line(line)

    def _account(self, session: SessionRun) -> None:
        if session.reason or not session.findings:
            self._console.print()
            self._line(Text(f"{session.id}: {printable(session.reason or 'broke without a finding')}", style="bold"))
        for step in session.steps:
            if step.findings:
                self._console.print()
                self._line(Text(printable(f"{session.id} > {step.name}"), style="bold red"))
                self._console.print(_step_table(session, step))

    def _reasons(self, sessions: list[SessionRun]) -> None:
        if sessions:
            self._console.print()
            self._line(Text("not checked", style="bold"))
        alike: dict[str, list[str]] = {}
        for session in sessions:
            advice = remedy(session.id, session.reason) if session.severity else ""
            alike.setdefault(why(session.reason or "no reason given", advice), []).append(session.id)
        for reason, identities in alike.items():
            self._line(Text(printable(f"  {', '.join(identities)}: {reason}")))

    def _describe(self) -> None:
        if self._bars:
            running = ", ".join(self._running.values())
            self._bars.update(self._task, description=printable(first_line(running, longest=60)))

    def _line(self, text: Text) -> None:
        self._console.print(text, soft_wrap=not self._is_live)

    def _close(self) -> None:
        if self._bars:
            self._bars.stop()
            self._bars = None


def _live(console: Console) -> bars.Progress:
    return bars.Progress(
        bars.BarColumn(bar_width=20),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
        bars.TextColumn("{task.description}", markup=False),
        console=console,
        transient=True,
    )


def _session_line(session: SessionRun) -> Text:
    word = VERDICTS[session.verdict].ljust(_WIDTH_OF_VERDICT)
    line = Text.assemble((word, _STYLES[session.verdict]), f"  {printable(session.id)}  {printable(session.title)}")
    line.append(f"  {_figures(session)}", style="dim")
    if doubts(session):
        line.append(f"  [{', '.join(doubts(session))}]", style="yellow")
    return line


def _figures(session: SessionRun) -> str:
    if session.verdict is Verdict.NOT_CHECKED:
        return first_line(printable(clean(session.reason)), longest=120) or "no reason given"
    steps = f"{plural(len(session.steps), 'step')} in {seconds(session.duration)}"
    slowest = slowest_first_byte(session)
    return steps if slowest is None else f"{steps}, slowest first byte {seconds(slowest)}"


def _verdict(run: Run) -> Text:
    style = {0: "bold green", 1: "bold red"}.get(run.exit_code, "bold yellow")
    return Text.assemble((verdict_line(run), style), printable(f"  ({run.target}, {seconds(run.duration)})"))


def _step_table(session: SessionRun, step: StepRun) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, words in _step_rows(session, step):
        table.add_row(Text(f"  {label}"), Text(printable(words)))
    return table


def _step_rows(session: SessionRun, step: StepRun) -> Iterator[tuple[str, str]]:
    yield "session", f"{session.title} ({session.host}, {session.surface}; {trust(session)})"
    if step.skipped:
        yield "not sent", step.skipped
    if step.sent:
        yield "sent", f"{step.sent.method} {step.sent.url}"
        yield from _body_rows(step.sent.body)
    if step.received:
        yield "received", f"{status_line(step.received)}; {timing(step.received)}"
        yield from (("", step.received.trouble),) if step.received.trouble else ()
        yield from _body_rows(step.received.body)
    for finding in step.findings:
        yield from _finding_rows(finding)


def _body_rows(body: str) -> Iterator[tuple[str, str]]:
    shown = excerpt(body, longest=LONGEST_BODY)
    if shown.text:
        yield "", shown.text
    if shown.omission:
        yield "", f"({shown.omission})"


def _finding_rows(finding: Finding) -> Iterator[tuple[str, str]]:
    yield "finding", finding.where
    yield "  expected", finding.expected
    yield "  got", finding.actual
    if finding.incidents:
        yield "  guards", ", ".join(finding.incidents)
    if finding.advice:
        yield "  next", finding.advice
