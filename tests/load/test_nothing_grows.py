"""Nothing unbounded grows: not with sessions nobody ends, not with clients that go away in the middle."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.environment import uncovered
from tests.loopback import await_health
from tests.wire import call, headers, modern, post, request

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="what a process holds is read from /proc"
)


@pytest.fixture(scope="module")
def crowd() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, str(Path(__file__).with_name("crowd.py")), str(port)]
    with subprocess.Popen(command, env=uncovered(), stderr=subprocess.DEVNULL) as process:
        await_health(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
        process.kill()


def _held(url: str) -> dict[str, int]:
    return dict(post(url, call("held", {})).json()["result"]["structuredContent"])


def _raw(body: dict[str, Any], said: dict[str, str] | None = None) -> bytes:
    content = json.dumps(body).encode()
    lines = {"Host": "localhost", "Content-Length": str(len(content)), **(said or headers())}
    return "".join(["POST /mcp HTTP/1.1\r\n", *(f"{k}: {v}\r\n" for k, v in lines.items()), "\r\n"]).encode() + content


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))


async def _sessions(url: str, count: int) -> None:
    """Open sessions as ChatGPT did in spring 2026: a handshake per batch, a call, no DELETE."""
    offered = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "openai-mcp", "version": "1"},
    }
    told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    steps = [_raw(request("initialize", offered)), _raw(told), _raw(call("echo", {"text": "x"}))]
    reader, writer = await _connect(url)
    for _ in range(count):
        for step in steps:
            writer.write(step)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
    writer.close()


async def _disconnects(url: str, count: int) -> None:
    """Go away after the head, in the middle of the body, in the middle of the stream; in turn, many at once."""
    said, body = modern("tools/call", {"name": "wait"})
    whole = _raw(body, said)
    cuts = [whole[: whole.index(b"\r\n\r\n")], whole[:-20], whole]

    async def one(number: int) -> None:
        reader, writer = await _connect(url)
        cut = cuts[number % 3]
        writer.write(cut)
        await writer.drain()
        if cut is whole:
            await reader.readuntil(b"\r\n\r\n")
            await reader.read(1)  # a heartbeat of either kind: after so many cuts the answers are no longer streamed
        writer.transport.abort()

    for start in range(0, count, 500):
        await asyncio.gather(*(one(number) for number in range(start, start + 500)))


async def _settled(url: str, tasks: int) -> dict[str, int]:
    """What is held once the server has noticed that everybody is gone."""
    for _ in range(200):
        held = await asyncio.to_thread(_held, url)
        if held["tasks"] <= tasks:
            break
        await asyncio.sleep(0.05)
    return held


@pytest.mark.asyncio
@pytest.mark.timeout(240)
async def test_ten_thousand_abandoned_sessions_leave_nothing_behind(crowd: str) -> None:
    """CT-03, incidents L-01 and P-03: sessions were never evicted."""
    await asyncio.gather(*(_sessions(crowd, 100) for _ in range(10)))  # the first fill caches that are no session's
    before = await asyncio.to_thread(_held, crowd)
    await asyncio.gather(*(_sessions(crowd, 1000) for _ in range(10)))
    after = await _settled(crowd, before["tasks"])

    assert (after["resident_kb"] - before["resident_kb"]) / 10_000 < 0.5, "kB for each session"
    assert after["descriptors"] <= before["descriptors"] + 2
    assert after["tasks"] <= before["tasks"]


@pytest.mark.asyncio
async def test_sessions_that_are_opened_and_ended_leave_nothing_registered(crowd: str) -> None:
    """CT-03c, incident L-01: here nothing is registered in the first place, and DELETE says so."""
    before = await asyncio.to_thread(_held, crowd)
    await asyncio.to_thread(_open_and_end, crowd, 300)
    after = await _settled(crowd, before["tasks"])

    assert after["descriptors"] <= before["descriptors"] + 2
    assert after["tasks"] <= before["tasks"]


def _open_and_end(url: str, count: int) -> None:
    offered = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    with httpx2.Client() as client:
        for _ in range(count):
            assert client.post(f"{url}/mcp", json=request("initialize", offered), headers=headers()).is_success
            assert client.delete(f"{url}/mcp", headers={"Mcp-Session-Id": "made-up"}).status_code == 405


@pytest.mark.asyncio
@pytest.mark.timeout(240)
async def test_five_thousand_clients_that_go_away_leave_nothing_behind(crowd: str) -> None:
    """CT-31, incident T-11: a disconnect crashed the session, or the whole server."""
    idle = await asyncio.to_thread(_held, crowd)
    await _disconnects(crowd, 1000)
    before = await _settled(crowd, idle["tasks"])
    await _disconnects(crowd, 5000)
    after = await _settled(crowd, before["tasks"])

    assert (after["resident_kb"] - before["resident_kb"]) / 5_000 < 1, "kB for each disconnect"
    assert after["descriptors"] <= before["descriptors"] + 2
    assert after["tasks"] <= before["tasks"]
    assert post(crowd, call("echo", {"text": "still here"})).status_code == 200
