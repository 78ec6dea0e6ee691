"""SIGTERM: not ready, no new connections, calls in flight are delivered, streams end properly, and the process ends."""

import signal
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.leaving.serving import ENDED, SERVERS, Start
from tests.wire import call, headers, messages, modern, streaming

pytestmark = pytest.mark.timeout(150)
"""Processes with two workers take long to start where the machine is busy."""


def _calls(until: Path) -> dict[str, tuple[dict[str, str], dict[str, Any]]]:
    arguments = {"until": str(until)}
    return {
        "handshake, events": (headers(), call("look", arguments)),
        "handshake, JSON": (headers(accept="application/json"), call("look", arguments)),
        "envelope, events": modern("tools/call", {"name": "look", "arguments": arguments}),
        "a write": (headers(), call("change", arguments)),
    }


@pytest.mark.parametrize("kind", SERVERS)
def test_calls_in_flight_are_delivered_and_streams_end(start: Start, kind: str, tmp_path: Path) -> None:
    """Issue 3 item 6; the SDK alone cuts handshake calls and never exits with a listen stream open."""
    served, until = start(kind), tmp_path / "done"
    got: dict[str, bytes] = {}
    begun = threading.Barrier(len(_calls(until)) + 3, timeout=30)

    def read(name: str, said: dict[str, str], body: dict[str, Any]) -> None:
        with streaming(served.url, body, said) as (_, chunks):
            first = next(chunks)
            begun.wait()
            got[name] = first + b"".join(chunks)

    def hold_idle_stream() -> None:
        with httpx2.stream("GET", f"{served.url}/mcp", headers={"Accept": "text/event-stream"}, timeout=30) as reply:
            chunks = reply.iter_raw()
            first = next(chunks)
            begun.wait()
            got["idle"] = first + b"".join(chunks)

    listen = modern("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, id_="l")
    threads = [threading.Thread(target=read, args=(name, *each)) for name, each in _calls(until).items()]
    threads += [threading.Thread(target=read, args=("listen", *listen)), threading.Thread(target=hold_idle_stream)]
    for thread in threads:
        thread.start()
    begun.wait()
    served.leave()
    for thread in threads[-2:]:
        thread.join(30)
    assert sorted(got) == ["idle", "listen"], "streams end at once, calls do not"
    until.touch()
    for thread in threads:
        thread.join(30)

    assert served.process.wait(30) in ENDED
    assert b'"looked"' in got["handshake, JSON"]
    for name in ("handshake, events", "envelope, events", "a write"):
        assert messages(got[name])[-1]["result"]["structuredContent"] == {"result": "looked"}
    assert messages(got["listen"])[-1]["result"]["resultType"] == "complete"
    assert got["idle"].startswith(b": open\n\n")


def test_answers_ask_for_a_new_connection_while_leaving(start: Start, tmp_path: Path) -> None:
    """Ours: so that no balancer reuses a connection to a process that is about to be gone."""
    served = start("uvicorn")
    (tmp_path / "done").touch()
    with httpx2.Client() as client:
        body = call("look", {"until": str(tmp_path / "done")})
        before = client.post(f"{served.url}/mcp", json=body, headers=headers())
        served.leave()
        after = client.post(f"{served.url}/mcp", json=body, headers=headers())

    assert (before.status_code, after.status_code) == (200, 200)
    assert "connection" not in before.headers
    assert after.headers["connection"] == "close"


def test_a_call_that_outlasts_the_drain_is_told_why_it_ends(start: Start, tmp_path: Path) -> None:
    """Ours: a cut without a word is what people see as "Error in message stream"."""
    served = start("uvicorn")
    with streaming(served.url, call("change", {"until": str(tmp_path / "never")}, id_="w")) as (_, chunks):
        next(chunks)
        served.leave()
        (last,) = messages(b"".join(chunks))

    assert last["id"] == "w"
    assert last["error"]["code"] == 19_503
    assert "being restarted" in last["error"]["message"]
    assert served.process.wait(30) in ENDED


@pytest.mark.parametrize("kind", SERVERS)
def test_a_second_sigterm_ends_it_at_once(start: Start, kind: str, tmp_path: Path) -> None:
    """Issue 3 item 6."""
    served = start(kind)
    with streaming(served.url, call("change", {"until": str(tmp_path / "never")})) as (_, chunks):
        next(chunks)
        served.leave()
        served.process.send_signal(signal.SIGTERM)
        with pytest.raises(httpx2.RemoteProtocolError):  # cut, where the drain would have sent an answer
            b"".join(chunks)
    assert served.process.wait(30) in ENDED
