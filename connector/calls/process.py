"""A program run for a call: it ends with the call, and knows how long it has.

Knows asyncio and POSIX process groups. What the program does is its own affair.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from opentelemetry.propagate import inject

DEADLINE: Final = "BALLAST_DEADLINE"
"""When the program is stopped, in seconds since 1970: in its environment, for programs that can hurry."""


async def run_process(
    *command: str,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
    remaining: float | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end. It is killed, with whatever it started, when the caller is cancelled.

    `given` is its standard input. The environment is ours, `environment`, the deadline and the trace.

    Raises:
        OSError: It cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **_told(remaining), **(environment or {})},
        start_new_session=True,
    )
    try:
        out, err = await process.communicate(given)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    return subprocess.CompletedProcess(command, process.returncode or 0, out, err)


def _told(remaining: float | None) -> dict[str, str]:
    """The deadline, and the trace as OpenTelemetry hands it to programs (TRACEPARENT, TRACESTATE)."""
    trace: dict[str, str] = {}
    inject(trace)
    said = {name.upper(): value for name, value in trace.items()}
    return said if remaining is None else {**said, DEADLINE: f"{time.time() + remaining:.3f}"}
