"""What telemetry costs a call: `python -m tests.telemetry.overhead`, CPU time of the whole process for each call.

The app is called without sockets, so that only its own work counts; exports go to a receiver in another process. CPU
time of the best of several interleaved rounds is little disturbed by what else a machine does.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

from connector import Connector, tool
from tests.telemetry.heard import Heard
from tests.wire import call, headers

CALLS: Final = 1500
ROUNDS: Final = 3

SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "nothing exported": {"OTEL_SDK_DISABLED": "true"},
    "metrics": {"OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"},
    "traces": {"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"},
    "traces, one of ten kept": {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
    "traces, metrics and logs": {},
}


class Echo(Connector):
    """Returns what it is given."""

    name = "echo"

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Return the text."""
        return text


async def _measure() -> float:
    """Microseconds of CPU time for one call."""
    echo = Echo(store="memory:")
    app, body = echo.app(), json.dumps(call("echo", {"text": "x"})).encode()
    lines = [(name.lower().encode(), value.encode()) for name, value in headers(Host="127.0.0.1").items()]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/mcp",
        "query_string": b"",
        "scheme": "http",
    }

    async def ask() -> None:
        unread = [body]

        async def receive() -> Any:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return await asyncio.Event().wait()

        async def send(message: Any) -> None:
            assert message.get("status", 200) == 200

        await app({**scope, "headers": list(lines), "client": ("127.0.0.1", 1)}, receive, send)

    async with echo.running():
        for _ in range(CALLS // 4):
            await ask()
        began = time.process_time()
        for _ in range(CALLS):
            await ask()
        return (time.process_time() - began) / CALLS * 1e6


def _in_a_process(environ: Mapping[str, str], endpoint: str) -> float:
    env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **environ}
    words = [sys.executable, "-m", "tests.telemetry.overhead", "measure"]
    return float(subprocess.run(words, env=env, stdout=subprocess.PIPE, check=True).stdout)


def main() -> None:
    """Print the table."""
    figures: dict[str, list[float]] = {name: [] for name in SETTINGS}
    with Heard() as heard:
        for _ in range(ROUNDS):
            for name, environ in SETTINGS.items():
                figures[name].append(_in_a_process(environ, heard.endpoint))
    for name, each in figures.items():
        sys.stdout.write(f"| {name} | {min(each):.0f} us |\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        sys.stdout.write(str(asyncio.run(_measure())))
    else:
        main()
