"""`mcp-ballast test`: replay sessions against a target, check the contracts, and write the reports."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import click

from ..checks.contract import Contract
from ..checks.registry import choose_contracts, choose_sessions
from ..checks.standings import counted, standings
from ..checks.unaskable import WIRE
from ..configuration import Configuration
from ..mutating.plan import BUDGET, Plan
from ..mutating.registry import choose_rules
from ..notation.corpus import SHIPPED, load_sessions
from ..notation.session import Session
from ..outcome import Run
from ..play import Options, play_sessions, with_spans
from ..target.command import started
from ..target.opening import open_target
from ..target.target import Target
from .exits import Complaint, exit_codes, quiet_target, write_file
from .typed import configured

_SECONDS_TO_EXPORT: Final = 2.0  # a target in this process exports at most 0.2 s after a span ended


@click.command()
@click.argument("target", required=False)
@click.option("--host-profile", metavar="HOST", help="Only sessions of this host, e.g. chatgpt.")
@click.option("--only", metavar="ID", multiple=True, help="Only this session or contract; can be repeated.")
@click.option("--sessions", metavar="PATH", multiple=True, type=Path, help="More sessions: a file or a folder.")
@click.option("--config", metavar="FILE", type=Path, help="Configuration; ./ballast.toml is read if it exists.")
@click.option("--header", metavar="'NAME: VALUE'", multiple=True, help="A header for the target; can be repeated.")
@click.option("--pace", type=click.Choice(["real", "none"]), help="Whether to wait as long as the host does (real).")
@click.option("--path", metavar="PATH", help="Where an object answers (/mcp).")
@click.option("--seed", type=int, help="Repeat the identifiers of an earlier run.")
@click.option("--json", "json_file", metavar="FILE", type=Path, help="Write the run as JSON.")
@click.option("--junit", "junit_file", metavar="FILE", type=Path, help="Write the run as JUnit XML.")
@click.option("--sarif", "sarif_file", metavar="FILE", type=Path, help="Write the findings as SARIF 2.1.0.")
@click.option("--html", "html_file", metavar="FILE", type=Path, help="Write the run as one HTML page.")
@click.option("--history", metavar="FILE", type=Path, help="Remember runs here (with --html: .ballast/history.jsonl).")
@click.option("--no-history", is_flag=True, help="Remember nothing, and show no trend on the page.")
@click.option("--baseline", metavar="FILE", type=Path, help="Compare with what was accepted earlier (CT-37).")
@click.option("--surface", metavar="FILE", type=Path, help="Compare the list of tools with the approved one.")
@click.option("--accept", is_flag=True, help="With --baseline or --surface: write what this run saw.")
@click.option("--traces", is_flag=True, help="Collect the target's OpenTelemetry spans for the reports.")
@click.option("--mutate", is_flag=True, help="Also try platform changes that have not happened yet.")
@click.option("--rule", "rules", metavar="NAME", multiple=True, help="With --mutate: only this rule, or PREFIX*.")
@click.option("--mutants", type=click.IntRange(min=0), help="With --mutate: at most so many (400); 0 for all.")
@click.option("--slow", is_flag=True, help="Play steps that have to wait for real, minutes and more.")
@click.option("--verbose", is_flag=True, help="Show what a target in this process logs below a warning.")
@click.option("--collector-port", type=int, default=0, help="Where to collect them (a free port).")
def test(target: str | None, **options: Any) -> None:
    """Replay sessions against TARGET and report what does not hold."""
    with exit_codes():
        configuration = configured(target, options)
        sessions = _sessions(configuration)
        # What is changed on purpose makes a good target complain: its warnings say nothing then.
        level = logging.WARNING if options["mutate"] else logging.INFO
        with nullcontext() if options["verbose"] else quiet_target(level):
            run = anyio.run(_test, configuration, sessions, options, _plan(options))
        _write_reports(run, options, sessions)
    sys.exit(run.exit_code)


def _plan(options: Mapping[str, Any]) -> Plan | None:
    """What to mutate; None if nothing."""
    if not options["mutate"]:
        if options["rules"] or options["mutants"] is not None:
            raise click.UsageError("--rule and --mutants say how to mutate: add --mutate.")
        return None
    budget = BUDGET if options["mutants"] is None else options["mutants"]
    return Plan(rules=choose_rules(options["rules"]), budget=budget)


def _against(options: Mapping[str, Any], configuration: Configuration) -> Callable[[Run], Run]:
    """What a baseline and an approved list of tools say of a run; the run as it is without them."""
    if options["accept"] and options["baseline"] is None and options["surface"] is None:
        raise click.UsageError("--accept writes what was seen: say where, with --baseline FILE or --surface FILE.")
    wire, surface = _against_wire(options), _against_surface(options, configuration)
    return lambda run: surface(wire(run))


def _against_surface(options: Mapping[str, Any], configuration: Configuration) -> Callable[[Run], Run]:
    file = options["surface"]
    if file is None:
        return lambda run: run
    from ..surface.deciding import with_surface  # noqa: PLC0415 - only with --surface
    from ..surface.surface import read_surface  # noqa: PLC0415

    if not options["accept"]:
        read_surface(file)
    answered = configuration.options.means.removed_tools
    return lambda run: with_surface(run, file, accepts=options["accept"], answered=answered)


def _against_wire(options: Mapping[str, Any]) -> Callable[[Run], Run]:
    file = options["baseline"]
    if file is None:
        return lambda run: run
    from ..baseline.baseline import read_baseline  # noqa: PLC0415 - only with --baseline
    from ..baseline.deciding import decided  # noqa: PLC0415

    if not options["accept"] or file.exists():
        read_baseline(file)  # a file that cannot be used is said before anything is played
    return lambda run: decided(run, file, accepts=options["accept"])


def _sessions(configuration: Configuration) -> tuple[Session, ...]:
    return choose_sessions(load_sessions(*configuration.sessions), configuration.only, configuration.host_profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """What is played and checked. The contract that a baseline decides is decided by it, after everything else."""

    sessions: Sequence[Session]
    contracts: Sequence[Contract]


def _chosen(configuration: Configuration, sessions: Sequence[Session], options: Mapping[str, Any]) -> _Chosen:
    contracts = choose_contracts(configuration.only, configuration.host_profile)
    if options["baseline"] is not None:
        contracts = tuple(contract for contract in contracts if contract.id != WIRE)
    return _Chosen(sessions=sessions, contracts=contracts)


async def _test(
    configuration: Configuration, sessions: Sequence[Session], options: dict[str, Any], plan: Plan | None
) -> Run:
    chosen = _chosen(configuration, sessions, options)
    if not configuration.options.is_traced:
        return await _play(configuration, chosen, plan, _against(options, configuration))
    from ..collector import Collector  # noqa: PLC0415 - only with --traces

    try:
        collector = Collector(port=options["collector_port"])
        collector.start()
    except OSError as problem:
        raise Complaint(f"Traces cannot be collected: {problem}. Choose another --collector-port.") from problem
    try:
        _export_to(collector.endpoint, configuration.target)
        return await _play(configuration, chosen, plan, _against(options, configuration), collector)
    finally:
        collector.stop()


def _export_to(endpoint: str, target: str) -> None:
    """Have a target in this process export there; tell the user where another one should."""
    if "://" in target:
        click.echo(f"collecting traces: let the target export to OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}", err=True)
        return
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
    os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf"
    os.environ["OTEL_TRACES_EXPORTER"] = "otlp"
    os.environ["OTEL_BSP_SCHEDULE_DELAY"] = "200"


async def _play(
    configuration: Configuration,
    chosen: _Chosen,
    plan: Plan | None,
    against: Callable[[Run], Run],
    collector: Any = None,
) -> Run:
    from ..report.terminal import Progress  # noqa: PLC0415 - rich is slow to import and errors need none of it

    with Progress() as progress:
        with _opened(configuration) as (target, own):
            run = await play_sessions(
                chosen.sessions,
                target,
                options=own,
                listener=progress,
                contracts=chosen.contracts,
                plan=plan,
            )
            if collector is not None:
                await _last_spans(run, collector)
        if collector is not None:
            run = with_spans(run, collector.spans_of)
        played = {session.id for session in run.sessions}
        run = against(run)
        for session in run.sessions:
            if session.id not in played:
                progress.session_ended(session)
        progress.run_ended(run)
    if not configuration.only and not configuration.host_profile:
        click.echo(counted(standings(run.sessions)), err=True)
    return run


@contextmanager
def _opened(configuration: Configuration) -> Iterator[tuple[Target, Options]]:
    """The target, started first if a command is given; then it can be killed, and its process is known."""
    options = configuration.options
    with ExitStack() as stack:
        if configuration.command:
            process = stack.enter_context(started(configuration.command, configuration.target))
            means = replace(options.means, pid=lambda: process.pid, leave=process.leave)
            options = replace(options, restart=process.restart, means=means)
        yield stack.enter_context(open_target(configuration.target, path=configuration.path)), options


async def _last_spans(run: Run, collector: Any) -> None:
    """Wait for the spans of the last step that has a trace; those of earlier ones were exported before."""
    traced = [step.trace_id for session in run.sessions for step in session.steps if step.trace_id]
    if traced:
        await collector.wait_for(traced[-1], within=_SECONDS_TO_EXPORT)


def _write_reports(run: Run, options: dict[str, Any], sessions: Sequence[Session]) -> None:
    from ..report.html import write_html  # noqa: PLC0415 - as above
    from ..report.json_report import write_json  # noqa: PLC0415
    from ..report.junit import write_junit  # noqa: PLC0415
    from ..report.sarif import write_sarif  # noqa: PLC0415

    own = {session.id: session.file for session in sessions if Path(session.file).parent != SHIPPED}
    for name, write in (
        ("json_file", write_json),
        ("junit_file", write_junit),
        ("sarif_file", partial(write_sarif, files=own)),
        ("html_file", partial(write_html, past=_past(run, options))),
    ):
        if options[name] is not None:
            write_file(write, run, options[name])


def _past(run: Run, options: Mapping[str, Any]) -> Any:
    """The past runs of the target, after this one has been added to them; None if nothing is to be remembered."""
    from ..report import history_file, trend  # noqa: PLC0415 - as above

    file = options["history"] or (history_file.USUAL if options["html_file"] is not None else None)
    if file is None or options["no_history"]:
        return None
    past = history_file.past_runs(file, run.target)
    for line in (trend.trend(run, past).text, *past.remarks):
        click.echo(f"history: {line}", err=True)
    try:
        history_file.record_run(run, file)
    except OSError as problem:  # no report is lost to its history
        click.echo(f"history: {file} cannot be written: {problem.strerror or problem}. Name another file.", err=True)
    return past
