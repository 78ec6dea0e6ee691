"""`--baseline` and `--accept`: what is kept, what is reported, and what is left alone."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from contract_tests.cli import main

SERVER = """
import itertools
from tests.replay.servers import FIND, Answer, Tolerant, result

COUNT = itertools.count()


def listing(asked):
    return result(asked, {"tools": [{**FIND, "description": DESCRIPTION}]})


def call(asked):
    text = [{"type": "text", "text": f"answer {next(COUNT)}"}]
    return result(asked, {"content": text, "structuredContent": {"found": FOUND}})


DESCRIPTION, FOUND = "Find it.", "it"
app = Tolerant({"tools/list": listing, "tools/call": call})
"""
SESSIONS = ("call-model", "refresh-actions", "create-noauth-modern")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a server, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "server.py").write_text(SERVER)
    return tmp_path


def ballast(*options: str, only: tuple[str, ...] = SESSIONS) -> Result:
    """The command, without pauses, on some sessions."""
    chosen = [word for key in only for word in ("--only", key)]
    return CliRunner().invoke(main, ["test", "server.py", "--pace", "none", *chosen, *options])


def accepted() -> None:
    """Record, and be sure of it."""
    done = ballast("--baseline", "wire.json", "--accept")
    assert done.exit_code == 0, done.output


def test_a_server_that_did_not_change_is_not_reported_although_it_counts(folder: Path) -> None:
    """Ours: a value that is another one in every answer is no drift."""
    accepted()
    done = ballast("--baseline", "wire.json")

    assert done.exit_code == 0, done.output
    recorded = json.loads((folder / "wire.json").read_text())
    answer = recorded["answers"]["tools/call find (2026-07-28)"]
    assert answer["/result/content/0/text"] == "*"
    assert answer["/result/structuredContent/found"] == "it"
    assert recorded["times"]["tools/call find (2026-07-28)"] == {"first byte": "at once", "longest silence": "at once"}
    assert recorded["steps"]["call-model"]["mac"] == "200; content-type: application/json"


def test_a_change_is_a_finding_of_ct_37_with_place_and_both_values(folder: Path) -> None:
    """Issue 6, item 3: drift against a recorded baseline."""
    accepted()
    (folder / "server.py").write_text(SERVER.replace("Find it.", "Find something else."))
    done = ballast("--baseline", "wire.json", "--json", "run.json")

    assert done.exit_code == 1
    (drifted,) = [one for one in json.loads((folder / "run.json").read_text())["sessions"] if one["id"] == "CT-37"]
    findings = [finding for step in drifted["steps"] for finding in step["findings"]]
    assert {(one["where"], one["expected"], one["actual"]) for one in findings} == {
        ("/result/tools/0/description", '"Find it."', '"Find something else."')
    }
    assert "accept" in findings[0]["advice"]


def test_what_was_accepted_is_not_reported_again(folder: Path) -> None:
    """Issue 6, item 3: accepted with --accept."""
    accepted()
    (folder / "server.py").write_text(SERVER.replace("Find it.", "Find something else."))
    accepted()

    assert ballast("--baseline", "wire.json").exit_code == 0


def test_a_star_in_the_file_asks_nothing_and_stays(folder: Path) -> None:
    """Ours: a person knows of a value that is another one tomorrow."""
    accepted()
    file = folder / "wire.json"
    file.write_text(
        file.read_text().replace('"/result/structuredContent/found": "it"', '"/result/structuredContent/found": "*"')
    )
    (folder / "server.py").write_text(SERVER.replace('"Find it.", "it"', '"Find it.", "that"'))

    assert ballast("--baseline", "wire.json").exit_code == 0
    accepted()
    assert '"/result/structuredContent/found": "*"' in file.read_text()


def test_a_run_of_fewer_sessions_is_no_drift_and_loses_nothing(folder: Path) -> None:
    """Ours: `--only` is for looking closer."""
    accepted()
    before = (folder / "wire.json").read_text()

    assert ballast("--baseline", "wire.json", only=("call-model",)).exit_code == 0
    assert ballast("--baseline", "wire.json", "--accept", only=("refresh-actions",)).exit_code == 0
    assert json.loads((folder / "wire.json").read_text())["steps"] == json.loads(before)["steps"]


@pytest.mark.parametrize(
    "text", [None, "{", "[]", '{"format": 2}', '{"format":1,"steps":{"a":1},"answers":{},"times":{}}']
)
def test_a_baseline_that_cannot_be_used_ends_before_anything_is_played(folder: Path, text: str | None) -> None:
    """Ours: bad input, exit code 2, and what to do."""
    if text is not None:
        (folder / "wire.json").write_text(text)
    done = ballast("--baseline", "wire.json")

    assert done.exit_code == 2
    assert "--baseline wire.json --accept" in done.stderr
    assert "replaying" not in done.stdout


def test_accept_without_a_file_is_explained(folder: Path) -> None:
    """Ours: bad input."""
    done = ballast("--accept")

    assert done.exit_code == 2
    assert "say where, with --baseline FILE" in done.stderr


def test_what_was_never_accepted_is_not_compared_and_not_passed(folder: Path) -> None:
    """Ours: a comparison of nothing says nothing."""
    accepted()
    done = ballast("--baseline", "wire.json", only=("serial-3",))

    assert done.exit_code == 0, done.output
    assert "not checked  CT-37" in done.stdout
    assert "nothing of this run is in the baseline" in done.stdout


def test_the_connection_is_part_of_the_baseline(folder: Path) -> None:
    """Issue 6, item 3: connection reuse, as it is and not as a header says."""
    chosen = ("CT-06",)
    assert ballast("--baseline", "wire.json", "--accept", only=chosen).exit_code == 0
    assert json.loads((folder / "wire.json").read_text())["steps"]["CT-06"] == {"connection": "kept open"}
    (folder / "wire.json").write_text((folder / "wire.json").read_text().replace("kept open", "closed after an answer"))
    done = ballast("--baseline", "wire.json", "--json", "run.json", only=chosen)

    (drifted,) = [one for one in json.loads((folder / "run.json").read_text())["sessions"] if one["id"] == "CT-37"]
    assert done.exit_code == 1
    assert [one["step"] for step in drifted["steps"] for one in step["findings"]] == ["CT-06 > connection"]
