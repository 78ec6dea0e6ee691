"""What the visitors' book costs: `python -m tests.bench.book --write`.

The same connector with the book and without it, each in a process of its own, called by turns in many short rounds; who
goes first changes every round. The calls are as ChatGPT words them, since the book reads what they carry. Exit 1 if an
answer was wrong or the book costs more than it may.
"""

import asyncio
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles

import click

from .load import Bounds, measure
from .process import Server, pin_load_generator, serving
from .report import setting, write_between_markers
from .results import Figures, figures
from .wire import BOTH, LEGACY, MODERN, CallBytes, echo_call

PAGE = Path(__file__).resolve().parents[2] / "docs" / "visitors.md"

MAY_COST = 0.03
"""Of throughput."""

_STARVED = "no calls"
"""What `results` says of a run in which nothing was answered: on a machine so busy, the round is left out."""

META = {
    "timezone": "America/Los_Angeles",
    "openai/locale": "en-US",
    "openai/session": "v1/bench-session",
    "openai/subject": "v1/bench-subject",
    "openai/userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)",
    "openai/organization": "v1/bench-organization",
    "openai/userLocation": {"city": "Bern", "region": "Bern", "country": "CH", "latitude": "0.0", "longitude": "0.0"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How one figure with the book compares with the same without, round by round."""

    rounds: list[float]

    def __str__(self) -> str:
        cuts = quantiles(self.rounds, n=4)
        return f"{median(self.rounds):.3f} ({cuts[0]:.3f} to {cuts[2]:.3f})"


@click.command()
@click.option("--rounds", default=20, show_default=True, help="Pairs of runs for each kind of call.")
@click.option("--seconds", default=1.5, show_default=True, help="How long one run takes, after 0.3 s of warming up.")
@click.option("--fast", is_flag=True, help="Run on uvloop and httptools instead of asyncio and h11.")
@click.option("--write", is_flag=True, help="Put the table into docs/visitors.md.")
def main(*, rounds: int, seconds: float, fast: bool, write: bool) -> None:
    """Compare a connector with the visitors' book and without it."""
    pinning = pin_load_generator()
    bounds = Bounds(warmup_seconds=0.3, seconds=seconds, most_calls=1_000_000)
    rows, costs = (
        ["| calls | without, calls/s | throughput with / without | CPU with / without |", "|---|--:|--:|--:|"],
        [],
    )
    with serving("ballast", "default", fast=fast) as noted, serving("no_book", "default", fast=fast) as plain:
        for title, call in _calls().items():
            turns = [_pair(noted, plain, call, bounds, turn) for turn in range(rounds)]
            pairs = [pair for pair in turns if not any(_STARVED in each.errors for each in pair)]
            throughput = Ratio(rounds=[one.calls_per_second / other.calls_per_second for one, other in pairs])
            cpu = Ratio(rounds=[(one.cpu_us or 1.0) / (other.cpu_us or 1.0) for one, other in pairs])
            rows.append(
                f"| {title} | {median(other.calls_per_second for _, other in pairs):.0f} | {throughput} | {cpu} |"
            )
            costs.append(1 - median(throughput.rounds))
            sys.stderr.write(rows[-1] + "\n")
    command = " ".join(["python -m tests.bench.book", *sys.argv[1:]])
    stack = "uvloop and httptools" if fast else "asyncio and h11"
    said = (
        f"{rounds} rounds of {seconds:g} s, 32 connections, {stack}; medians of the rounds' ratios, and their quartiles"
    )
    text = setting(command, pinning, said) + "\n\n" + "\n".join(rows)
    sys.stdout.write(text + "\n")
    if write:
        write_between_markers(PAGE, "book", text)
    sys.exit(int(max(costs) > MAY_COST))


def _calls() -> dict[str, CallBytes]:
    plain = echo_call(era=LEGACY, accept=BOTH)
    return {
        "smallest, 2025-11-25": plain,
        "as ChatGPT words them, 2026-07-28": _as_chatgpt(echo_call(era=MODERN, accept=BOTH)),
    }


def _as_chatgpt(call: CallBytes) -> CallBytes:
    """The same call with the headers and the `_meta` that ChatGPT sends."""
    more = json.dumps(META, separators=(",", ":"))[1:-1].encode() + b","
    marker = b'"_meta":{'
    after = call.after_text.replace(marker, marker + more)
    assert after != call.after_text
    head, _, body = call.before_id.partition(b"\r\n\r\n")
    lines = [_longer(line, len(more)) for line in head.split(b"\r\n")]
    lines += [
        b"User-Agent: openai-mcp/1.0.0 (Codex)",
        b"X-Openai-Session: v1/bench-session",
        b"X-Forwarded-For: 192.0.2.1",
    ]
    return replace(call, before_id=b"\r\n".join(lines) + b"\r\n\r\n" + body, after_text=after)


def _longer(line: bytes, by: int) -> bytes:
    name, _, value = line.partition(b": ")
    return b"Content-Length: %d" % (int(value) + by) if name == b"Content-Length" else line


def _pair(noted: Server, plain: Server, call: CallBytes, bounds: Bounds, turn: int) -> tuple[Figures, Figures]:
    order = (noted, plain) if turn % 2 else (plain, noted)
    seen = {server: _run(server, call, bounds) for server in order}
    return seen[noted], seen[plain]


def _run(server: Server, call: CallBytes, bounds: Bounds) -> Figures:
    run = figures(asyncio.run(measure(server.port, call, bounds, server.cpu_seconds)))
    if run.errors.keys() - {_STARVED}:
        raise click.ClickException(f"wrong answers: {run.errors}")
    return run


if __name__ == "__main__":
    main()
