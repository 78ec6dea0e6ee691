"""The processes that read: they may spin, grow, crash and be left, and the connector does not notice."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop

from connector import FileSettings
from connector.files.file import File
from connector.files.reading import kinds
from connector.files.reading.limits import Limits
from connector.files.reading.problems import Problem, Refused
from connector.files.room.process import Died, started
from connector.files.room.room import ReadingRoom
from tests.attachments import zoo

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at through /proc")

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine on a loop of each kind."""

    def on_a_loop(work: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(work)

    return on_a_loop


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A PDF of three pages."""
    (tmp_path / "report.pdf").write_bytes(zoo.pdf(3))
    return tmp_path / "report.pdf"


@asynccontextmanager
async def reading(**settings: Any) -> AsyncIterator[ReadingRoom]:
    """A reading room that is closed at the end."""
    room = ReadingRoom(FileSettings(**settings))
    try:
        yield room
    finally:
        await room.aclose()


async def asked_while_stopped(room: ReadingRoom, report: Path) -> tuple[int, "asyncio.Task[Any]"]:
    """A process that hangs at a question, as a parser that never ends would; and whoever waits for it."""
    await room.read(report, "check", kind=kinds.PDF)
    (pid,) = room.pids
    os.kill(pid, signal.SIGSTOP)
    return pid, asyncio.create_task(room.read(report, "check", kind=kinds.PDF))


def lives(pid: int) -> bool:
    """Whether there is such a process, which may be nobody's child any longer."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_process_that_is_killed_costs_one_step_and_nothing_more(run: Run, report: Path) -> None:
    """Issue 8 item 4: a crash of the parser, or the system's own out-of-memory killer."""

    async def main() -> None:
        async with reading() as room:
            pid, waiting = await asked_while_stopped(room, report)
            await asyncio.sleep(0)
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(Refused) as refused:
                await waiting
            assert refused.value.problem is Problem.CRASHED
            assert (await room.read(report, "check", kind=kinds.PDF))[0]["pages"] == 3
            assert pid not in room.pids

    run(main())


def test_a_process_that_dies_while_it_waits_is_replaced(run: Run, report: Path) -> None:
    """Ours: the next file is not blamed for it."""

    async def main() -> None:
        async with reading() as room:
            await room.read(report, "check", kind=kinds.PDF)
            (pid,) = room.pids
            os.kill(pid, signal.SIGKILL)
            while lives(pid):  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.01)
            assert (await room.read(report, "check", kind=kinds.PDF))[0]["pages"] == 3

    run(main())


def test_a_step_that_takes_too_long_is_ended_with_its_process(run: Run, report: Path) -> None:
    """Issue 8 item 4: wall time, whatever the process does meanwhile."""

    async def main() -> None:
        async with reading() as room:
            pid, waiting = await asked_while_stopped(room, report)
            room._settings = FileSettings(step=0.2)  # not before: the first step takes what it takes
            with pytest.raises(Refused) as refused:
                await waiting
            assert refused.value.problem is Problem.STUCK
            assert not lives(pid)

    run(main())


def test_whoever_stops_waiting_leaves_no_process_behind(run: Run, report: Path) -> None:
    """Issue 8 item 4: a call that is cancelled."""

    async def main() -> None:
        async with reading(readers=1) as room:
            pid, waiting = await asked_while_stopped(room, report)
            queued = asyncio.create_task(room.read(report, "check", kind=kinds.PDF))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert not lives(pid)
            assert (await queued)[0]["pages"] == 3

    run(main())


def test_at_the_end_no_process_is_left(run: Run, report: Path) -> None:
    """Ours: idle ones and busy ones."""

    async def main() -> None:
        async with reading() as room:
            busy, waiting = await asked_while_stopped(room, report)
            await asyncio.sleep(0)
            await room.read(report, "check", kind=kinds.PDF)
            pids = room.pids
        assert busy in pids
        assert not any(lives(pid) for pid in pids)
        with suppress(Refused, asyncio.CancelledError):
            await waiting

    run(main())


@pytest.mark.asyncio
async def test_processes_are_used_again_and_replaced(report: Path) -> None:
    """Ours: what parsers keep is given back by ending them."""
    async with reading(jobs=3) as room:
        seen = []
        for _ in range(6):
            await room.read(report, "check", kind=kinds.PDF)
            seen.append(tuple(room.pids))

    assert seen[0] == seen[1]
    assert seen[3] == seen[4]
    assert seen[2] == seen[5] == ()
    assert seen[0] != seen[3]


@pytest.mark.asyncio
async def test_what_the_connector_itself_takes_is_not_held_against_its_processes(report: Path) -> None:
    """Ours: getrusage(2) counts the memory of the process that started it into the most a process ever had."""
    ours = b"\1" * 400 * zoo.MIB
    async with reading() as room:
        await room.read(report, "check", kind=kinds.PDF)
        first = room.pids
        await room.read(report, "check", kind=kinds.PDF)

        assert len(first) == 1
        assert room.pids == first
    del ours


