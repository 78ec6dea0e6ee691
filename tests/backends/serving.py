"""The backends as they run for a check: on free ports, with their data in a folder that goes away."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2

from tests.telemetry.told_process import free_port

STARTS_WITHIN = 240.0
"""Seconds. Phoenix makes its database first: 60 s on a quiet machine."""


class Failed(Exception):
    """A backend does not start, or does not have what it was sent."""


@contextmanager
def phoenix(command: Path, folder: Path) -> Iterator[str]:
    """Arize Phoenix. Its gRPC port is open on all interfaces, whatever it is told; for a check, not for a server."""
    port = free_port()
    environ = {
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    url = f"http://127.0.0.1:{port}"
    with _running([str(command), "serve"], folder / "phoenix.log", environ, url=f"{url}/healthz"):
        yield url


@contextmanager
def victoria_metrics(command: Path, folder: Path) -> Iterator[str]:
    """VictoriaMetrics, with names as Prometheus has them."""
    port = free_port()
    words = [
        str(command),
        f"-storageDataPath={folder}/data",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-opentelemetry.usePrometheusNaming",
        "-search.latencyOffset=0s",
        "-retentionPeriod=1d",
    ]
    url = f"http://127.0.0.1:{port}"
    with _running(words, folder / "victoria-metrics.log", {}, url=f"{url}/health"):
        yield url


def get(url: str, **params: str) -> Any:
    """The JSON that a backend answers.

    Raises:
        Failed: It answers something else.
    """
    reply = httpx2.get(url, params=params, timeout=30)
    if not reply.is_success:
        raise Failed(f"GET {url} {params or ''}: HTTP {reply.status_code}: {reply.text[:300]}")
    return reply.json()


def until(look: Callable[[], Any], what: str, *, within: float = 90.0) -> Any:
    """What `look` finds, as soon as it is something.

    Raises:
        Failed: It finds nothing in time.
    """
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        if found := look():
            return found
        time.sleep(0.5)
    raise Failed(f"{what}: nothing within {within:g} s")


@contextmanager
def _running(words: list[str], log: Path, environ: Mapping[str, str], *, url: str) -> Iterator[None]:
    with (
        log.open("wb") as out,
        subprocess.Popen(words, env={**os.environ, **environ}, stdout=out, stderr=out, cwd=log.parent) as process,
    ):
        try:
            until(lambda: _is_up(url, process, log), f"{words[0]} to start", within=STARTS_WITHIN)
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _is_up(url: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    if process.poll() is not None:
        raise Failed(f"{url} has ended with {process.returncode}: {log.read_text()[-600:]}")
    with suppress(httpx2.TransportError):
        return httpx2.get(url, timeout=5).is_success
    return False
