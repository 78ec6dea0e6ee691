"""Starts `told.py` in a process of its own, with the environment that says where its telemetry goes."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.loopback import await_health

TOLD = Path(__file__).with_name("told.py")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def told(
    endpoint: str, *words: str, script: Path = TOLD, environ: Mapping[str, str] | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The URL of a connector that tells `endpoint` everything soon, and its process."""
    port = free_port()
    soon = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_METRIC_EXPORT_INTERVAL": "200", "OTEL_BLRP_SCHEDULE_DELAY": "50"}
    env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **soon, **(environ or {})}
    with subprocess.Popen([sys.executable, script, str(port), *words], env=env, stderr=subprocess.DEVNULL) as process:
        try:
            await_health(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()
