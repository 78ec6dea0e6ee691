"""The workers of a run: each on its port, replaced when it was killed, woken when it was stopped.

It notices by itself what was done to a worker, wherever that came from, and keeps it as a fault of the history.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos.history import Fault
from tests.environment import uncovered
from tests.proxies.processes import ROOT, free_ports

SETTINGS: Final = {
    "BALLAST_FIRST_BYTE": "0.3",
    "BALLAST_HEARTBEAT_INTERVAL": "0.5",
    "BALLAST_SELF_CHECK": "false",
    "BALLAST_DRAIN": "1",
    "BALLAST_DRAIN_NOTICE": "0.1",
    "BALLAST_CALLS": "1000",
    "BALLAST_CALLS_PER_PRINCIPAL": "500",
}

QUIET: Final = "BALLAST_FIRST_BYTE=30"
"""For one worker: it says nothing until the answer is there, so that impatient proxies ask another one meanwhile."""

_LOOK_EVERY: Final = 0.02
_LONGEST_START: Final = 60.0


@dataclass(slots=True)
class Worker:
    """A port, and the process that serves it now."""

    port: int
    nursery: "Nursery"
    more: str
    pid: int = 0
    stopped_at: float | None = None
    wake_at: float = 0.0


class Nursery:
    """A process that forks workers (`tests.chaos.workers`)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asking = asyncio.Lock()

    async def worker(self, port: int, more: str) -> int:
        """Fork a worker that serves on `port`, and give its process id at once."""
        assert self._process.stdin is not None
        async with self._asking:
            self._process.stdin.write(f"{port} {more}\n".encode())
            return int(await self.says())

    async def says(self) -> str:
        """Its next line."""
        assert self._process.stdout is not None
        async with asyncio.timeout(_LONGEST_START):
            line = (await self._process.stdout.readline()).decode().strip()
        assert line, "the process that makes workers ended: see its log"
        return line


@asynccontextmanager
async def nursery(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> AsyncIterator[Nursery]:
    """A nursery; it and all its workers are gone at the end."""
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.workers", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            env={**uncovered(), "PYTHONPATH": str(ROOT), **environment},
            start_new_session=True,
        )
    made = Nursery(process)
    try:
        assert await made.says() == "ready"
        yield made
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        _tidy(process.pid)


def _tidy(pid: int) -> None:
    """Remove what libfaketime leaves behind of a process that was killed."""
    for left in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        Path("/dev/shm", left).unlink(missing_ok=True)


class Crew:
    """The workers, and what was done to them so far."""

    def __init__(self, nurseries: Sequence[Nursery], count: int, *, lease: float, draw: random.Random) -> None:
        self.workers = [
            Worker(port, nurseries[-1 if number == count - 1 else 0], QUIET if number == 1 else "")
            for number, port in enumerate(free_ports(count))
        ]
        self.faults: list[Fault] = []
        self._lease, self._draw = lease, draw

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Every worker serves; until the block ends, who dies is replaced and who stands still is woken."""
        await asyncio.gather(*(self._begin(worker) for worker in self.workers))
        watching = [asyncio.create_task(self._watch(worker)) for worker in self.workers]
        try:
            yield
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*(_end(worker.pid) for worker in self.workers))

    async def _begin(self, worker: Worker) -> None:
        worker.pid = await worker.nursery.worker(worker.port, worker.more)
        ends = time.monotonic() + _LONGEST_START
        while not await _accepts(worker.port):
            assert time.monotonic() < ends, f"no worker on {worker.port}: see the log"
            await asyncio.sleep(_LOOK_EVERY)

    async def _watch(self, worker: Worker) -> None:
        while True:
            state = state_of(worker.pid)
            if state is None:
                await self._replace(worker)
            elif state == "T":
                self._wake_later(worker)
            await asyncio.sleep(_LOOK_EVERY)

    async def _replace(self, worker: Worker) -> None:
        died, pid = time.time(), worker.pid
        await self._begin(worker)
        self.faults.append(Fault(what="kill", begun_at=died - 2 * _LOOK_EVERY, ended_at=time.time(), detail=str(pid)))
        worker.stopped_at = None

    def _wake_later(self, worker: Worker) -> None:
        now = time.time()
        if worker.stopped_at is None:
            worker.stopped_at = now - 2 * _LOOK_EVERY
            worker.wake_at = now + self._draw.choice([0.5, 1.4, 2.6]) * self._lease
        elif now > worker.wake_at:
            os.kill(worker.pid, signal.SIGCONT)
            self.faults.append(Fault(what="stop", begun_at=worker.stopped_at, ended_at=now, detail=str(worker.pid)))
            worker.stopped_at = None


async def _end(pid: int) -> None:
    """Kill a worker, and return when it is gone."""
    ends = time.monotonic() + _LONGEST_START
    while state_of(pid) not in {None, "Z"} and time.monotonic() < ends:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(_LOOK_EVERY)


def state_of(pid: int) -> str | None:
    """The state of a process as the kernel has it, `T` for one that was stopped; None if it is gone, `Z` nearly so."""
    try:
        # After the name, which may contain anything but is followed by the last bracket.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return None


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
