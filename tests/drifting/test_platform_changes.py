"""A simulated platform changes one thing between two nights; unchanged nights raise nothing. Issue 7, "Shown by"."""

import asyncio
import logging
from collections.abc import Iterator
from random import Random

import pytest

from tests.drifting.asking import Asked
from tests.drifting.changes import CHANGES, PlatformChange
from tests.drifting.imitation import Platform
from tests.drifting.nights import Watch, fate_of, is_it, watched
from tests.drifting.targets import good, strict
from tests.loopback import served

FOUND = (
    "product", "version", "probe", "header", "headerless", "meta", "meta-gone", "locale-object", "capability", "grant",
    "auth-method", "document", "cut", "twins", "codes", "lists",
)  # fmt: skip
"""One of each kind and turn; `python -m tests.drifting` has them all."""

TRIED = ("probe", "headerless", "locale-object", "grant")
"""One of each way in which something is rebuilt; `python -m tests.drifting` tries them all."""


@pytest.fixture(scope="module")
def watch() -> Watch:
    return asyncio.run(watched(Platform(seed=1, scale=0.6), 3))


@pytest.mark.parametrize("change", [each for each in CHANGES if each.id in FOUND], ids=lambda change: change.id)
def test_a_change_of_the_platform_is_found_the_same_night_with_its_kind(watch: Watch, change: PlatformChange) -> None:
    """Issue 7."""
    decision = asyncio.run(watch.next_night(change.alter))
    assert [is_it(change)(finding) for finding in decision.findings] == [True]


def test_unchanged_nights_raise_nothing() -> None:
    """Issue 7; weekends and strangers among them. Thirty of them: `python -m tests.drifting`."""

    async def nights() -> list[str]:
        watch = await watched(Platform(seed=5, scale=0.6), 3)
        return [str(found.deviation) for _ in range(4) for found in (await watch.next_night(keep=True)).findings]

    assert asyncio.run(nights()) == []


@pytest.fixture(scope="module")
def targets() -> Iterator[dict[str, str]]:
    logging.disable(logging.WARNING)
    with served(good().app()) as one, served(strict()) as other:
        yield {"good": one, "strict": other}
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("change", [each for each in CHANGES if each.id in TRIED], ids=lambda change: change.id)
def test_what_is_new_is_tried_and_survives_or_breaks(
    watch: Watch, targets: dict[str, str], change: PlatformChange
) -> None:
    """Issue 7: the right survived or breaks, at a tolerant target and at a strict one."""

    async def fates() -> dict[str, str | None]:
        decision = await watch.next_night(change.alter)
        return {
            name: fate_of((await watch.tried(decision, f"{url}/mcp")).findings, change) for name, url in targets.items()
        }

    assert asyncio.run(fates()) == {"good": change.fate, "strict": change.strict}


def test_each_difference_that_breaks_is_named_alone(watch: Watch, targets: dict[str, str]) -> None:
    """Ours: three things changed in the same requests, and each breaks for itself."""
    by_id = {change.id: change for change in CHANGES}

    def alter(asked: list[Asked], random: Random) -> list[Asked]:
        return by_id["query"].alter(by_id["capability"].alter(by_id["header"].alter(asked, random), random), random)

    async def tried() -> set[tuple[str, str, int]]:
        decision = await watch.tried(await watch.next_night(alter), f"{targets['strict']}/mcp")
        found = [(each.deviation.name, each.trial) for each in decision.findings if each.trial]
        return {(name.rpartition(".")[2], trial.fate.value, len(trial.smallest)) for name, trial in found}

    expected = {("x-openai-trace-context", "breaks", 1), ("surface", "breaks", 1), ("elicitation", "breaks", 1)}
    assert asyncio.run(tried()) == expected