@pytest.mark.asyncio
async def test_what_takes_too_much_memory_is_refused(tmp_path: Path) -> None:
    """Issue 8 item 4: 36 megapixels need 108 MB; the process may have 160 altogether."""
    large = tmp_path / "large.png"
    large.write_bytes(zoo.flat_png(6000, 6000))

    async with reading(memory=160 * zoo.MIB) as small, reading() as usual:
        with pytest.raises(Refused) as refused:
            await small.read(large, "check", kind=kinds.PNG)
        assert (await usual.read(large, "check", kind=kinds.PNG))[0]["width"] == 6000

    assert refused.value.problem is Problem.MEMORY


@pytest.mark.asyncio
async def test_processor_time_ends_even_if_nobody_watches(tmp_path: Path) -> None:
    """Issue 8 item 4: the system keeps the limit when the connector that started the process is gone."""
    thick = tmp_path / "thick.pdf"
    thick.write_bytes(zoo.pdf(words=lambda _: "w" * 10_000_000))
    limits = Limits(step=0.1, memory=2**30, pixels=1, characters=1000, inflated=1, entries=1)
    reader = await started(limits)

    with pytest.raises(Died) as died:
        await reader.ask({"path": str(thick), "step": "pages", "first": 1, "last": 1})

    assert died.value.problem is Problem.STUCK


def test_processes_end_with_the_connector_that_started_them(report: Path) -> None:
    """Ours: a connector that is killed leaves nothing running."""
    code = (
        "import asyncio, sys, pathlib\n"
        "from connector.file_settings import FileSettings\n"
        "from connector.files.room.room import ReadingRoom\n"
        "async def main():\n"
        "    room = ReadingRoom(FileSettings())\n"
        "    await room.read(pathlib.Path(sys.argv[1]), 'check', kind='application/pdf')\n"
        "    print(room.pids[0], flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(report)], stdout=subprocess.PIPE, text=True) as connector:
        assert connector.stdout is not None
        pid = int(connector.stdout.readline())
        assert lives(pid)
        connector.kill()
    ends = time.monotonic() + 20
    while lives(pid) and time.monotonic() < ends:
        time.sleep(0.02)
    assert not lives(pid)


def test_a_process_that_reads_knows_no_secrets_and_writes_no_files(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: a parser that is taken over finds nothing worth taking."""
    monkeypatch.setenv("BALLAST_SECRET", "a-secret-of-the-connector")

    async def about() -> tuple[bytes, str]:
        async with reading() as room:
            await room.read(report, "check", kind=kinds.PDF)
            process = Path(f"/proc/{room.pids[0]}")
            return await asyncio.to_thread(
                lambda: ((process / "environ").read_bytes(), (process / "limits").read_text())
            )

    environment, limits = asyncio.run(about())

    assert b"secret" not in environment
    assert "Max file size             0 " in limits
    assert f"Max address space         {2**30} " in limits


@pytest.mark.asyncio
async def test_pages_come_as_they_are_taken_and_do_not_pile_up(tmp_path: Path) -> None:
    """Issue 8 item 4: more text than a step holds passes through, and a part of it is there at a time."""
    path, settings = tmp_path / "long.pdf", FileSettings()
    path.write_bytes(zoo.pdf(120, words=lambda number: f"{number} " + "w" * 12_000))
    async with reading() as room:
        file = File(
            id="f", name="f", media_type=kinds.PDF, said_type=None, size=1, sha256="", path=path, room=room,
            settings=settings,
        )  # fmt: skip
        first = await anext(file.pages())
        tracemalloc.start()
        try:
            total = sum([len(page.text) async for page in file.pages()])
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert first.text.startswith("1 www")
    assert total > 1_430_000
    assert peak < total / 2


@pytest.mark.asyncio
async def test_a_tool_that_thinks_about_a_page_keeps_nobody_waiting(report: Path, tmp_path: Path) -> None:
    """Ours: one process serves two readers in turn, so none is held while a tool thinks."""
    async with reading(readers=1) as room:

        def opened(path: Path) -> File:
            return File(
                id="f", name="f", media_type=kinds.PDF, said_type=None, size=1, sha256="", path=path, room=room,
                settings=FileSettings(),
            )  # fmt: skip

        other = tmp_path / "other.pdf"
        other.write_bytes(zoo.pdf(40))
        texts = []
        async for page in opened(other).pages():
            texts.append(page.text)
            if page.number == 1:
                texts += [within.text async for within in opened(report).pages()]

    assert texts[:4] == [
        "Page 1 of the report",
        "Page 1 of the report",
        "Page 2 of the report",
        "Page 3 of the report",
    ]
    assert len(texts) == 43
