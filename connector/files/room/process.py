"""One process that reads, as the connector sees it: started, asked, killed.

Neither forked nor run by the loop's own subprocess machinery: `Popen` in a thread and a socket work the same on asyncio
and uvloop, in any thread, whatever else the process does.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread

from ..reading.frames import LENGTHS, Garbled, check, framed, said
from ..reading.limits import Limits
from ..reading.problems import Problem

PACKAGE: Final = Path(__file__).parents[2]

BOOT: Final = """
import json, socket, sys, types
told = json.loads(sys.argv[1])
sys.path[:] = told["path"]
package = types.ModuleType("connector")
package.__path__ = [told["package"]]
sys.modules["connector"] = package
from connector.files.reading.limits import Limits
from connector.files.reading.worker import main
main(socket.socket(fileno=0), Limits.from_json(told["limits"]))
"""
"""The package's own root is not run: it would bring the whole connector into every process that reads."""

_LIBRARIES: Final = (sys.base_prefix, sys.prefix)
"""Where Python's own modules and installed ones are. They come first: a program may have put a folder of its own before
them, and a file in it that is named like one of theirs would be run in its place.
"""

KEPT: Final = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Of the environment, where libraries are and how names are spelt. Nothing else: it holds secrets."""


class Died(Exception):
    """The process ended without an answer, or gave none that can be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class Reader:
    """One process. Asked one thing at a time."""

    def __init__(
        self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self.path = ""
        """What it was asked about last; it may still have it open."""
        self.asked = 0
        """How many times it was asked."""

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    async def ask(self, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Ask, and wait for the answer.

        Raises:
            Died: There is none.
        """
        self.path, self.asked = question["path"], self.asked + 1
        try:
            self._writer.write(framed(question))
            await self._writer.drain()
            text, body = LENGTHS.unpack(await self._reader.readexactly(LENGTHS.size))
            check(text, body)
            return said(await self._reader.readexactly(text)), await self._reader.readexactly(body)
        except (OSError, EOFError, Garbled):
            await self.aclose()
            is_out_of_time = self._process.returncode == -signal.SIGXCPU
            raise Died(Problem.STUCK if is_out_of_time else Problem.CRASHED) from None

    async def aclose(self) -> None:
        """Kill the process, if it lives, and wait until it is gone. Whatever it was doing is lost."""
        with anyio.CancelScope(shield=True):
            if not self._writer.transport.is_closing():
                self._writer.close()
            await anyio.to_thread.run_sync(_ended, self._process)


async def started(limits: Limits) -> Reader:
    """Start a process that reads.

    Raises:
        Died: It could not be started.
    """
    starting = asyncio.ensure_future(anyio.to_thread.run_sync(_started, limits))
    try:
        process, ours = await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_abandon)
        raise
    except OSError:
        raise Died(Problem.CRASHED) from None
    try:
        return Reader(process, *await asyncio.open_unix_connection(sock=ours))
    except BaseException:
        ours.close()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_ended, process)
        raise


def _started(limits: Limits) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    told = {"path": _search_path(), "package": str(PACKAGE), "limits": limits.as_json()}
    with theirs:
        try:
            process = subprocess.Popen(  # noqa: S603  our own interpreter, our own code
                [sys.executable, "-I", "-S", "-B", "-c", BOOT, json.dumps(told)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={name: os.environ[name] for name in KEPT if name in os.environ},
                start_new_session=True,  # Ctrl-C in a terminal is for the connector, which then ends this one
            )
        except OSError:
            ours.close()
            raise
    return process, ours


def _search_path() -> list[str]:
    """Where this process finds its packages, so that the other one finds the same ones."""
    places = [str(Path(each).absolute()) for each in sys.path if each]
    return sorted(places, key=lambda place: not place.startswith(_LIBRARIES))


def _abandon(starting: "asyncio.Future[tuple[subprocess.Popen[bytes], socket.socket]]") -> None:
    with suppress(OSError, asyncio.CancelledError):
        process, ours = starting.result()
        ours.close()
        _ended(process)


def _ended(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        if process.poll() is None:
            process.kill()
    process.wait()
