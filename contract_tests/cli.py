"""The command `mcp-ballast`: options in, exit code out. 0: it holds; 1: a finding; 2: wrong usage or nothing to judge.

Every option can also stand in ballast.toml; what is typed wins. Nothing here is denied to library users.
"""

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import click

from .checks.registry import EVIDENCE, choose_contracts, choose_sessions
from .checks.standings import counted, evidence_listed, standings
from .configuration import Configuration, read_configuration
from .errors import BallastTestError
from .explaining import contract_explained, contracts_listed, explained, listed
from .mutating.plan import BUDGET, Plan
from .mutating.registry import choose_rules
from .notation.corpus import SHIPPED, choose, load_sessions
from .notation.session import Session
from .outcome import Run
from .play import Options, play_sessions, with_spans
from .target.command import started
from .target.opening import open_target
from .target.target import Target

_WRONG_USAGE = 2
_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it
_SECONDS_TO_EXPORT = 2.0  # a target in this process exports at most 0.2 s after a span ended

_UNTYPED: Final[Mapping[str, Any]] = {
    "pace": None,
    "seed": None,
    "traces": False,
    "host_profile": None,
    "only": (),
    "sessions": (),
    "slow": False,
}
"""What a command that replays nothing has no options for."""


class _Complaint(click.ClickException):
    """An error of ours as click shows errors."""

    exit_code = _WRONG_USAGE


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mcp-ballast", prog_name="mcp-ballast")
def main() -> None:
    """Replay how ChatGPT and other hosts call an MCP server, and say what would break.

    TARGET is an address (https://...), module:attribute, or file.py[:attribute].
    """


@main.command()
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
@click.option("--baseline", metavar="FILE", type=Path, help="Compare with what was accepted earlier (CT-37).")
@click.option("--accept", is_flag=True, help="With --baseline: write what this run saw.")
@click.option("--traces", is_flag=True, help="Collect the target's OpenTelemetry spans for the reports.")
@click.option("--mutate", is_flag=True, help="Also try platform changes that have not happened yet.")
@click.option("--rule", "rules", metavar="NAME", multiple=True, help="With --mutate: only this rule, or PREFIX*.")
@click.option("--mutants", type=click.IntRange(min=0), help="With --mutate: at most so many (400); 0 for all.")
@click.option("--slow", is_flag=True, help="Play steps that have to wait for real, minutes and more.")
@click.option("--verbose", is_flag=True, help="Show what a target in this process logs below a warning.")
@click.option("--collector-port", type=int, default=0, help="Where to collect them (a free port).")
def test(target: str | None, **options: Any) -> None:
    """Replay sessions against TARGET and report what does not hold."""
    with _exit_codes():
        configuration = _configuration(target, options)
        sessions = _sessions(configuration)
        # What is changed on purpose makes a good target complain: its warnings say nothing then.
        level = logging.WARNING if options["mutate"] else logging.INFO
        with nullcontext() if options["verbose"] else _quiet_target(level):
            run = anyio.run(_test, configuration, sessions, options, _plan(options))
        _write_reports(run, options, sessions)
    sys.exit(run.exit_code)


@main.command()
@click.argument("id", required=False)
@click.option("--sessions", metavar="PATH", multiple=True, type=Path, help="More sessions: a file or a folder.")
def sessions(id: str | None, sessions: Sequence[Path]) -> None:  # noqa: A002 - the word people type
    """List the sessions and the numbered contracts, or show one: what is sent, and what is expected."""
    with _exit_codes():
        known = load_sessions(*sessions)
        if not id:
            click.echo(f"{listed(known)}\n{contracts_listed(choose_contracts())}\n{evidence_listed()}")
        elif id in EVIDENCE:
            click.echo(f"{id} is shown by sessions: {', '.join(EVIDENCE[id])}")
        elif contracts := choose_contracts([id]):
            click.echo(contract_explained(contracts[0]))
        else:
            click.echo(explained(choose(known, [id])[0]))


@main.command("client-documents")
@click.argument("folder", type=Path)
@click.option("--base", metavar="URL", required=True, help="Where the folder will be published, https.")
@click.option("--sessions", metavar="PATH", multiple=True, type=Path, help="More sessions: a file or a folder.")
def client_documents(folder: Path, base: str, sessions: Sequence[Path]) -> None:
    """Write the client documents of the sessions into FOLDER, to be published, and their private key beside it."""
    from .login.publishing import Published, write_documents  # noqa: PLC0415 - only this command needs it
    from .login.signing_key import SigningKey  # noqa: PLC0415

    with _exit_codes():
        place = Published(base=base.rstrip("/"), key=SigningKey.generate())
        for file in write_documents(load_sessions(*sessions), place, folder):
            click.echo(f"written: {file}", err=True)
        click.echo(f'[oauth]\nclient_documents = "{place.base}"\nclient_key = "{folder.parent / folder.name}.key.pem"')


