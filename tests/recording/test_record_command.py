"""`mcp-ballast record`: what people type, what they read, and what is on the disk when it ends, however it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from contract_tests import load_sessions
from tests.loopback import served
from tests.recording.recorded import Told, replayed, written
from tests.recording.traffic import EAGER, SECRETS, Archive, chatgpt
from tests.wire import headers, request

COMMAND = [sys.executable, "-c", "from contract_tests.cli import main; main()", "record"]


@contextmanager
def recording(*arguments: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as people run it, and the address it announces."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [*COMMAND, *arguments, "--port", "0"]
    process = subprocess.Popen(command, cwd=cwd, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/\S*(?= \(interrupt)", line)
        assert found, line + process.stderr.read()
        yield process, found[0]
    finally:
        process.kill()
        process.wait(20)
        process.stderr.close()


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_and_says_what_it_wrote(signal_: signal.Signals, tmp_path: Path) -> None:
    """Issue 6, item 5: everything is written, and the exit code is that of success."""
    with served(Archive(settings=EAGER).app()) as origin, recording(f"{origin}/mcp", cwd=tmp_path) as (process, url):
        assert chatgpt(url) == [200, 200, 200]
        process.send_signal(signal_)
        _, said = process.communicate(timeout=20)

    (file,) = (tmp_path / ".ballast" / "recordings").iterdir()
    assert process.returncode == 0
    assert said == f"written: .ballast/recordings/{file.name} (3 steps)\n"
    assert [secret for secret in SECRETS if secret in file.read_text()] == []
    assert [session.verdict.value for session in replayed(file, Archive(settings=EAGER)).sessions] == ["passed"]


def test_a_stream_that_is_open_at_the_end_is_written_as_cut(tmp_path: Path) -> None:
    """Issue 6, item 5: it ends with everything written."""
    told = Told()
    with (
        served(told) as origin,
        recording(f"{origin}/mcp", "--out", "here", cwd=tmp_path) as (process, url),
        httpx2.stream("POST", url, json=request("tools/list"), headers=headers(), timeout=20) as reply,
    ):
        told.go_on.release()
        assert next(reply.iter_raw())
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)

    assert process.returncode == 0
    assert said.startswith("written: here/")
    (session,) = load_sessions(tmp_path / "here", shipped=False)
    assert session.steps[0].expect.ending == ("complete", "cut")


def test_a_killed_recorder_loses_the_exchange_in_flight_at_most(tmp_path: Path) -> None:
    """Issue 6, item 5: append as you go, write atomically."""
    with served(Archive(settings=EAGER).app()) as origin, recording(f"{origin}/mcp", cwd=tmp_path) as (process, url):
        assert chatgpt(url) == [200, 200, 200]
        httpx2.get(url.removesuffix("/mcp") + "/elsewhere")
        process.kill()
        process.wait(20)

    sessions = load_sessions(tmp_path / ".ballast" / "recordings", shipped=False)
    assert sum(len(session.steps) for session in sessions) >= 3
    assert not list(tmp_path.rglob("*.part"))


def test_an_object_is_served_and_recorded(tmp_path: Path) -> None:
    """Ours: every target of `test` is one of `record`."""
    (tmp_path / "mine.py").write_text("from tests.recording.traffic import Archive\napp = Archive()\n")
    repository = Path(__file__).parents[2]
    (tmp_path / "tests").symlink_to(repository / "tests")
    with recording("mine.py:app", "--allow-arguments", "search", cwd=tmp_path) as (process, url):
        assert chatgpt(url) == [200, 200, 200]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)

    assert "Quenneville" in written(tmp_path / ".ballast" / "recordings")


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    """Ours: bad input."""
    with served(Told()) as origin:
        port = origin.rpartition(":")[2]
        done = subprocess.run(
            [*COMMAND, f"{origin}/mcp", "--port", port], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    assert done.returncode == 2
    assert done.stderr == (
        f"Error: 127.0.0.1:{port} cannot be listened on: Address already in use. Choose another --port.\n"
    )


def har(*entries: dict[str, object]) -> str:
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": list(entries)}})


def test_a_har_file_becomes_sessions(tmp_path: Path) -> None:
    """Issue 6, item 5: HAR import, of one server of several."""
    body = json.dumps(request("tools/list", {}))
    mine = {
        "startedDateTime": "2026-11-20T08:00:00.000Z",
        "time": 12.5,
        "request": {
            "method": "POST",
            "url": "https://mcp.example.com/mcp",
            "headers": [{"name": "User-Agent", "value": "openai-mcp/1.0.0"}],
            "postData": {"mimeType": "application/json", "text": body},
        },
        "response": {
            "status": 200,
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"size": -1, "text": '{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}'},
        },
        "timings": {"send": -1, "wait": 10, "receive": 2},
    }
    other = {**mine, "request": {**mine["request"], "url": "https://elsewhere.example.com/x"}}  # type: ignore[dict-item]
    (tmp_path / "a.har").write_text(har(mine, other))
    command = [*COMMAND, "--har", "a.har", "--out", "out"]
    unclear = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    command = [*COMMAND, "https://mcp.example.com/mcp", "--har", "a.har", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert unclear.returncode == 2
    assert unclear.stderr == (
        "Error: a.har holds exchanges with 2 servers (https://mcp.example.com, https://elsewhere.example.com). "
        "Name one of them as TARGET.\n"
    )
    assert (done.returncode, done.stderr) == (0, "written: out/chatgpt-2026-11-20-080000-1.yaml (1 step)\n")
    (session,) = load_sessions(tmp_path / "out", shipped=False)
    assert (session.seen.isoformat(), session.expires.isoformat()) == ("2026-11-20", "2027-02-18")
