"""`mcp-ballast drift` from the door to the exit code: a real connector, its book in SQLite, requests over loopback."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner, Result

from connector import Connector, tool
from contract_tests.cli import main
from tests import wire
from tests.loopback import served


class Notes(Connector):
    """Take notes."""

    name = "notes"

    @tool(read_only=True)
    async def note(self, about: str = "x") -> str:
        """Read a note."""
        return about


notes = Notes(store="memory:")


def a_night(folder: Path, **more: Any) -> str:
    """Two people call a connector; returns its store."""
    store = f"sqlite:///{folder}/notes.sqlite3"
    with served(Notes(store=store).app()) as url, httpx2.Client() as client:
        for number in range(12):
            meta = {"openai/subject": f"v1/person-{number % 4}", "openai/locale": "en-US", **more.get("meta", {})}
            said, body = wire.modern("tools/call", {"name": "note", "arguments": {"about": "SECRET-7"}, "_meta": meta})
            said = {**said, **more.get("headers", {})}
            client.post(f"{url}/mcp", headers={k: v for k, v in said.items() if v is not None}, json=body)
    return store


def drift(store: str, folder: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["drift", "--store", store, "--lock", str(folder / "ballast.lock.yaml"), *more])


def test_a_night_is_approved_and_the_next_one_is_compared_with_it(tmp_path: Path) -> None:
    """Issue 7, items 2 and "Shown by": door, book, store, lock, trial, exit code."""
    store = a_night(tmp_path)
    first = drift(store, tmp_path)
    assert (first.exit_code, "Begin with --approve" in first.output) == (1, True)
    assert drift(store, tmp_path, "--approve").exit_code == 0
    lock = (tmp_path / "ballast.lock.yaml").read_text()
    assert ("mcp tools/call:" in lock, "SECRET" in lock, "person" in lock) == (True, False, False)

    a_night(tmp_path)
    quiet = drift(store, tmp_path)
    assert (quiet.exit_code, quiet.output) == (0, "nothing new: every request is as it was approved\n")

    a_night(tmp_path, meta={"openai/mood": "fine"}, headers={"X-Openai-Trace-Mode": "on"})
    report = tmp_path / "drift.json"
    found = drift(store, tmp_path, "--json", str(report), "--try", f"{__file__}:notes")
    said = json.loads(report.read_text())["findings"]
    assert found.exit_code == 1
    assert {(each["kind"], each["name"], each["trial"]["fate"]) for each in said} == {
        ("header", "x-openai-trace-mode", "survived"),
        ("member", 'params._meta["openai/mood"]', "survived"),
    }
    assert "approved: header appeared: x-openai-trace-mode" in drift(store, tmp_path, "--approve").output
    assert drift(store, tmp_path).exit_code == 0


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("sqlite:///nowhere/at/all.sqlite3", "There is no store"),
        ("ftp://example.com", "--store"),
        ("postgresql://nobody@127.0.0.1:1/none", "store"),
    ],
)
def test_a_store_that_cannot_be_read_is_exit_code_2(tmp_path: Path, store: str, said: str) -> None:
    """Issue 7: 2 for wrong usage or an unreachable store."""
    result = drift(store, tmp_path)
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_a_damaged_lock_is_exit_code_2_and_survives_an_approval(tmp_path: Path) -> None:
    """Issue 7: clear errors, nothing is lost."""
    file = tmp_path / "ballast.lock.yaml"
    file.write_text("format: 1\nsurfaces: {}\n")
    result = drift(a_night(tmp_path), tmp_path, "--approve")
    assert (result.exit_code, "It is cut off" in result.output) == (2, True)
    assert file.read_text() == "format: 1\nsurfaces: {}\n"
