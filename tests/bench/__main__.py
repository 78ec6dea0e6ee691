"""The benchmark's command: `python -m tests.bench` from the repository's root, or `make bench`.

Decides the order of things: every contender is started, the cases are run in interleaved rounds so that a
busy moment of the machine burdens all alike, then idle sessions are weighed. Exit 1 if any answer was wrong.
"""

import asyncio
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from .cases import CASES, CONTENDERS, Case, server_mode
from .load import Bounds, measure
from .memory import Weight, weigh
from .process import Server, pin_load_generator, serving
from .report import memory_table, setting, speed_table, write_between_markers
from .results import Figures, Key, figures, line
from .wire import echo_call

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
_PROFILE_BOUNDS = Bounds(warmup_seconds=1, seconds=6, most_calls=100_000)
_CHECK_BOUNDS = Bounds(warmup_seconds=0, seconds=1, most_calls=2, connections=1)

Place = tuple[str, str]
"""A kind of server and the mode it runs in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is run."""

    rounds: int
    bounds: Bounds
    sessions: int


_FULL = Plan(rounds=5, bounds=Bounds(warmup_seconds=0.3, seconds=2.0, most_calls=20_000), sessions=500)
_QUICK = Plan(rounds=2, bounds=Bounds(warmup_seconds=0.1, seconds=0.35, most_calls=5_000), sessions=50)


@click.command()
@click.option("--quick", is_flag=True, help="A rough look in under 40 s: fewer, shorter rounds.")
@click.option("--write", is_flag=True, help="Put the tables into docs/benchmarks.md.")
@click.option("--only", "kinds", multiple=True, type=click.Choice(list(CONTENDERS)), help="Beside the plain SDK.")
@click.option("--fast", is_flag=True, help="Run all servers on uvloop and httptools instead of asyncio and h11.")
@click.option("--profile", metavar="KIND-CASE", help="Profile one server under load, such as ballast-2025-json.")
def main(*, quick: bool, write: bool, fast: bool, kinds: tuple[str, ...], profile: str | None) -> None:
    """Compare mcp-ballast with the plain SDK and FastMCP on this machine."""
    if profile is not None:
        _profile(profile, fast=fast)
        return
    plan = _QUICK if quick else _FULL
    chosen = [kind for kind in CONTENDERS if not kinds or kind in (*kinds, "mcp")]
    pinning = pin_load_generator()
    with ExitStack() as stack:
        servers = {place: stack.enter_context(serving(*place, fast=fast)) for place in _places(chosen)}
        for case in CASES:
            for kind in chosen:
                _check(servers[kind, server_mode(kind, case)], case, kind)
        rounds = _run_rounds(servers, chosen, plan)
        weights = {kind: _weigh(servers[kind, "sessions"], kind, plan.sessions) for kind in chosen}
    lines = [line(case, kind, rounds) for case in CASES for kind in chosen]
    text = "\n\n".join(
        [
            setting(_command(), pinning, _protocol(plan, fast=fast)),
            speed_table(lines),
            memory_table(weights, plan.sessions),
        ]
    )
    sys.stdout.write(text + "\n")
    if write:
        write_between_markers(_PAGE, "bench-fast" if fast else "bench", text)
    sys.exit(_report_errors(rounds))


def _places(kinds: list[str]) -> list[Place]:
    """Return every server that is needed; sessions are weighed in one that has not been under load."""
    modes = [(kind, server_mode(kind, case)) for case in CASES for kind in kinds]
    return list(dict.fromkeys([*modes, *((kind, "sessions") for kind in kinds)]))


def _run_rounds(servers: dict[Place, Server], kinds: list[str], plan: Plan) -> dict[Key, list[Figures]]:
    rounds: dict[Key, list[Figures]] = {(case.key, kind): [] for case in CASES for kind in kinds}
    for turn in range(plan.rounds):
        for case in CASES:
            _progress(f"round {turn + 1}/{plan.rounds}: {case.title}")
            for kind in kinds:
                run = _run(servers[kind, server_mode(kind, case)], case, plan.bounds)
                rounds[case.key, kind].append(run)
    return rounds


def _run(server: Server, case: Case, bounds: Bounds) -> Figures:
    call = echo_call(era=case.era, accept=case.accept)
    return figures(asyncio.run(measure(server.port, call, bounds, server.cpu_seconds)))


def _check(server: Server, case: Case, kind: str) -> None:
    """Make a few calls, so that a server that answers wrongly is found before minutes are spent on it."""
    seen = _run(server, case, _CHECK_BOUNDS)
    if seen.errors:
        raise click.ClickException(f"{CONTENDERS[kind]} does not answer {case.title}: {seen.errors}")


def _weigh(server: Server, kind: str, sessions: int) -> Weight:
    _progress(f"idle sessions: {CONTENDERS[kind]}")
    return asyncio.run(weigh(server, sessions=sessions))


def _profile(target: str, *, fast: bool) -> None:
    kind, _, key = target.partition("-")
    case = next((case for case in CASES if case.key == key), None)
    if kind not in CONTENDERS or case is None:
        known = ", ".join(f"{kind}-{case.key}" for kind in CONTENDERS for case in CASES)
        raise click.BadParameter(f"{target!r} is none of: {known}", param_hint="--profile")
    pin_load_generator()
    with serving(kind, server_mode(kind, case), fast=fast, profile=True) as server:
        seen = _run(server, case, _PROFILE_BOUNDS)
    sys.stdout.write(f"{seen.calls_per_second:.0f} calls/s while profiled, errors: {seen.errors or 'none'}\n")


def _command() -> str:
    return " ".join(["python -m tests.bench", *sys.argv[1:]])


def _protocol(plan: Plan, *, fast: bool) -> str:
    bounds, stack = plan.bounds, "uvloop and httptools" if fast else "asyncio and h11"
    return (
        f"{plan.rounds} interleaved rounds of {bounds.seconds:g} s after {bounds.warmup_seconds:g} s of "
        f"warm-up, at most {bounds.most_calls} calls each; {bounds.connections} keep-alive connections; "
        f"one uvicorn worker each, {stack} for all; medians"
    )


def _report_errors(rounds: dict[Key, list[Figures]]) -> int:
    wrong = [(key, fault, count) for key, runs in rounds.items() for run in runs for fault, count in run.errors.items()]
    for (case, kind), fault, count in wrong:
        _progress(f"{count} times {fault!r}: {CONTENDERS[kind]}, {case}")
    return 1 if wrong else 0


def _progress(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
