"""An expired or only inferred session says so wherever a run is reported: played for real, written by the command."""

import html
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from contract_tests import load_sessions
from contract_tests.cli import main
from tests.replay.replaying import write

SERVER = """
from tests.replay.servers import Tolerant

app = Tolerant()
"""
STEP = {"name": "get", "send": {"method": "GET"}, "expect": {"status": [405]}}


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    """One session that is both, played against a server that it holds for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "server.py").write_text(SERVER)
    write(tmp_path, steps=[STEP], provenance="inferred", seen="2025-01-01", expires="2025-06-30")
    options = ["--sessions", "mine.yaml", "--only", "mine", "--json", "run.json", "--junit", "run.xml"]
    return CliRunner().invoke(main, ["test", "server.py", *options, "--html", "run.html"])


def test_the_terminal_says_so(done: Result) -> None:
    """Issue 6, item 1."""
    assert done.exit_code == 0, done.output
    assert re.search(r"^holds +mine .*\[only inferred, expired 2025-06-30\]$", done.stdout, re.MULTILINE)


def test_json_says_so(done: Result, tmp_path: Path) -> None:
    """Issue 6, item 1."""
    assert done.exit_code == 0
    (session,) = json.loads((tmp_path / "run.json").read_text())["sessions"]
    assert (session["provenance"], session["expires"], session["is_expired"]) == ("inferred", "2025-06-30", True)


def test_junit_says_so(done: Result, tmp_path: Path) -> None:
    """Issue 6, item 1."""
    assert done.exit_code == 0
    found = ElementTree.parse(tmp_path / "run.xml").iter("property")
    doubts = [one.get("value") for one in found if one.get("name") == "doubt"]
    assert doubts == ["only inferred", "expired 2025-06-30"]


def test_the_page_says_so(done: Result, tmp_path: Path) -> None:
    """Issue 6, item 1."""
    assert done.exit_code == 0
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", (tmp_path / "run.html").read_text())).split())
    assert "only inferred" in text
    assert "expired 2025-06-30" in text


def test_the_list_of_sessions_names_how_each_is_known_and_until_when() -> None:
    """Issue 6, item 1: `mcp-ballast sessions` lists and explains them."""
    known = load_sessions()
    listed = CliRunner().invoke(main, ["sessions"]).stdout.splitlines()

    for session in known:
        assert any(line.split()[0] == session.id and session.provenance.value in line for line in listed if line)
    told = CliRunner().invoke(main, ["sessions", "input-required"]).stdout
    assert "known       observed, last seen 2026-09-29, to be trusted until 2027-03-29" in told
