"""`make demo`: ChatGPT's sessions against `examples/pydocs.py` in a process of its own, its traces, one HTML report.

Shows how the pieces are used from Python: a collector for the target's spans, a target by its address, a run, a page.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import anyio
import httpx2

from contract_tests import Options, Run, choose, load_sessions, open_target, play_sessions
from contract_tests.collector import Collector
from contract_tests.play import with_spans
from contract_tests.report.html import write_html
from contract_tests.report.terminal import Progress

CONNECTOR = Path(__file__).with_name("pydocs.py")
REPORT = Path(".ballast/demo.html")
INDEXED_WITHIN = 60.0  # seconds; the first start reads the sources of the whole standard library


def main() -> int:
    """Run the demo; 0 if every checked session holds."""
    with Collector() as collector, served(CONNECTOR, collector.endpoint) as url:
        run = anyio.run(replay, url, collector)
    REPORT.parent.mkdir(exist_ok=True)
    write_html(run, REPORT)
    sys.stdout.write(f"\nreport: {REPORT.resolve()}\n")
    return run.exit_code


async def replay(url: str, collector: Collector) -> Run:
    """Play every ChatGPT session at the pace ChatGPT has, and fetch the spans the connector exported meanwhile."""
    sessions = choose(load_sessions(), (), "chatgpt")
    with Progress() as progress, open_target(url) as target:
        run = await play_sessions(sessions, target, options=Options(is_traced=True), listener=progress)
        traced = [step.trace_id for session in run.sessions for step in session.steps if step.trace_id]
        await collector.wait_for(traced[-1])
        run = with_spans(run, collector.spans_of)
        progress.run_ended(run)
    return run


@contextmanager
def served(connector: Path, collector: str) -> Iterator[str]:
    """Serve a connector as `mcp-ballast serve` does, its traces going to `collector`; yields the endpoint's URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    program = str(Path(sys.executable).with_name("mcp-ballast"))
    env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    command = [program, "serve", str(connector), "--port", str(port)]
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.terminate()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return as soon as `url` answers.

    Raises:
        RuntimeError: The process ended, or nothing answered within `INDEXED_WITHIN` seconds.
    """
    ends = time.monotonic() + INDEXED_WITHIN
    while time.monotonic() < ends and process.poll() is None:
        with suppress(httpx2.TransportError):
            if httpx2.get(url).is_success:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{CONNECTOR.name} did not start: run `mcp-ballast serve {CONNECTOR}` to see why")


if __name__ == "__main__":
    sys.exit(main())