@main.command()
@click.argument("target", required=False)
@click.option("--direct", metavar="URL", default="", help="The connector's own address, past everything before it.")
@click.option("--config", metavar="FILE", type=Path, help="Configuration; ./ballast.toml is read if it exists.")
@click.option("--header", metavar="'NAME: VALUE'", multiple=True, help="A header for the target; can be repeated.")
@click.option("--path", metavar="PATH", help="Where an object answers (/mcp).")
@click.option("--json", "json_file", metavar="FILE", type=Path, help="Write the diagnosis as JSON.")
def diagnose(target: str | None, **options: Any) -> None:
    """Ask TARGET as hosts do, and say what stands between them and it, such as a proxy that buffers streams."""
    from .diagnosis.report import as_lines, write_json  # noqa: PLC0415 - only this command needs it

    with _exit_codes():
        with _quiet_target():
            found = anyio.run(_diagnose, _configuration(target, {**_UNTYPED, **options}), options["direct"])
        for line in as_lines(found):
            click.echo(line)
        if options["json_file"] is not None:
            _write(write_json, found, options["json_file"])
    sys.exit(found.exit_code)


@main.command()
@click.argument("target", required=False)
@click.option("--port", default=8001, show_default=True, help="The port to listen on, on loopback; 0 for a free one.")
@click.option("--out", metavar="DIR", type=Path, default=Path(".ballast/recordings"), show_default=True)
@click.option("--allow-arguments", metavar="TOOL,...", default="", help="Tools whose arguments may be written.")
@click.option("--har", metavar="FILE", type=Path, help="Read a HAR file instead; TARGET says which server of it.")
@click.option("--path", metavar="PATH", default="/mcp", help="Where an object answers (/mcp).")
def record(target: str | None, **options: Any) -> None:
    """Pass real traffic on to TARGET and write it as sessions, without secrets, until interrupted."""
    from .recording import running  # noqa: PLC0415 - only this command needs it

    with _exit_codes():
        allowed = tuple(filter(None, (tool.strip() for tool in options["allow_arguments"].split(","))))
        recording = running.Recording(out=options["out"], allowed=allowed)
        announce = partial(click.echo, err=True)
        if options["har"] is not None:
            running.import_har(options["har"], target or "", recording, announce=announce)
            return
        if not target:
            raise click.UsageError("No target. Give an address, module:attribute or file.py, or a file with --har.")
        with _quiet_target(), open_target(target, path=options["path"]) as opened:
            running.record(opened, recording, port=options["port"], announce=announce)


@main.command()
@click.argument("target")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, help="The port to listen on; 0 for a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=1), help="How many processes serve.")
def serve(target: str, host: str, port: int, workers: int) -> None:
    """Serve TARGET (module:attribute or file.py[:attribute]) until interrupted."""
    from .target.running import run_target  # noqa: PLC0415 - pulls in what only this command needs

    with _exit_codes():
        run_target(target, host=host, port=port, announce=click.echo, workers=workers)


def _configuration(target: str | None, typed: dict[str, Any]) -> Configuration:
    file = typed["config"] or Path("ballast.toml")
    found = read_configuration(file) if typed["config"] or file.is_file() else Configuration()
    options = found.options
    options = replace(
        options,
        headers=(*options.headers, *(_header(text) for text in typed["header"])),
        pace=typed["pace"] or options.pace,
        seed=options.seed if typed["seed"] is None else typed["seed"],
        is_traced=typed["traces"],
        is_slow=typed["slow"],
        named=tuple(typed["only"]) or found.only,
    )
    chosen = target or found.target
    if not chosen:
        raise click.UsageError("No target. Give an address, module:attribute or file.py, or [target] in ballast.toml.")
    return Configuration(
        target=chosen,
        path=typed["path"] or found.path,
        host_profile=typed["host_profile"] or found.host_profile,
        only=tuple(typed["only"]) or found.only,
        sessions=(*found.sessions, *typed["sessions"]),
        command=found.command if chosen == found.target else (),
        options=options,
    )


def _plan(options: Mapping[str, Any]) -> Plan | None:
    """What to mutate; None if nothing."""
    if not options["mutate"]:
        if options["rules"] or options["mutants"] is not None:
            raise click.UsageError("--rule and --mutants say how to mutate: add --mutate.")
        return None
    budget = BUDGET if options["mutants"] is None else options["mutants"]
    return Plan(rules=choose_rules(options["rules"]), budget=budget)


def _against(options: Mapping[str, Any]) -> Callable[[Run], Run]:
    """What a baseline says of a run; the run as it is without one."""
    file = options["baseline"]
    if file is None:
        if options["accept"]:
            raise click.UsageError("--accept writes a baseline: name it with --baseline FILE.")
        return lambda run: run
    from .baseline.baseline import read_baseline  # noqa: PLC0415 - only with --baseline
    from .baseline.deciding import decided  # noqa: PLC0415

    if not options["accept"] or file.exists():
        read_baseline(file)  # a file that cannot be used is said before anything is played
    return lambda run: decided(run, file, accepts=options["accept"])


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{name!r} is not 'Name: value'.", param_hint="--header")
    return name.strip(), value.strip()


