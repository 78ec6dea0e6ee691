"""Real workers behind real proxies on a real store, while everything around them breaks: what was promised holds.

The short version, with a seed. `python -m tests.chaos` plays ten thousand calls on each store.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from tests.chaos.checking import violations
from tests.chaos.history import Ending
from tests.chaos.run import Plans, Ran, run
from tests.chaos.table import shown, table

STORES = {
    "memory": {"first byte"},
    "sqlite": {"kill", "stop", "disk full"},
    "postgres": {"kill", "stop", "store restarted", "store killed", "store frozen"},
    "redis": {"kill", "stop", "store restarted", "store killed", "store frozen"},
}
"""By store, what must have happened for the run to have tried anything."""


@pytest.mark.timeout(180)
@pytest.mark.parametrize("store", STORES)
def test_calls_run_once_whatever_breaks(store: str) -> None:
    """Issue 4 item 6: rules (a) to (e) under kills at commit points, stops past the lease, cuts and store outages."""
    ran = asyncio.run(run(Plans(store=store, calls=250, seed=7, strikes=12.0)))

    found = violations(ran.history)
    assert not found, "\n".join([table(ran, found), *(shown(each, ran.history) for each in found)])
    _require_that_it_was_tried(ran)


def _require_that_it_was_tried(ran: Ran) -> None:
    happened = {fault.what.replace("no room for files", "disk full") for fault in ran.history.faults}
    happened |= {asking.planned.removeprefix("cut at ") for asking in ran.history.askings}
    endings = Counter(asking.ending for asking in ran.history.askings)

    assert happened >= STORES[ran.plans.store]
    assert endings[Ending.SUCCESS] > 100
    assert endings[Ending.MISMATCH]
    assert {"replayed", "joined"} <= {asking.mark for asking in ran.history.askings}


def test_nothing_is_left_running() -> None:
    """Ours: a run that fails must not leave its workers behind."""
    plans = Plans(store="memory", calls=5, seed=1, faults=())

    asyncio.run(run(plans))

    assert [line for line in _command_lines() if b"tests.chaos.workers" in line and b"memory:" in line] == []


def _command_lines() -> list[bytes]:
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(file.read_bytes())
    return lines
