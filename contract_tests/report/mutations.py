"""Mutations as lines for a terminal: a survivor rate for every rule, then each smallest change that breaks."""

from collections.abc import Iterator

from rich.text import Text

from ..outcome import MutantRun, MutationRun, RuleRun
from . import matrix
from .words import first_line, plural, printable, seconds, status_line, survivors

_LONGEST = 200  # characters of what was expected and of what came: the other reports hold all of it


def lines_of(mutations: MutationRun) -> Iterator[Text]:
    """The account of a run of mutations; every line is printable."""
    yield Text()
    yield _heading(mutations)
    yield from _table(mutations)
    for rule, mutants in matrix.broken(mutations):
        yield Text()
        yield Text(printable(f"{rule.id}: {rule.title}"), style="bold red")
        for mutant, sessions in matrix.alike(mutants):
            yield from (Text(printable(line)) for line in _broken(rule, mutant, sessions))
    yield from (Text(printable(line)) for line in _untried(mutations))


def _heading(mutations: MutationRun) -> Text:
    tried = sum(row.tried for row in matrix.rows(mutations))
    sampled = f" ({tried:,} of {mutations.derived:,} by seed {mutations.seed})" if tried < mutations.derived else ""
    style = "bold red" if mutations.broke else "bold green"
    return Text.assemble(
        (survivors(mutations), style),
        f" platform changes that have not happened yet{sampled}, {seconds(mutations.duration)}",
    )


def _table(mutations: MutationRun) -> Iterator[Text]:
    rows = matrix.rows(mutations)
    width = max((len(row.rule.id) for row in rows), default=0)
    for row in rows:
        style = "bold red" if row.rule.broke else "" if row.tried else "dim"
        line = Text(f"  {row.rule.id.ljust(width)}  ")
        line.append(f"{row.rate:>12}", style=style)
        line.append(printable(f"  {row.rule.title}"), style="" if row.tried else "dim")
        yield line


def _broken(rule: RuleRun, mutant: MutantRun, sessions: tuple[str, ...]) -> Iterator[str]:
    others = f" (and {', '.join(sessions[1:])})" if len(sessions) > 1 else ""
    yield f"  session   {mutant.session}{others}"
    for difference in mutant.differences:
        yield f"  change    {matrix.in_words(difference)}"
    for step in mutant.steps[:1]:
        came = status_line(step.received) if step.received else step.skipped
        yield f"  received  {step.name}: {came}"
    for finding in mutant.findings[:1]:
        yield f"  expected  {finding.where}: {first_line(finding.expected, longest=_LONGEST)}"
        yield f"  got       {first_line(finding.actual, longest=_LONGEST)}"
    if mutant.reason:
        yield f"  note      {mutant.reason}"
    yield f"  guards    {', '.join(rule.incidents)}"
    yield f"  next      {rule.advice}"


def _untried(mutations: MutationRun) -> Iterator[str]:
    alike: dict[str, list[str]] = {}
    for session, reason in matrix.untried(mutations).items():
        alike.setdefault(reason, []).append(session)
    if alike:
        yield ""
        yield f"no mutants of {plural(sum(map(len, alike.values())), 'session')}"
    for reason, sessions in alike.items():
        yield f"  {', '.join(sessions)}: {reason}"
