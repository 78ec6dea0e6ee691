"""`mcp-ballast nightly`, run as a schedule runs it, against a connector that changes from night to night."""

import json
import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from contract_tests.cli import main
from contract_tests.nightly.settings import to_settings
from tests.chrome import chromium

pytestmark = pytest.mark.usefixtures("untraced")

GOOD = '''
from connector import Connector, tool

class Notes(Connector):
    """Notes."""
    name = "notes"

    @tool(read_only=True, open_world=False)
    def find(self, word: str = "tea") -> str:
        """Find a note."""
        return word

connector = Notes(store="memory:")
'''
BAD = (
    GOOD.replace("connector = ", "base = ")
    + """
app = base.app()

async def connector(scope, receive, send):
    async def twisted(message):
        if message["type"] == "http.response.start":
            lines = [(name, value) for name, value in message["headers"] if name != b"content-type"]
            message = {**message, "headers": [*lines, (b"content-type", b"text/plain")]}
        await send(message)
    await app(scope, receive, twisted)
"""
)
SESSIONS = ("create-noauth-legacy", "legacy-2025-06-18")
ONLY = f"only = {list(SESSIONS)}\n"
QUICK = 'stages = ["canary", "suite", "drift"]\nmutants = 0'


class Receiver(ThreadingHTTPServer):
    """Takes what is posted; answers with the statuses it was given, then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Posted)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.statuses: list[int] = []
        self.came: list[tuple[str, dict[str, str], bytes]] = []


class _Posted(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path in {"/v1/traces", "/v1/metrics"} or (self.path == "/v1/logs" and b"ballast.night" not in body):
            status = 200  # from the connector under test, which exports where the environment says
        else:
            self.server.came.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Schedule:
    """Nights of one connector in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.serve(GOOD)
        self.configure(QUICK)

    def serve(self, source: str) -> None:
        (self.folder / "notes.py").write_text(source)

    def configure(self, nightly: str, more: str = "") -> None:
        text = f'target = "notes.py"\n{ONLY}[nightly]\nfolder = "nights"\n{nightly}\n{more}\n'
        (self.folder / "ballast.toml").write_text(text)

    def night(self, date: str) -> Result:
        return CliRunner().invoke(main, ["nightly", "--date", date])

    def report(self, date: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "nights" / date / "night.json").read_text())
        return found


@pytest.fixture
def schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Schedule:
    monkeypatch.chdir(tmp_path)
    return Schedule(tmp_path)


WEBHOOKS = """
[nightly.alerts]
webhooks = [{ url = "${ALERTS}/hook/secret-1" }, { url = "${ALERTS}/slack", form = "slack", name = "team" }]
"""


