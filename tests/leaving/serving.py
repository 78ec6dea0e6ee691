"""Servers in processes of their own that can be told to leave."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.loopback import await_health

HERE = Path(__file__).parent
PROGRAM = str(Path(sys.executable).with_name("mcp-ballast"))

SERVERS = {
    "mcp-ballast serve": [PROGRAM, "serve", "slow.py"],
    "mcp-ballast serve --workers 2": [PROGRAM, "serve", "slow.py", "--workers", "2"],
    "uvicorn": [sys.executable, "-m", "uvicorn", "slow:app"],
}

ENDED = {0, -signal.SIGTERM, 128 + signal.SIGTERM}


@dataclass(frozen=True)
class Served:
    url: str
    process: subprocess.Popen[bytes]

    def leave(self) -> None:
        """Send SIGTERM and return when the process says that it is leaving."""
        self.process.send_signal(signal.SIGTERM)
        with httpx2.Client() as client:
            while client.get(f"{self.url}/ready").status_code != 503:
                time.sleep(0.01)


class Start:
    """Starts servers in processes of their own; all are killed when the test is over."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(self, kind: str, *, port: int | None = None) -> Served:
        """Start one, on a free port unless one is given."""
        if port is None:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                port = listener.getsockname()[1]
        command = [*SERVERS[kind], "--port", str(port)]
        env = {**os.environ, "PYTHONPATH": str(HERE)}
        process = self._stack.enter_context(subprocess.Popen(command, cwd=HERE, env=env, stderr=subprocess.DEVNULL))
        self._stack.callback(process.kill)
        await_health(f"http://127.0.0.1:{port}")
        return Served(f"http://127.0.0.1:{port}", process)
