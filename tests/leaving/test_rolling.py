"""A rolling restart of two workers behind HAProxy, under load, loses no call."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.leaving.serving import ENDED, Start
from tests.loopback import await_health
from tests.proxies.processes import Program, free_ports, installed, running
from tests.wire import call, headers, messages

BALANCER = """global
  maxconn 512
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout check 5s
  retries 3
  option redispatch
frontend all
  bind 127.0.0.1:{port}
  default_backend workers
backend workers
  option httpchk GET /ready
  http-check expect status 200
  default-server inter 100ms fall 1 rise 1
  server one 127.0.0.1:{one} check
  server two 127.0.0.1:{two} check
"""


@contextmanager
def _balancer(one: int, two: int, folder: Path) -> Iterator[str]:
    binary, (port,) = installed("haproxy"), free_ports(1)
    file = folder / "haproxy.cfg"
    file.write_text(BALANCER.format(port=port, one=one, two=two))
    with running(lambda: [Program(command=[binary, "-db", "-f", str(file)], ports=[port])], folder):
        await_health(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"


class Load:
    """Callers that call one after the other until told to stop, and keep what went wrong."""

    def __init__(self, url: str, until: Path) -> None:
        self._url = url
        self._body = call("look", {"until": str(until)})
        self._stop = threading.Event()
        self.answered = 0
        self.lost: list[Any] = []
        self._threads = [threading.Thread(target=self._call) for _ in range(8)]
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        with httpx2.Client(timeout=30) as client:
            while not self._stop.is_set():
                try:
                    reply = client.post(f"{self._url}/mcp", json=self._body, headers=headers())
                    is_json = reply.headers["content-type"] == "application/json"
                    message = reply.json() if is_json else messages(reply.content)[-1]
                    assert message["result"]["structuredContent"] == {"result": "looked"}
                    self.answered += 1  # between two threads one may get lost, which only makes the count smaller
                except (httpx2.TransportError, AssertionError, KeyError, ValueError, IndexError) as trouble:
                    self.lost.append(trouble)

    def goes_on(self, count: int = 50) -> None:
        """Return when `count` further calls were answered, or something was lost."""
        target = self.answered + count
        while self.answered < target and not self.lost:
            threading.Event().wait(0.02)

    def stop(self) -> None:
        """Let every caller finish its call."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)


@pytest.mark.timeout(120)
def test_a_rolling_restart_behind_haproxy_loses_no_call(start: Start, tmp_path: Path) -> None:
    """Issue 3 item 6: one worker after the other is replaced, as a deploy does it."""
    (tmp_path / "done").touch()
    workers = [start("mcp-ballast serve"), start("uvicorn")]
    ports = [int(worker.url.rpartition(":")[2]) for worker in workers]
    with _balancer(ports[0], ports[1], tmp_path) as url:
        load = Load(url, tmp_path / "done")
        for worker, port in zip(workers, ports, strict=True):
            load.goes_on()
            worker.leave()
            assert worker.process.wait(30) in ENDED
            load.goes_on()
            start("mcp-ballast serve", port=port)
        load.goes_on()
        load.stop()

    assert load.lost == []
    assert load.answered > 250
