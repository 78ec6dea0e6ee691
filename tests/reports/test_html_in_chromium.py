"""The HTML page as a browser shows it: headless Chromium, from a file, with no way out but loopback."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from contract_tests.outcome import Received, Run
from contract_tests.report.html import page
from tests.chrome import FLAGS, installed

DUMPING = (
    *FLAGS,
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--enable-logging=stderr",
    "--dump-dom",
)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What the browser made of a page, and what it had to say about it."""

    document: str
    console: tuple[str, ...]


class Bait(BaseHTTPRequestHandler):
    """Answers whoever comes by, and lets the server remember it."""

    def do_GET(self) -> None:
        self.server.callers.append(self.path)  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the callers are looked at by the test."""


class Browser:
    """Opens pages, each with a fresh profile. `bait` is a loopback address that remembers who asked for it."""

    def __init__(self, program: str, folder: Path, server: ThreadingHTTPServer) -> None:
        self._program = program
        self._folder = folder
        self.bait = f"http://127.0.0.1:{server.server_port}/bait"
        self.callers: list[str] = []
        server.callers = self.callers  # type: ignore[attr-defined]

    def visit(self, text: str) -> Visit:
        return self.open(self.save("run.html", text))

    def save(self, name: str, text: str) -> Path:
        (self._folder / name).write_text(text, encoding="utf-8")
        return self._folder / name

    def open(self, file: Path) -> Visit:
        profile = f"--user-data-dir={self._folder / 'profile'}"
        browser = subprocess.Popen(
            [self._program, *DUMPING, profile, file.as_uri()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            document, log = browser.communicate(timeout=45)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(browser.pid, signal.SIGKILL)
        console = re.findall(r'CONSOLE:\d+\] (".*")', log.decode(errors="replace"))
        return Visit(document=document.decode(), console=tuple(console))


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    program = installed()
    with ThreadingHTTPServer(("127.0.0.1", 0), Bait) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Browser(program, tmp_path, server)
        finally:
            server.shutdown()
            thread.join()


def test_the_page_is_read_without_a_complaint_and_without_a_request(
    browser: Browser, run: Run, hostile: Received
) -> None:
    """Issue 2: self-contained. What a target says asks for pictures and scripts, and gets none."""
    asking = f'</pre><img src="{browser.bait}"><script src="{browser.bait}"></script><style>@import "{browser.bait}";'
    session = run.sessions[3]
    step = replace(session.steps[1], received=replace(hostile, body=asking + hostile.body))
    run = replace(run, target=asking, sessions=(*run.sessions[:3], replace(session, steps=(step,)), run.sessions[4]))

    visit = browser.visit(page(run))

    assert "1 session breaks</h1>" in visit.document
    assert "Answer initialize at the connector's own path" in visit.document
    assert "SELECT pages" in visit.document
    assert '<button type="button">Open everything</button>' in visit.document
    assert visit.console == ()
    assert browser.callers == []


def test_the_browser_would_notice_a_complaint_and_a_request(browser: Browser, run: Run) -> None:
    """Ours: the test above can fail."""
    bad = f'<script>console.error("alas")</script><img src="{browser.bait}"></head>'

    guarded = browser.visit(page(run).replace("</head>", bad))
    assert len(guarded.console) == 2
    assert all("violates the following Content Security Policy" in line for line in guarded.console)
    assert browser.callers == []

    naked = browser.visit(POLICY.sub("", page(run)).replace("</head>", bad))
    assert naked.console == ('"alas"',)
    assert browser.callers == ["/bait"]


@pytest.mark.parametrize("width", [390, 1280])
def test_no_screen_scrolls_sideways(browser: Browser, run: Run, hostile: Received, width: int) -> None:
    """WCAG 2.2, 1.4.10 (reflow), with everything unfolded and a word of a million letters."""
    session = run.sessions[3]
    step = replace(session.steps[1], received=hostile, name="n" * 300)
    run = replace(run, target="t" * 300, sessions=(*run.sessions[:3], replace(session, title="s" * 300, steps=(step,))))
    measure = """<script>addEventListener("load", () => {
        document.querySelectorAll("details").forEach((one) => (one.open = true));
        const root = document.documentElement;
        parent.postMessage(`${root.clientWidth} wide, scrolls to ${root.scrollWidth}`, "*");
    })</script></head>"""
    # A window of Chromium has a least width, a frame has none.
    frame = f"""<!doctype html><script>onmessage = (said) => (document.title = said.data)</script>
        <iframe src="run.html" style="width: {width}px; height: 900px; border: 0"></iframe>"""
    browser.save("run.html", POLICY.sub("", page(run)).replace("</head>", measure))

    visit = browser.open(browser.save("frame.html", frame))

    wide, reach = re.findall(r"<title>(\d+) wide, scrolls to (\d+)</title>", visit.document)[0]
    assert width - 20 <= int(wide) <= width
    assert int(reach) == int(wide)