@pytest.mark.timeout(300)
def test_a_night_is_told_once_and_the_next_ones_are_quiet(
    schedule: Schedule, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 7 item 6: one report with a trend, exit code, alerts with retry, quiet when nothing changed, and safe to
    run twice: who was told is left alone, who was not is tried again.
    """
    monkeypatch.setenv("ALERTS", receiver.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    schedule.configure(QUICK, WEBHOOKS)
    good = schedule.night("2026-11-18")
    assert (good.exit_code, receiver.came) == (0, []), good.output

    schedule.serve(BAD)
    receiver.statuses = [503, 429, 200, 404]
    bad = schedule.night("2026-11-19")
    assert bad.exit_code == 1, bad.output
    assert [path for path, _, _ in receiver.came] == ["/hook/secret-1"] * 3 + ["/slack", "/v1/logs"]
    assert len({headers["idempotency-key"] for _, headers, _ in receiver.came[:3]}) == 1
    assert {each["key"] for each in json.loads(receiver.came[2][2])["new"]} == set(SESSIONS)
    assert "2 new findings" in json.loads(receiver.came[3][2])["text"]
    events = ExportLogsServiceRequest.FromString(receiver.came[4][2]).resource_logs[0].scope_logs[0].log_records
    assert {event.event_name for event in events} == {"ballast.night.news", "ballast.night.finding"}
    assert schedule.report("2026-11-19")["told"] == {
        "127.0.0.1": "told", "team": "it answered 404", "opentelemetry": "told",
    }  # fmt: skip
    assert "secret-1" not in bad.output + (schedule.folder / "nights/2026-11-19/night.json").read_text()
    assert _looked_at(schedule.folder / "nights/2026-11-19/night.html") == ("2 findings", 2, 0, True)

    assert schedule.night("2026-11-19").exit_code == 1
    assert [path for path, _, _ in receiver.came[5:]] == ["/slack"]
    assert schedule.report("2026-11-19")["told"]["team"] == "told"

    after = schedule.night("2026-11-20")
    assert (after.exit_code, len(receiver.came)) == (1, 6)
    assert "nothing new" in after.output

    schedule.serve(GOOD)
    assert schedule.night("2026-11-21").exit_code == 0
    assert {each["key"] for each in json.loads(receiver.came[6][2])["over"]} == set(SESSIONS)


def _looked_at(page: Path) -> tuple[Any, ...]:
    """Its verdict, the nights of its trend, what it loads, and whether a phone shows it without scrolling aside."""
    with chromium() as tab:
        tab.open(page.as_uri())
        if folder := os.environ.get("BALLAST_PICTURES"):
            for scheme in ("light", "dark"):
                tab.prefer(scheme)
                Path(folder, f"night-{scheme}.png").write_bytes(tab.picture())
        return (
            tab.say("document.querySelector('h1').innerText"),
            tab.say("document.querySelectorAll('.trend li').length"),
            tab.say("performance.getEntriesByType('resource').length"),
            tab.say("document.documentElement.scrollWidth <= innerWidth"),
        )


@pytest.mark.timeout(300)
def test_a_stage_that_cannot_be_carried_out_hides_nothing(schedule: Schedule) -> None:
    """Issue 7 item 6: a broken canary does not hide the rest; a night goes on where it was."""
    schedule.configure(QUICK, '[canary.documents]\nkeys = "no address"')
    night = schedule.night("2026-11-19")
    stages = {stage["name"]: stage for stage in schedule.report("2026-11-19")["stages"]}

    assert night.exit_code == 2
    assert stages["canary"]["standing"] == "broken"
    assert "no address" in stages["canary"]["summary"]
    assert (stages["suite"]["standing"], stages["drift"]["standing"]) == ("holds", "not configured")

    (schedule.folder / "nights/2026-11-19/night.json").unlink()
    again = schedule.night("2026-11-19")
    assert "suite: finished before" in again.output
    assert "canary ..." in again.output


SLOW = """
import os, sys, time
from pathlib import Path
from connector import Connector, tool

class Notes(Connector):
    name = "notes"

    @tool(read_only=True)
    def find(self, word: str = "tea") -> str:
        time.sleep(600)

Path(f"served-{os.getpid()}").touch()
Notes(store="memory:").serve(port=int(sys.argv[1]))
"""


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at through /proc")
@pytest.mark.parametrize(
    ("limit", "code"), [("600", 143), ("10", 2)], ids=["the night is ended", "the stage takes too long"]
)
def test_what_ends_a_night_or_a_stage_ends_the_target_it_started(tmp_path: Path, limit: str, code: int) -> None:
    """Ours: a schedule that is out of time sends SIGTERM, and the next night needs the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "ballast.toml").write_text(
        f"""
[target]
url = "http://127.0.0.1:{port}/mcp"
command = ["{sys.executable}", "slow.py", "{port}"]
[nightly]
stages = ["suite"]
mutants = 0
limit = {limit}
"""
    )
    words = [sys.executable, "-c", "from contract_tests.cli import main; main()", "nightly"]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as night:
        while not any(tmp_path.glob("served-*")):
            assert night.poll() is None, night.communicate()
        pids = [int(file.name.rpartition("-")[2]) for file in tmp_path.glob("served-*")]
        assert all(map(lives, pids))
        if code == 143:
            night.terminate()
        said, complaint = night.communicate(timeout=50)

    assert night.returncode == code, (said, complaint)
    assert pids
    assert not any(map(lives, pids))


@pytest.mark.parametrize(
    ("nightly", "said"),
    [
        ("mutant = 1", "[nightly] has no 'mutant'"),
        ("nights = 0", "write a number above 0"),
        ('store = "memory:"', "needs both store and lock"),
        ('[nightly.alerts]\nwebhooks = [{ url = "${NOT_SET_ANYWHERE}" }]', "environment variable NOT_SET_ANYWHERE"),
        ('[nightly.alerts]\nwebhooks = [{ url = "chat.example" }]', "no address such as https://"),
        ('[nightly.alerts]\nwebhooks = [{ url = "https://a.example", form = "fax" }]', "write 'json' or 'slack'"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_said(schedule: Schedule, nightly: str, said: str) -> None:
    """Exit code 2 and what to write, before anything is asked."""
    schedule.configure(nightly)
    night = schedule.night("2026-11-19")

    assert night.exit_code == 2
    assert said in " ".join(night.output.split())


def test_a_folder_that_cannot_be_one_is_said(schedule: Schedule) -> None:
    """Ours: no traceback, and nothing is lost of the file that is there."""
    (schedule.folder / "nights").write_text("a file")
    night = schedule.night("2026-11-19")

    assert night.exit_code == 2
    assert "nights cannot be made: File exists. Name another folder in [nightly]" in " ".join(night.output.split())
    assert (schedule.folder / "nights").read_text() == "a file"


def test_the_configuration_of_the_document_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Done means: documents are true."""
    document = (Path(__file__).resolve().parents[2] / "docs" / "nightly.md").read_text(encoding="utf-8")
    block = document.partition("```toml\n")[2].partition("```")[0]
    for name in ("BALLAST_STORE", "ALERTS_URL", "SLACK_URL"):
        monkeypatch.setenv(name, "https://alerts.example.com/secret")
    settings = to_settings(tomllib.loads(block)["nightly"])

    assert [(webhook.name, webhook.form) for webhook in settings.webhooks] == [
        ("alerts.example.com", "json"), ("team", "slack"),
    ]  # fmt: skip
    assert (settings.nights, settings.limit, settings.mutants) == (60, 1800.0, 400)
    assert "secret" not in repr(settings)
