"""The stores of a run, and what can be done to each: a server is restarted, killed or frozen, a disk is filled.

Knows servers and disks; does not know who uses the store.
"""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.stores.servers import Server, postgres_server, redis_server

Trouble = Callable[[Sequence[int]], None]
"""Does something to the store and ends it again; it is given the process ids of the workers, and blocks meanwhile."""

LONG: Final = 4.5
"""Seconds of the longer troubles: more than a lease, and more than the 3 for which an outcome waits to be stored."""

SHORT: Final = 2.0

_DISK: Final = "48m"
_BLOCK: Final = bytes(1 << 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A store for a run. `troubles` are by name."""

    url: str
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    is_shared: bool = True
    has_own_clock: bool = False


@contextmanager
def memory(folder: Path) -> Iterator[Shelf]:
    """One process; what it is killed with is forgotten, so it is not killed."""
    yield Shelf(url="memory:", is_shared=False)


@contextmanager
def sqlite(folder: Path) -> Iterator[Shelf]:
    """A file that all workers share, on a small disk of its own where one may be mounted."""
    disk = folder / "disk"
    disk.mkdir()
    if _mounted(disk):
        try:
            yield Shelf(url=f"sqlite:///{disk}/store.sqlite3", troubles={"disk full": lambda _: _fill(disk)})
        finally:
            subprocess.run(["umount", "--lazy", str(disk)], check=False)
    else:
        yield Shelf(url=f"sqlite:///{disk}/store.sqlite3", troubles={"no room for files": _allow_no_files})


@contextmanager
def postgres(folder: Path) -> Iterator[Shelf]:
    """A server of its own."""
    # Segments of shared memory outlive a server that is killed; files in its folder go with that.
    with postgres_server("dynamic_shared_memory_type=mmap") as server:
        yield Shelf(url=server.url, troubles=_done_to(server), has_own_clock=True)


@contextmanager
def redis(folder: Path) -> Iterator[Shelf]:
    """A server of its own, Valkey or Redis."""
    with redis_server() as server:
        yield Shelf(url=server.url, troubles=_done_to(server), has_own_clock=True)


SHELVES: Final[Mapping[str, Callable[[Path], AbstractContextManager[Shelf]]]] = {
    "memory": memory,
    "sqlite": sqlite,
    "postgres": postgres,
    "redis": redis,
}


def _done_to(server: Server) -> dict[str, Trouble]:
    def kill(_: Sequence[int]) -> None:
        server.kill()
        server.start()

    def freeze(_: Sequence[int]) -> None:
        with server.frozen():
            time.sleep(SHORT)

    def take_down(_: Sequence[int]) -> None:
        server.kill()
        time.sleep(LONG)
        server.start()

    return {
        "store restarted": lambda _: server.restart(),
        "store killed": kill,
        "store frozen": freeze,
        "store down for long": take_down,
    }


def _mounted(folder: Path) -> bool:
    if os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _fill(disk: Path) -> None:
    """Leave no byte on the disk."""
    filler, ends = disk / "filler", time.monotonic() + LONG
    try:
        with filler.open("wb", buffering=0) as file:
            while time.monotonic() < ends:
                with suppress(OSError):
                    while file.write(_BLOCK) == len(_BLOCK):
                        pass
                time.sleep(0.02)  # what a checkpoint gives back is taken too
    finally:
        filler.unlink()


def _allow_no_files(workers: Sequence[int]) -> None:
    """No worker may write into a file beyond its first byte: what a quota does, without a disk of our own."""
    before = {worker: resource.prlimit(worker, resource.RLIMIT_FSIZE) for worker in workers}
    for worker, (_, hard) in before.items():
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (1, hard))
    time.sleep(LONG)
    for worker, limits in before.items():
        with suppress(ProcessLookupError):
            resource.prlimit(worker, resource.RLIMIT_FSIZE, limits)