def _sessions(configuration: Configuration) -> tuple[Session, ...]:
    return choose_sessions(load_sessions(*configuration.sessions), configuration.only, configuration.host_profile)


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Keep exit code 1 for findings: an error of the user's gets 2, and so does one of ours; an interrupt gets 130."""
    try:
        yield
    except BallastTestError as problem:
        raise _Complaint(str(problem)) from problem
    except (click.ClickException, click.exceptions.Exit):
        raise
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except Exception:  # noqa: BLE001 - Python would exit with 1, which says that the target has a fault
        traceback.print_exc()
        sys.exit(_WRONG_USAGE)


@contextmanager
def _quiet_target(level: int = logging.INFO) -> Iterator[None]:
    """Keep what a target in this process logs, up to a level, out of the display."""
    before = logging.root.manager.disable
    logging.disable(level)
    try:
        yield
    finally:
        logging.disable(before)


async def _test(
    configuration: Configuration, sessions: Sequence[Session], options: dict[str, Any], plan: Plan | None
) -> Run:
    if not configuration.options.is_traced:
        return await _play(configuration, sessions, plan, _against(options))
    from .collector import Collector  # noqa: PLC0415 - only with --traces

    try:
        collector = Collector(port=options["collector_port"])
        collector.start()
    except OSError as problem:
        raise _Complaint(f"Traces cannot be collected: {problem}. Choose another --collector-port.") from problem
    try:
        _export_to(collector.endpoint, configuration.target)
        return await _play(configuration, sessions, plan, _against(options), collector)
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
    sessions: Sequence[Session],
    plan: Plan | None,
    against: Callable[[Run], Run],
    collector: Any = None,
) -> Run:
    from .report.terminal import Progress  # noqa: PLC0415 - rich is slow to import and errors need none of it

    with Progress() as progress:
        with _opened(configuration) as (target, own):
            contracts = choose_contracts(configuration.only, configuration.host_profile)
            run = await play_sessions(
                sessions,
                target,
                options=own,
                listener=progress,
                contracts=contracts,
                plan=plan,
            )
            if collector is not None:
                await _last_spans(run, collector)
        if collector is not None:
            run = with_spans(run, collector.spans_of)
        run = against(run)
        progress.run_ended(run)
    if len(contracts) == len(choose_contracts()):
        click.echo(counted(standings(run.sessions)), err=True)
    return run


@contextmanager
def _opened(configuration: Configuration) -> Iterator[tuple[Target, Options]]:
    """The target, started first if a command is given; then it can be killed, and its process is known."""
    options = configuration.options
    with ExitStack() as stack:
        if configuration.command:
            process = stack.enter_context(started(configuration.command, configuration.target))
            means = replace(options.means, pid=lambda: process.pid)
            options = replace(options, restart=process.restart, means=means)
        yield stack.enter_context(open_target(configuration.target, path=configuration.path)), options


async def _last_spans(run: Run, collector: Any) -> None:
    """Wait for the spans of the last step that has a trace; those of earlier ones were exported before."""
    traced = [step.trace_id for session in run.sessions for step in session.steps if step.trace_id]
    if traced:
        await collector.wait_for(traced[-1], within=_SECONDS_TO_EXPORT)


async def _diagnose(configuration: Configuration, direct: str) -> Any:
    from .diagnosis import diagnose  # noqa: PLC0415 - as above

    if direct and "://" not in direct:
        raise click.BadParameter(f"{direct!r} is no address such as http://127.0.0.1:8000/mcp.", param_hint="--direct")
    options = configuration.options
    with ExitStack() as stack:
        target = stack.enter_context(open_target(configuration.target, path=configuration.path))
        own = stack.enter_context(open_target(direct, path=configuration.path)).addresses[-1] if direct else ""
        return await diagnose(target, headers=options.headers, examples=options.examples, direct=own)


def _write_reports(run: Run, options: dict[str, Any], sessions: Sequence[Session]) -> None:
    from .report.html import write_html  # noqa: PLC0415 - as above
    from .report.json_report import write_json  # noqa: PLC0415
    from .report.junit import write_junit  # noqa: PLC0415
    from .report.sarif import write_sarif  # noqa: PLC0415

    own = {session.id: session.file for session in sessions if Path(session.file).parent != SHIPPED}
    for name, write in (
        ("json_file", write_json),
        ("junit_file", write_junit),
        ("sarif_file", partial(write_sarif, files=own)),
        ("html_file", write_html),
    ):
        if options[name] is not None:
            _write(write, run, options[name])


def _write(write: Callable[[Any, Path], None], what: Any, file: Path) -> None:
    try:
        write(what, file)
    except OSError as problem:
        raise _Complaint(f"{file} cannot be written: {problem.strerror}. Name another file.") from problem
    click.echo(f"written: {file}", err=True)
