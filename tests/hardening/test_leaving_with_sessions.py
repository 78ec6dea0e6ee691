"""SIGTERM with calls and streams open in sessions."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from tests.hardening.scripts import BEAT
from tests.loopback import await_health
from tests.wire import call, headers, messages, post, request, streaming

BEATS_PAST_THE_CUT = 60
"""Of 40 to 50 ms: longer than sse_starlette takes (0.5 s) to see that the server was told to end."""


@pytest.fixture(params=["app", "hardened"])
def shop(request: pytest.FixtureRequest) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    command = [sys.executable, "-m", "uvicorn", f"tests.hardening.leaving_shop:{request.param}", "--port", port]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL) as process:
        try:
            await_health(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


def test_a_call_in_a_session_is_delivered_and_its_stream_ends(
    shop: tuple[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """Issue 3 item 6; the SDK's streams alone are cut within a second of SIGTERM, without a result."""
    url, process = shop
    done = tmp_path / "done"
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    lines = headers(Mcp_Session_Id=post(url, request("initialize", params)).headers["mcp-session-id"])
    post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, lines)
    listening, got = threading.Event(), list[bytes]()

    def listen() -> None:
        with httpx2.stream("GET", f"{url}/mcp", headers=lines, timeout=30) as reply:
            for chunk in reply.iter_raw():
                got.append(chunk)
                listening.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert listening.wait(10)
    with streaming(url, call("change", {"until": str(done)}), lines) as (_, chunks):
        next(chunks)
        process.send_signal(signal.SIGTERM)
        listener.join(20)
        assert not listener.is_alive()
        with suppress(httpx2.ConnectError):
            while True:  # until it no longer listens
                httpx2.get(f"{url}/ready")
        beats = [next(chunks) for _ in range(BEATS_PAST_THE_CUT)]
        done.touch()
        stream = b"".join(chunks)

    assert set(beats) == {BEAT}
    assert messages(stream)[-1]["result"]["structuredContent"] == {"result": "changed"}
    assert b"".join(got).replace(BEAT, b"") == b""
    assert process.wait(20) in {0, -signal.SIGTERM}
