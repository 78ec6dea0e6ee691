"""What the runs say: medians, and ratios to the plain SDK taken within each round.

Pure: runs in, figures out. A ratio is the median of the ratios of single rounds, since both sides of a round
had the same machine; ratios of medians would mix a quiet minute with a busy one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from .cases import BASELINE, Case
from .load import Run

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One run in the units of the report."""

    calls_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float | None
    errors: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One contender in one case: medians, and the medians of its ratios to the plain SDK."""

    case: Case
    kind: str
    calls_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float | None
    throughput_ratio: float
    p99_ratio: float
    cpu_ratio: float | None
    errors: int

    @property
    def verdict(self) -> str:
        """Whether throughput reaches the target, and not at the price of a worse p99."""
        if self.throughput_ratio < self.case.target:
            return "missed"
        return "met" if self.p99_ratio <= 1.0 else "met, but p99 is worse"


def figures(run: Run) -> Figures:
    """Turn counts and seconds into rates; a run without a single right answer has no rates but errors."""
    count = len(run.latencies)
    if count == 0:
        return Figures(calls_per_second=0.0, p50_ms=0.0, p99_ms=0.0, cpu_us=None, errors=run.errors or {"no calls": 1})
    return Figures(
        calls_per_second=count / run.seconds,
        p50_ms=run.latencies[count // 2] * 1e3,
        p99_ms=run.latencies[min(count - 1, int(count * 0.99))] * 1e3,
        cpu_us=None if run.cpu_seconds is None else run.cpu_seconds / count * 1e6,
        errors=run.errors,
    )


def line(case: Case, kind: str, rounds: dict[Key, list[Figures]]) -> Line:
    """Sum up the rounds of `kind` in `case` beside those of the plain SDK."""
    own, base = rounds[case.key, kind], rounds[case.key, BASELINE]
    pairs = list(zip(own, base, strict=True))
    return Line(
        case=case,
        kind=kind,
        calls_per_second=median(each.calls_per_second for each in own),
        p50_ms=median(each.p50_ms for each in own),
        p99_ms=median(each.p99_ms for each in own),
        cpu_us=_median_known(each.cpu_us for each in own),
        throughput_ratio=_ratio(pairs, lambda each: each.calls_per_second) or 0.0,
        p99_ratio=_ratio(pairs, lambda each: each.p99_ms) or 0.0,
        cpu_ratio=_ratio(pairs, lambda each: each.cpu_us),
        errors=sum(sum(each.errors.values()) for each in own),
    )


def _median_known(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _ratio(pairs: list[tuple[Figures, Figures]], of: Callable[[Figures], float | None]) -> float | None:
    both = [(of(own), of(base)) for own, base in pairs]
    return _median_known(own / base if own is not None and base else None for own, base in both)
