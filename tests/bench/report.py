"""The report of a benchmark run: Markdown tables, and what they were measured on.

Decides the words and columns. Names the machine by its CPU, cores and versions only, never by host or path.
"""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .cases import CONTENDERS, OURS
from .memory import Weight
from .results import Line

_PACKAGES = (
    "mcp-ballast", "mcp", "fastmcp", "uvicorn", "h11", "httptools", "uvloop", "starlette", "pydantic", "anyio",
)  # fmt: skip


def speed_table(lines: list[Line]) -> str:
    """Return the table of throughput, latency and CPU."""
    rows = [
        "| client | server | calls/s | ratio | target | p50 ms | p99 ms | ratio | CPU µs | ratio | errors |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    rows += ["| " + " | ".join(_speed_row(line)) + " |" for line in lines]
    return "\n".join(rows)


def _speed_row(line: Line) -> list[str]:
    ours = line.kind == OURS
    name = CONTENDERS[line.kind]
    return [
        line.case.title,
        f"**{name}**" if ours else name,
        f"{line.calls_per_second:.0f}",
        f"{line.throughput_ratio:.2f}",
        _target(line) if ours else "",
        f"{line.p50_ms:.1f}",
        f"{line.p99_ms:.1f}",
        f"{line.p99_ratio:.2f}",
        _number(line.cpu_us),
        _number(line.cpu_ratio, digits=2),
        str(line.errors),
    ]


def _target(line: Line) -> str:
    return f"{line.case.target:g} ({line.verdict})"


def memory_table(weights: dict[str, Weight], sessions: int) -> str:
    """Return the table of memory per idle session."""
    rows = [
        f"| server, {sessions} idle sessions | kB each, connection closed | kB each, connection open |",
        "|---|--:|--:|",
    ]
    rows += [
        f"| {CONTENDERS[kind]} | {_kilobytes(weight.closed)} | {_kilobytes(weight.open)} |"
        for kind, weight in weights.items()
    ]
    return "\n".join(rows)


def _kilobytes(size: float | None) -> str:
    return "n/a" if size is None else f"{max(size, 0.0) / 1000:.1f}"


def _number(value: float | None, *, digits: int = 0) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"


def setting(command: str, pinning: str, protocol: str) -> str:
    """Return in words what was run, on what, and how."""
    versions = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    return "\n".join(
        [
            f"* command: `{command}`",
            f"* machine: {_cpu_model()}, {os.cpu_count()} logical CPUs, {platform.system()}; {pinning}",
            f"* {platform.python_implementation()} {platform.python_version()}; {versions}",
            f"* {protocol}",
        ]
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for text in cpuinfo.read_text().splitlines():
            if text.startswith("model name"):
                return text.partition(":")[2].strip()
    return platform.machine()


def write_between_markers(page: Path, place: str, text: str) -> None:
    """Replace what stands between the markers of `place` in `page`.

    Raises:
        ValueError: the page has no markers.
    """
    first, last = f"<!-- {place}: begin -->", f"<!-- {place}: end -->"
    before, begin, rest = page.read_text(encoding="utf-8").partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"{page.name} has no lines {first} and {last}; put them where the tables belong")
    page.write_text(f"{before}{first}\n\n{text}\n\n{last}{after}", encoding="utf-8")
