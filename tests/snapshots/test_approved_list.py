"""`mcp-ballast test --surface FILE`: today's list of tools beside the one that a platform has approved."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner, Result

from connector import Connector, Widget, tool
from contract_tests.cli import main
from tests.loopback import served

QUICK = ("--only", "create-noauth-legacy", "--only", "CT-32", "--only", "CT-36", "--pace", "none")
PAGE = Widget(uri="ui://shop/page.html", html="<p>")


class Shop(Connector):
    """Sells tea."""

    name = "shop"
    version = "1"

    @tool(read_only=True, widget=PAGE)
    def find(self, name: str = "tea", kind: Literal["black", "green"] = "black") -> dict[str, str]:
        """Find a tea."""
        return {"name": name, "kind": kind}

    @tool
    def sell(self, name: str) -> str:
        """Sell a tea."""
        return name


@pytest.fixture
def judge(tmp_path: Path) -> Callable[..., tuple[Result, dict[str, Any]]]:
    """Compare a connector's list with the one that `Shop` had."""

    def run(server: Connector, *more: str) -> tuple[Result, dict[str, Any]]:
        with served(server.app()) as url:
            words = [f"{url}/mcp", *QUICK, "--surface", str(tmp_path / "tools.json"), *more]
            result = CliRunner().invoke(main, ["test", *words, "--json", str(tmp_path / "run.json")])
        file = tmp_path / "run.json"
        return result, json.loads(file.read_text()) if file.exists() else {}

    assert run(Shop(store="memory:"), "--accept")[0].exit_code == 0
    return run


def found(run: dict[str, Any], key: str) -> list[tuple[str, str, str, str]]:
    """The findings of one of the two, as (tool, where, expected, actual)."""
    session = next(one for one in run["sessions"] if one["id"] == key)
    findings: Sequence[dict[str, Any]] = [each for step in session["steps"] for each in step["findings"]]
    return [(each["step"], each["where"], each["expected"], each["actual"]) for each in findings]


def test_an_unchanged_list_is_approved(judge: Callable[..., tuple[Result, dict[str, Any]]]) -> None:
    """Only changes are worth a refresh."""
    result, run = judge(Shop(store="memory:"))

    assert result.exit_code == 0
    assert found(run, "tool-list-calls") == found(run, "tool-list-refresh") == []


class Next(Connector):
    """Sells tea and coffee."""

    name = "shop"
    version = "2"

    @tool(read_only=True)
    def find(self, name: str, kind: Literal["black", "white"] = "black") -> dict[str, int]:
        """Find a tea."""
        return {name: len(kind)}

    @tool
    def brew(self, name: str) -> str:
        """Brew it."""
        return name


UNREAD = "not read in this run: name it under [checks] published_ui"


def test_what_breaks_old_calls_and_what_needs_a_refresh_is_told_apart(
    judge: Callable[..., tuple[Result, dict[str, Any]]],
) -> None:
    """Issue 8 item 7."""
    result, run = judge(Next(store="memory:"))

    assert result.exit_code == 1
    assert found(run, "tool-list-calls") == [
        ("find", "argument name", "optional", "required"),
        ("find", "argument kind", 'also ["green"]', 'one of ["black", "white"]'),
        ("find", "result *", "string", "integer"),
        ("sell", "the tool", "there", "gone"),
        ("ui://shop/page.html", "the page", "readable", UNREAD),
        ("ui://shop/page.skybridge.html", "the page", "readable", UNREAD),
    ]
    refresh = found(run, "tool-list-refresh")
    assert ("instructions", "list", '"Sells tea."', '"Sells tea and coffee."') in refresh
    assert ("brew", "list", "nothing there", "a new tool, which nobody can call yet") in refresh


class Kept(Shop):
    """Sells tea."""

    tombstones = {"sell": "order"}  # noqa: RUF012  # as a user writes it
    sell = None  # type: ignore[assignment]  # takes the tool away

    @tool(read_only=True, widget=PAGE)
    def find(self, name: str = "tea", kind: Literal["black", "green", "white"] = "black") -> dict[str, str]:
        """Find a tea."""
        return {"name": name, "kind": kind}

    @tool
    def order(self, name: str) -> str:
        """Order a tea."""
        return name


def test_a_list_that_only_takes_more_breaks_nothing(
    judge: Callable[..., tuple[Result, dict[str, Any]]], tmp_path: Path
) -> None:
    """A removed tool whose old name is answered, as CT-32 asks, is a matter of a refresh only."""
    config = tmp_path / "ballast.toml"
    config.write_text('[checks]\nremoved_tools = ["sell"]\n')
    result, run = judge(Kept(store="memory:"), "--config", str(config))

    assert result.exit_code == 1
    assert found(run, "tool-list-calls") == []
    assert [where for _, where, *_ in found(run, "tool-list-refresh")] == ["list", _ENUM]
    assert next(one for one in run["sessions"] if one["id"] == "CT-32")["verdict"] == "passed"


_ENUM = "inputSchema > properties > kind > enum"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ('{"format": 99}', "is no list of tools of format 1"),
        ('{"format": 1, "tools": [], "pages": {}}', "is no list of tools of format 1"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_before_anything_is_played(
    tmp_path: Path, content: str | None, said: str
) -> None:
    """Exit code 2, and what to do."""
    file = tmp_path / "tools.json"
    if content is not None:
        file.write_text(content)
    result = CliRunner().invoke(main, ["test", "http://127.0.0.1:9/mcp", "--surface", str(file)])

    assert result.exit_code == 2
    assert said in result.output.replace("\n", " ")
    assert "--accept" in result.output


def test_a_run_that_saw_no_list_overwrites_none(
    judge: Callable[..., tuple[Result, dict[str, Any]]], tmp_path: Path
) -> None:
    """Nothing is lost."""
    before = (tmp_path / "tools.json").read_text()
    result, _ = judge(Connector(name="empty", store="memory:"), "--accept")

    assert result.exit_code == 2
    assert "saw no list of tools" in result.output
    assert (tmp_path / "tools.json").read_text() == before
