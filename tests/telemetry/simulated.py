"""Months of broken streams, made up from a seed: how often the spike detector cries wolf, and how soon it sees one.

`python -m tests.telemetry.simulated` prints the tables of docs/telemetry.md; `--write` puts them there.
"""

import argparse
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from connector.telemetry.spikes import Spikes

TICK = 10.0
DAY = 86_400.0
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "telemetry.md"


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of traffic: streams a minute by day, and the share of them that usually breaks."""

    streams: float
    share: float


Weather = Callable[[random.Random, Kind, float], tuple[int, int]]
"""How many streams ended in the tick that begins at a time, and how many of them broke."""


def poisson(source: random.Random, mean: float) -> int:
    """A Poisson number: Knuth's product for small means, the rounded normal for large ones."""
    if mean > 30:
        return max(0, round(source.gauss(mean, math.sqrt(mean))))
    number, product, least = -1, 1.0, math.exp(-mean)
    while product > least:
        product *= source.random()
        number += 1
    return number


def _ended(source: random.Random, streams: float, share: float) -> tuple[int, int]:
    broken = poisson(source, streams * share * TICK / 60)
    return broken + poisson(source, streams * (1 - share) * TICK / 60), broken


def steady(source: random.Random, kind: Kind, _: float) -> tuple[int, int]:
    """Nothing but chance."""
    return _ended(source, kind.streams, kind.share)


def daily(source: random.Random, kind: Kind, now: float) -> tuple[int, int]:
    """Ten times the traffic by day, and twice the share in the evening, when people close their laptops."""
    hour = now % DAY / DAY
    streams = kind.streams * 10 ** (-0.5 + 0.5 * math.sin(math.tau * hour))
    return _ended(source, streams, kind.share * (1 + 0.33 * math.sin(math.tau * (hour - 0.3))))


def quiet_nights(source: random.Random, kind: Kind, now: float) -> tuple[int, int]:
    """A hundredth of the traffic for eight hours."""
    return _ended(source, kind.streams * (0.01 if now % DAY < DAY / 3 else 1), kind.share)


def bursts(source: random.Random, kind: Kind, now: float) -> tuple[int, int]:
    """The day, and 12 times in it one to three streams break at once."""
    ended, broken = daily(source, kind, now)
    more = source.randint(1, 3) if source.random() < 12 * TICK / DAY else 0
    return ended + more, broken + more


def deploys(source: random.Random, kind: Kind, now: float) -> tuple[int, int]:
    """The day, and eight deploys in it: within 20 seconds as many streams break as end in five minutes."""
    ended, broken = daily(source, kind, now)
    more = round(kind.streams * 2.5) if now % (DAY / 8) < 2 * TICK else 0
    return ended + more, broken + more


def gusts(source: random.Random, kind: Kind, now: float) -> tuple[int, int]:
    """The day with a share that is drawn anew each minute, between nothing and some three times the usual."""
    return daily(source, Kind(kind.streams, min(0.9, kind.share * _gust(now // 60))), now)


@lru_cache(maxsize=4)
def _gust(minute: float) -> float:
    return random.Random(minute).gammavariate(4, 0.25)


WEATHERS: dict[str, Weather] = {
    "chance alone": steady,
    "daily rhythm": daily,
    "quiet nights": quiet_nights,
    "bursts of one to three": bursts,
    "eight deploys a day": deploys,
    "a gusty share": gusts,
}
KINDS = {
    "1 stream a minute, 2 % break": Kind(1, 0.02),
    "20 a minute, 2 %": Kind(20, 0.02),
    "100 a minute, 1 %": Kind(100, 0.01),
    "1000 a minute, 0.2 %": Kind(1000, 0.002),
    "30 a minute, 20 %": Kind(30, 0.2),
}


def _ticks(days: float, since: float = 0.0) -> Iterator[float]:
    return (since + tick * TICK for tick in range(round(days * DAY / TICK)))


def false_alarms(weather: Weather, kind: Kind, *, days: float, seed: str) -> int:
    """How many alarms so many days of ordinary traffic raise."""
    source, spikes, alarms = random.Random(seed), Spikes(), 0
    for now in _ticks(days):
        ended, broken = weather(source, kind, now)
        alarms += spikes.note("a", broken=broken, delivered=ended - broken, now=now) is not None
    return alarms


def delay(kind: Kind, *, rise: float, seed: str, patience: float = 3600.0) -> float:
    """Seconds from the moment at which `rise` times as many break to the alarm; infinite without one."""
    source, spikes = random.Random(seed), Spikes()
    begins = DAY / 4 + source.random() * TICK
    for now in _ticks(0.25):
        ended, broken = steady(source, kind, now)
        spikes.note("a", broken=broken, delivered=ended - broken, now=now)
    for now, broken in _arrivals(source, kind, rise, begins, patience):
        if spikes.note("a", broken=broken, delivered=1 - broken, now=now) is not None:
            return now - begins
    return math.inf


def _arrivals(
    source: random.Random, kind: Kind, rise: float, since: float, patience: float
) -> Iterator[tuple[float, int]]:
    now = since
    while now < since + patience:
        now += source.expovariate(kind.streams / 60)
        yield now, int(source.random() < min(1.0, rise * kind.share))


def _percentile(numbers: list[float], share: float) -> str:
    number = sorted(numbers)[min(len(numbers) - 1, int(share * len(numbers)))]
    return "never" if math.isinf(number) else f"{number:.0f}"


def noise_table(months: int, seed: int) -> str:
    """False alarms, by traffic and weather."""
    lines = [f"| false alarms in {months} months of | {' | '.join(WEATHERS)} |", "|---" * (len(WEATHERS) + 1) + "|"]
    for name, kind in KINDS.items():
        counts = [
            false_alarms(weather, kind, days=30 * months, seed=f"{seed} {name} {each}")
            for each, weather in WEATHERS.items()
        ]
        lines.append(f"| {name} | {' | '.join(map(str, counts))} |")
    return "\n".join(lines)


USUAL = (0.2, 0.5, 1.0, 2.0, 5.0, 20.0)
"""Broken streams a minute, before the rise."""


def delay_table(runs: int, seed: int) -> str:
    """Seconds to the alarm, by how many streams usually break."""
    lines = [
        "| usually broken a minute | risen to | half of the alarms within | 9 of 10 | 99 of 100 |",
        "|---|---|---|---|---|",
    ]
    for usual in USUAL:
        kind = Kind(usual / 0.02, 0.02)
        delays = [delay(kind, rise=10, seed=f"{seed} {usual} {run}") for run in range(runs)]
        said = " | ".join(f"{_percentile(delays, share)} s" for share in (0.5, 0.9, 0.99))
        lines.append(f"| {usual:g} | {10 * usual:g} | {said} |")
    return "\n".join(lines)


def _write(name: str, table: str) -> None:
    text = DOCUMENT.read_text()
    before, mark, rest = text.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    DOCUMENT.write_text(f"{before}{mark}\n{table}\n\n{end}{after}")


def main() -> None:
    """Print the tables, and put them into the document if asked to."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--months", type=int, default=12)
    reader.add_argument("--runs", type=int, default=200)
    reader.add_argument("--seed", type=int, default=7)
    reader.add_argument("--write", action="store_true")
    said = reader.parse_args()
    tables = {"false alarms": noise_table(said.months, said.seed), "delays": delay_table(said.runs, said.seed)}
    for name, table in tables.items():
        print(table, end="\n\n")  # noqa: T201
        if said.write:
            _write(name, table)


if __name__ == "__main__":
    main()
