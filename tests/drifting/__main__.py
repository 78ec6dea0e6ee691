"""`python -m tests.drifting --nights 30`: quiet nights, then every change of the platform, tried at two targets.

Prints the table of docs/drift.md. Nights are simulated; what is tried is sent over loopback for real.
"""

import argparse
import asyncio
import logging
import time

from click import echo

from tests.loopback import served

from .changes import CHANGES
from .imitation import Platform
from .nights import Watch, fate_of, is_it, watched
from .targets import good, strict


async def _quiet(watch: Watch, nights: int) -> tuple[int, int]:
    requests = raised = 0
    for _ in range(nights):
        requests += len(watch.platform.night(watch.nights))
        decision = await watch.next_night(keep=True)
        raised += len(decision.findings)
        for finding in decision.findings:
            echo(f"  night {watch.nights}: {finding.deviation} at {', '.join(map(str, finding.places))}")
    return requests, raised


async def _changed(watch: Watch, urls: dict[str, str]) -> int:
    missed = 0
    echo("| change between two nights | found as | severity | good connector | strict target |\n|---|---|---|---|---|")
    for change in CHANGES:
        decision = await watch.next_night(change.alter)
        fates = {}
        for name, url in urls.items():
            tried = await watch.tried(decision, f"{url}/mcp")
            fates[name] = fate_of(tried.findings, change)
        found = next(filter(is_it(change), decision.findings), None)
        is_right = found is not None and fates == {"good": change.fate, "strict": change.strict}
        missed += not is_right
        said = f"{found.deviation.kind} {found.deviation.turn} | {found.severity}" if found else "**not found** | "
        words = [fates["good"] or "nothing to send", fates["strict"] or "nothing to send"]
        echo(f"| {change.title} | {said} | {' | '.join(words)} |" + ("" if is_right else " **wrong**"))
    return missed


async def _all(arguments: argparse.Namespace, urls: dict[str, str]) -> None:
    since = time.perf_counter()
    for seed in range(1, arguments.seeds + 1):
        watch = await watched(Platform(seed=seed), arguments.learn)
        requests, raised = await _quiet(watch, arguments.nights)
        echo(f"seed {seed}: {arguments.nights} unchanged nights, {requests} requests: {raised} alarms")
    if not arguments.quiet_only:
        missed = await _changed(await watched(Platform(seed=1), arguments.learn), urls)
        echo(f"\n{len(CHANGES)} changes, {missed} not found or wrongly judged; {time.perf_counter() - since:.0f} s")


def main() -> None:
    """Parse, play, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.drifting")
    parser.add_argument("--nights", type=int, default=30, help="unchanged nights")
    parser.add_argument("--learn", type=int, default=3, help="nights before the approval")
    parser.add_argument("--seeds", type=int, default=1, help="how many platforms have quiet nights")
    parser.add_argument("--quiet-only", action="store_true", help="only the unchanged nights")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    with served(good().app()) as one, served(strict()) as other:
        asyncio.run(_all(arguments, {"good": one, "strict": other}))


if __name__ == "__main__":
    main()
