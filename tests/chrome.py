"""A headless Chromium that a test drives: open a page, fill in fields, press a button, take a picture."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""A browser without a window, that calls nobody on its own account."""

_DRIVEN = ("--remote-debugging-port=0", "--window-size=760,900")

_KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), "Space": (32, " ")}
_DESK = 600

PATIENCE = 30.0


class Tab:
    """The one tab of a browser, over the DevTools protocol."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._ids = count(1)

    def open(self, url: str) -> None:
        """Load a page; returns when its elements are there."""
        self._ask("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def wait_for(self, condition: str) -> None:
        """Ask the page until it says yes."""
        until = time.monotonic() + PATIENCE
        while self.say(condition) is not True:
            assert time.monotonic() < until, f"{condition} did not come true at {self.say('location.href')}"
            time.sleep(0.05)

    def say(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return self._ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def fill(self, selector: str, text: str) -> None:
        """Type into a field, as a keyboard would."""
        self.say(f"document.querySelector({json.dumps(selector)}).focus()")
        self._ask("Input.insertText", text=text)

    def press_enter(self) -> None:
        """Submit the form from the keyboard."""
        self.press("Enter")

    def press(self, key: str) -> None:
        """Press one of the keys that pages are read with: Tab, Enter or Space."""
        code, text = _KEYS[key]
        words = {"key": " " if key == "Space" else key, "code": key, "windowsVirtualKeyCode": code, "text": text}
        self._ask("Input.dispatchKeyEvent", type="keyDown", **words)
        self._ask("Input.dispatchKeyEvent", type="keyUp", **words)

    def resize(self, width: int, height: int) -> None:
        """Be as large as a telephone, or as a desk's screen."""
        self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < _DESK
        )

    def picture(self) -> bytes:
        """What is seen, as PNG."""
        return b64decode(self._ask("Page.captureScreenshot", format="png")["data"])

    def prefer(self, scheme: str) -> None:
        """Like light or dark pages."""
        self._ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._line.send(json.dumps({"id": number, "method": method, "params": params}))
        while (message := json.loads(self._line.recv(timeout=PATIENCE))).get("id") != number:
            pass
        assert "error" not in message, message
        answer: dict[str, Any] = message["result"]
        return answer


def installed() -> str:
    """The browser's program. Without one the test is skipped, or fails where CI=true."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        assert os.environ.get("CI") != "true", f"none of {', '.join(NAMES)} is installed, and CI must not go without"
        pytest.skip(f"none of {', '.join(NAMES)} is installed")
    return program


@contextmanager
def chromium() -> Iterator[Tab]:
    """A browser with a fresh profile, closed for certain."""
    program = installed()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        words = [program, *FLAGS, *_DRIVEN, f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            try:
                port = _port(Path(profile) / "DevToolsActivePort")
                tabs = httpx2.get(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE).json()
                page = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
                with connect(page, max_size=None) as line:
                    yield Tab(line)
            finally:
                process.kill()


def _port(file: Path) -> int:
    until = time.monotonic() + PATIENCE
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < until, "Chromium did not start"
        time.sleep(0.05)
    return int(file.read_text().splitlines()[0])
