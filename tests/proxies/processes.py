"""Programs in processes of their own, on free loopback ports, stopped for certain.

Decides how programs are started, waited for and ended. Knows neither proxies nor MCP.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.environment import uncovered

ROOT: Final = Path(__file__).resolve().parents[2]

_PACKAGES: Final = {"apache2": "apache2-bin", "varnishd": "varnish"}
"""Programs whose package has another name."""

_LONGEST_START: Final = 60.0
_LONGEST_STOP: Final = 10.0
_ATTEMPTS: Final = 3


class DidNotStart(Exception):
    """A program ended, or its ports did not open in time; the text is the end of what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command, and the loopback ports it opens when it is ready."""

    command: Sequence[str]
    ports: Sequence[int]
    environment: Mapping[str, str] = field(default_factory=dict)


def found(name: str) -> str | None:
    """Where a server program is, if it is installed; they live where the PATH of a person does not lead."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")


def installed(name: str) -> str:
    """Where a server program is. Without it the test is skipped, on CI it fails."""
    place = found(name)
    if place is not None:
        return place
    reason = f"{name} is not installed: apt-get install {_PACKAGES.get(name, name)}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_ports(count: int) -> list[int]:
    """Ports that are free now, all different: the sockets are held until the last one is found."""
    with ExitStack() as held:
        listeners = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in listeners]


def python_module(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this repository in this interpreter."""
    return [sys.executable, "-m", module, *arguments]


@contextmanager
def running(programs: Callable[[], Sequence[Program]], folder: Path) -> Iterator[Sequence[Program]]:
    """Run programs until the block ends; it begins when every port of every one accepts a connection.

    `programs` is asked again, for other ports, when one of them was taken between being found and being opened.

    Raises:
        DidNotStart: One ended early or never listened.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        with ExitStack() as stack:
            wanted = programs()
            try:
                _start(wanted, folder, stack)
            except DidNotStart:
                if attempt == _ATTEMPTS:
                    raise
                continue
            yield wanted
            return


def _start(programs: Sequence[Program], folder: Path, stack: ExitStack) -> None:
    processes: list[subprocess.Popen[bytes]] = []
    stack.callback(_stop, processes)
    logs = [folder / f"{Path(program.command[0]).name}-{program.ports[0]}.log" for program in programs]
    for program, log in zip(programs, logs, strict=True):
        with log.open("wb") as said:
            processes.append(
                subprocess.Popen(
                    program.command,
                    cwd=folder,
                    env={**uncovered(), "PYTHONPATH": str(ROOT), **program.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    start_new_session=True,  # so that the workers of a killed master can be killed with it
                )
            )
    for program, log, process in zip(programs, logs, processes, strict=True):
        _await(process, program.ports, log)


def _await(process: subprocess.Popen[bytes], ports: Sequence[int], log: Path) -> None:
    ends = time.monotonic() + _LONGEST_START
    for port in ports:
        while not _accepts(port) and process.poll() is None and time.monotonic() < ends:
            time.sleep(0.05)
    if process.poll() is not None or time.monotonic() > ends:
        raise DidNotStart(log.read_text(errors="replace")[-2000:])


def _accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    ends = time.monotonic() + _LONGEST_STOP
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, ends - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
