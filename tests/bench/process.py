"""A server under test as a process: started on its CPU, asked what it used, stopped.

Decides how CPU time and memory are read (/proc; where there is none, there is no figure). Knows nothing about
what the process serves.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

SERVER_CPU = 0
LOAD_CPU = 1

_ROOT = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 15


class Server:
    """A running contender. Several may be starting at once; only `port` waits for one to be ready."""

    def __init__(self, process: subprocess.Popen[str], kind: str) -> None:
        self._process = process
        self._kind = kind

    @cached_property
    def port(self) -> int:
        """The loopback port it listens on.

        Raises:
            RuntimeError: the server ended before it said its port; its words are on stderr.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line.isdigit():
            raise RuntimeError(f"the {self._kind} server did not start (said {line!r}); its error is on stderr")
        return int(line)

    def cpu_seconds(self) -> float | None:
        """Return user and system time of all threads so far, or None where /proc is missing."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        if not stat.exists():
            return None
        # The command name may contain spaces; the fixed fields start after its closing parenthesis.
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int | None:
        """Return the resident set size, or None where /proc is missing."""
        statm = Path(f"/proc/{self._process.pid}/statm")
        if not statm.exists():
            return None
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def pin_load_generator() -> str:
    """Move this process to its own CPU; return in words who runs where."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        return "not pinned"
    os.sched_setaffinity(0, {LOAD_CPU})
    return f"server on CPU {SERVER_CPU}, load generator on CPU {LOAD_CPU}"


@contextmanager
def serving(kind: str, mode: str, *, fast: bool = False, profile: bool = False) -> Iterator[Server]:
    """Start contender `kind` in `mode` in a folder of its own, and stop it at the end."""
    command = [sys.executable, "-m", "tests.bench.servers", kind, mode, "--cpu", str(SERVER_CPU)]
    with TemporaryDirectory(prefix="ballast-bench-") as folder:
        process = subprocess.Popen(
            [*command, *(["--fast"] if fast else []), *(["--profile"] if profile else [])],
            cwd=folder,
            env=_environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Server(process, kind)
        finally:
            _stop(process, show=profile)


def _environment() -> dict[str, str]:
    # Nothing of the caller's tracing or settings may favour or burden one contender.
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "BALLAST_", "FASTMCP_"))}
    return kept | {"PYTHONPATH": str(_ROOT)}


def _stop(process: subprocess.Popen[str], *, show: bool) -> None:
    process.send_signal(signal.SIGINT)
    try:
        output, _ = process.communicate(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    if show:
        sys.stdout.write(output)
