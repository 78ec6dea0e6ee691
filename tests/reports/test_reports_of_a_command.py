"""The reports as `mcp-ballast test` writes them, against a server that is mended between two runs."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest
from click.testing import CliRunner, Result

from contract_tests.cli import main
from tests.replay.test_command_line import SERVER
from tests.reports.test_html_page import Outline

MENDED = """\
from connector import Connector, tool


class Plain(Connector):
    \"\"\"Finds things.\"\"\"

    name = "plain"

    @tool(read_only=True)
    def find(self, query: str) -> str:
        \"\"\"Find it.\"\"\"
        return f"found {query}"


mcp = Plain()
"""

DOUBTFUL = """\
format: 1
id: old-probe
title: A probe that somebody guessed
about: Shows how little may be known.
host: my-host
surface: model
build: my-host/1
seen: 2025-01-02
provenance: inferred
source: a guess
expires: 2025-02-03
incidents: [P-01]
needs: []
headers: {}
steps:
  - name: probe
    send: {method: GET, path: /nowhere}
    expect: {status: [204]}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "server.py").write_text(SERVER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture
def ballast(project: Path) -> Iterator[Callable[..., Result]]:
    """Run the command in this process, in the project's folder, with the server as it is then."""

    def run(*words: str) -> Result:
        sys.modules.pop("server", None)
        return CliRunner(env={"COLUMNS": "200"}).invoke(main, words)

    yield run
    sys.modules.pop("server", None)


def test_a_mended_server_shows_in_the_trend(project: Path, ballast: Callable[..., Result]) -> None:
    """Issue 6, item 6: what went away since the last run, on the page and in a line; a history is no report's end."""
    words = ("test", "server.py:mcp", "--only", "call-absent-meta")
    first = ballast(*words, "--html", "r.html")
    (project / "server.py").write_text(MENDED)
    history = project / ".ballast" / "history.jsonl"
    history.write_text(history.read_text() + '{"format":9}\n')
    second = ballast(*words, "--html", "r.html")

    assert (first.exit_code, second.exit_code) == (1, 0), second.stderr
    assert "history: no earlier run of this target is known" in first.stderr.splitlines()
    lines = second.stderr.splitlines()
    assert [line.partition("UTC: ")[2] for line in lines if line.startswith("history: since ")] == [
        "0 findings are new, 0 still there, 1 not found any more"
    ]
    assert "history: 1 line of .ballast/history.jsonl left out: written by a newer version" in lines
    text = Outline((project / "r.html").read_text()).text
    assert "Every checked session holds" in text
    assert "call-absent-meta > call: status not found any more" in text
    assert len(history.read_text().splitlines()) == 3


def test_a_history_is_kept_where_it_is_wanted_or_not_at_all(project: Path, ballast: Callable[..., Result]) -> None:
    """Ours: only a page shows a trend, so without one nothing is remembered unasked."""
    words = ("test", "server.py", "--only", "create-noauth-modern")

    refused = ballast(*words, "--html", "r.html", "--no-history")
    assert not (project / ".ballast").exists()
    blocked = ballast(*words, "--history", "server.py/runs.jsonl", "--html", "r.html")
    named = ballast(*words, "--history", "kept/runs.jsonl")

    assert [done.exit_code for done in (refused, blocked, named)] == [0, 0, 0]
    assert "history: server.py/runs.jsonl cannot be written: " in blocked.stderr
    assert blocked.stderr.splitlines()[-1] == "written: r.html"
    assert len((project / "kept" / "runs.jsonl").read_text().splitlines()) == 1


def test_an_expired_and_inferred_session_says_so_in_every_report(project: Path, ballast: Callable[..., Result]) -> None:
    """Issue 6, item 1: terminal, JSON, JUnit, SARIF and HTML; here of one that breaks, through the command."""
    (project / "old.yaml").write_text(DOUBTFUL)
    reports = ["--json", "r.json", "--junit", "r.xml", "--sarif", "r.sarif", "--html", "r.html", "--no-history"]

    done = ballast("test", "server.py", "--sessions", "old.yaml", "--only", "old-probe", *reports)

    doubts = "only inferred, expired 2025-02-03"
    assert done.exit_code == 1, done.stderr
    assert f"  [{doubts}]" in done.stdout
    assert "of 1 session 1 is only inferred and 1 has expired" in done.stdout
    (session,) = json.loads((project / "r.json").read_text())["sessions"]
    assert session["doubts"] == ["only inferred", "expired 2025-02-03"]
    failure = parse(project / "r.xml").find(".//failure")
    assert failure is not None
    assert str(failure.get("message")).endswith(f"[{doubts}]")
    (result,) = json.loads((project / "r.sarif").read_text())["runs"][0]["results"]
    assert result["message"]["text"].endswith(f"Trust: {doubts}.")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "old.yaml"
    text = Outline((project / "r.html").read_text()).text
    assert "old-probe, step 1 of 1 only inferred expired 2025-02-03 Where status" in text
