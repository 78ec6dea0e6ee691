"""A loop that stands still is noticed from outside, with the tool that did it, and its end is told."""

import asyncio
import gc
import logging
import re
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvloop

from connector.errors import DeclarationError
from connector.http.load.watchdog import RUNNING_TOOL, Block, Watchdog, running
from connector.settings import WatchdogSettings

QUICK = WatchdogSettings(blocked_after=0.3, interval=0.05)


class Listener(logging.Handler):
    """Collects what the watchdog says, and tells when it has said something about a block or its end."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.noticed = threading.Event()

    def said(self, of: str) -> list[str]:
        """The lines that speak of it: a busy machine may stall the loop too."""
        return [line for line in self.lines if of in line]

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        if "has stood still" in record.getMessage():
            self.noticed.set()


@pytest.fixture
def heard() -> Iterator[Listener]:
    listener, logger = Listener(), logging.getLogger("ballast.loop")
    logger.addHandler(listener)
    yield listener
    logger.removeHandler(listener)


class Blocks:
    """The blocks that a watchdog reports."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.over: asyncio.Queue[Block] = asyncio.Queue()

    def __call__(self, block: Block) -> None:
        self._loop.call_soon_threadsafe(self.over.put_nowait, block)

    async def of(self, tool: str | None) -> Block:
        while (block := await self.over.get()).tool != tool:
            pass
        return block


@contextmanager
def _watched(policy: WatchdogSettings = QUICK) -> Iterator[tuple[Blocks, Watchdog]]:
    blocks = Blocks()
    watchdog = Watchdog(policy, on_block=blocks)
    with watchdog.watching():
        yield blocks, watchdog


def _run(test: Callable[[], Awaitable[None]], *, uv: bool = False) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(test(), 30)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop if uv else None) as runner:
        runner.run(bounded())


@pytest.mark.parametrize("uv", [False, True], ids=["asyncio", "uvloop"])
def test_a_tool_that_blocks_the_loop_is_named_with_its_stack_and_its_end(heard: Listener, uv: bool) -> None:
    """Incident L-03: one call that blocks freezes every session."""

    async def blocking_tool(number: str) -> None:
        heard.noticed.wait(20)  # blocks the loop until the watchdog has noticed, which is the point

    async def story() -> None:
        with _watched() as (blocks, _):
            with running("find_invoice"):
                await blocking_tool("hunter2")
            block = await blocks.of("find_invoice")
        assert block.seconds >= QUICK.blocked_after

    _run(story, uv=uv)
    begin, end = heard.said("find_invoice")
    assert begin.startswith("The event loop has stood still for ")
    assert "in the tool 'find_invoice'" in begin
    assert re.search(r"test_watchdog\.py:\d+ in blocking_tool", begin)
    assert end.startswith("The event loop goes on after ")
    assert "hunter2" not in begin


def test_a_task_that_a_tool_started_counts_as_the_tools(heard: Listener) -> None:
    """Ours: tools fan out."""

    async def part() -> None:
        heard.noticed.wait(20)

    async def story() -> None:
        with _watched() as (blocks, _):
            with running("export"):
                await asyncio.gather(part())
            assert (await blocks.of("export")).seconds > 0

    _run(story)


def test_the_blocking_tool_is_told_from_others_that_wait(heard: Listener) -> None:
    """Ours: many calls run at once, and only one of them stands in the way."""

    async def story() -> None:
        done = asyncio.Event()

        async def waits(tool: str) -> None:
            RUNNING_TOOL.set(tool)
            await done.wait()

        async def stands_in_the_way() -> None:
            RUNNING_TOOL.set("guilty")
            await asyncio.sleep(0)
            heard.noticed.wait(20)

        with _watched() as (blocks, _):
            waiting = [asyncio.create_task(waits(f"innocent {n}")) for n in range(5)]
            guilty = asyncio.create_task(stands_in_the_way())
            assert (await blocks.of("guilty")).seconds > 0
            done.set()
            await asyncio.gather(guilty, *waiting)

    _run(story)


def test_code_of_no_tool_is_called_so(heard: Listener) -> None:
    """Ours: a callback, a middleware, a lifespan."""

    async def story() -> None:
        with _watched() as (blocks, _):
            asyncio.get_running_loop().call_soon(heard.noticed.wait, 20)
            assert (await blocks.of(None)).seconds > 0

    _run(story)
    assert len(heard.said("code that belongs to no tool")) >= 2


def test_each_block_is_told_once_and_again_when_it_ends(heard: Listener) -> None:
    """Ours: a log that repeats itself is not read."""

    async def story() -> None:
        with _watched() as (blocks, watchdog):
            for tool in ("first", "second"):
                heard.noticed.clear()
                with running(tool):
                    heard.noticed.wait(20)
                    threading.Event().wait(2 * QUICK.blocked_after)  # still blocked, and no second word of it
                assert watchdog.late_by() > 2 * QUICK.blocked_after
                await blocks.of(tool)

    _run(story)
    assert [line.split(" s in ")[0].rstrip(".0123456789") for line in heard.said("the tool")] == [
        "The event loop has stood still for ",
        "The event loop goes on after ",
    ] * 2


def test_native_code_that_keeps_the_interpreter_to_itself_is_caught_as_it_lets_go(heard: Listener) -> None:
    """Ours: a regular expression that backtracks stops every thread, the watchdog too."""

    async def story() -> None:
        with _watched() as (blocks, _):
            for nests in range(18, 34):  # twice as long each time, so some of them are long enough on any machine
                with running("parse"):
                    re.match(r"(a+)+$", "a" * nests + "b")
                await asyncio.sleep(2 * QUICK.interval)
                if not blocks.over.empty() and blocks.over.get_nowait().tool == "parse":
                    return
        raise AssertionError(f"the tool was not named: {heard.lines}")

    _run(story)


def test_a_loop_that_only_waits_is_not_blocked(heard: Listener) -> None:
    """Ours: silence is what most connectors do most of the time."""

    async def story() -> None:
        with _watched(WatchdogSettings(blocked_after=10, interval=0.01)) as (blocks, watchdog):
            for _ in range(50):
                await asyncio.sleep(0.01)
                assert watchdog.late_by() < 10
            assert blocks.over.empty()

    _run(story)
    assert heard.lines == []


def test_nothing_is_left_when_watching_ends() -> None:
    """Ours: a connector that stops leaves no thread and no timer, which would hold it."""

    async def story() -> None:
        watchdog = Watchdog(WatchdogSettings(interval=600))
        with watchdog.watching():
            await asyncio.sleep(0)
        left = weakref.ref(watchdog)
        del watchdog
        gc.collect()
        assert left() is None

    _run(story)
    assert [thread.name for thread in threading.enumerate() if thread.name == "ballast-watchdog"] == []


@pytest.mark.parametrize("wrong", [{"blocked_after": 0.0}, {"interval": float("nan")}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """Ours: a connector that is declared wrongly does not start."""
    with pytest.raises(DeclarationError, match="must be a positive, finite number"):
        WatchdogSettings(**wrong)
