"""What the visitors' book of a fleet says: pure, over the rows as the book has them; once through a real store."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from connector import Connector, tool
from connector.recorder.shape import Shape
from connector.recorder.sighting import Cadence, Deploy, Failures, Sighting
from connector.stores.sqlite.store import SqliteStore
from contract_tests.cli import main
from contract_tests.diagnosis import Culprit, weigh
from contract_tests.diagnosis.inside.book import Book
from contract_tests.diagnosis.inside.fleet import fleet_signs
from contract_tests.diagnosis.inside.pace import pace_signs
from tests.loopback import served

HOUR = 3600
THEN = 500_000
"""The hour in which it began."""
NOW = THEN * HOUR + 1800.0


def usual(connector: str, hours: int = 72) -> list[Failures]:
    """Days without a failure, until the hour before."""
    row = Failures(connector=connector, hour=0, surface="chatgpt", kind="", count=0, total=100)
    return [replace(row, hour=THEN - back) for back in range(1, hours + 1)]


def bad(connector: str, *, count: int = 60, kind: str = "status 500", hour: int = THEN) -> Failures:
    """An hour in which many of a hundred requests failed."""
    return Failures(connector=connector, hour=hour, surface="chatgpt", kind=kind, count=count, total=100)


def deployed(connector: str, seconds_before: float) -> Deploy:
    """A build that came so long before the hour began."""
    return Deploy(connector=connector, build="b", version="1", at=THEN * HOUR - seconds_before)


def said(book: Book, connector: str = "orders") -> dict[str, str]:
    """The answers that the fleet gives."""
    return {sign.question: sign.answer for sign in fleet_signs(book, connector, NOW)}


LONG_AGO = 10 * 24 * HOUR
THREE = ("orders", "wiki", "crm")
TOGETHER = [*(row for name in THREE for row in usual(name)), *(bad(name) for name in THREE)]
ALONE = [*(row for name in THREE for row in usual(name)), bad("orders"), bad("wiki", count=0, kind="")]
OLD = [deployed(name, LONG_AGO) for name in THREE]


@pytest.mark.parametrize(
    ("failures", "deploys", "expected"),
    [
        (TOGETHER, OLD, {"fleet": "several-at-once", "deploy": "none"}),
        (TOGETHER, [], {"fleet": "several-at-once"}),
        (TOGETHER, [*OLD, deployed("wiki", 600)], {"fleet": "several-at-once", "deploy": "none"}),
        (TOGETHER, [*OLD, deployed("orders", 600)], {"deploy": "just-before"}),
        (ALONE, OLD, {"fleet": "only-this", "deploy": "none"}),
        (ALONE, [*OLD, deployed("orders", 600)], {"fleet": "only-this", "deploy": "just-before"}),
        (ALONE, [*OLD, deployed("orders", 2 * HOUR + 60)], {"fleet": "only-this", "deploy": "none"}),
        (ALONE, [*OLD, deployed("wiki", 600)], {"fleet": "only-this", "deploy": "none"}),
        ([*usual("orders"), bad("orders")], [], {}),
        ([*usual("orders"), bad("wiki")], OLD, {}),
    ],
    ids=[
        "together", "together, deploys unknown", "together, one of the others deployed", "together, this one deployed",
        "alone", "alone, deployed", "alone, deployed long before", "alone, another deployed", "no fleet", "another",
    ],
)  # fmt: skip
def test_a_fleet_says_who_else_failed_and_who_was_deployed(
    failures: list[Failures], deploys: list[Deploy], expected: dict[str, str]
) -> None:
    """Issue 7, item 5: the same hour's failures across unrelated connectors without a deploy, and a deploy before."""
    assert said(Book(failures=failures, deploys=deploys)) == expected


def test_the_fleet_decides_between_platform_and_connector() -> None:
    """Issue 7, item 5: used as the strongest signs."""
    platform = fleet_signs(Book(failures=TOGETHER, deploys=OLD), "orders", NOW)
    own = fleet_signs(Book(failures=ALONE, deploys=[*OLD, deployed("orders", 600)]), "orders", NOW)
    log = pace_signs(Book(failures=TOGETHER), "orders", NOW)

    assert weigh([*platform, *log]).culprit is Culprit.PLATFORM
    assert weigh([*own, *log]).culprit is Culprit.CONNECTOR


@pytest.mark.parametrize(
    "row",
    [
        bad("orders", count=2),
        bad("orders", count=9),
        bad("orders", kind="status 401"),
        bad("orders", kind="tool error"),
        bad("orders", hour=THEN - 30),
    ],
    ids=["two", "nine of a hundred", "expired tokens", "tools that say no", "yesterday"],
)
def test_what_is_ordinary_is_no_onset(row: Failures) -> None:
    """Ours: a fleet must not cry wolf over refreshes, refusals and single people."""
    others = [bad("wiki"), *usual("wiki"), *usual("orders", hours=20)]
    assert said(Book(failures=[*others, row], deploys=OLD)) == {}


def test_who_always_fails_a_little_has_not_begun_to() -> None:
    """Ours: a share of failures counts against the usual one."""
    always = [bad("orders", count=12, hour=THEN - back) for back in range(48)]
    assert said(Book(failures=always, deploys=OLD)) == {}


def test_the_onset_is_the_first_hour_of_the_spell() -> None:
    """Ours: it failed for three hours when somebody looked; the deploy was before the first."""
    spell = [bad("orders", hour=THEN - back) for back in range(3)]
    quiet = [row for row in usual("orders") if row.hour < THEN - 2]
    before = Deploy(connector="orders", build="b", version="1", at=(THEN - 2) * HOUR - 300)

    assert said(Book(failures=[*quiet, *spell], deploys=[before])) == {"deploy": "just-before"}


def test_one_host_or_several_is_read_off_the_surfaces() -> None:
    """P-37, O-10: surfaces of one platform are one host."""
    claude = replace(bad("orders", count=0, kind=""), surface="claude")
    codex = replace(bad("orders"), surface="chatgpt-codex")
    book = [*usual("orders"), bad("orders"), codex]

    assert said(Book(failures=[*book, claude])) == {"hosts-hit": "one"}
    assert said(Book(failures=[*book, replace(claude, count=50, kind="status 500")])) == {"hosts-hit": "several"}


def pace(**rows: Any) -> dict[str, str]:
    """The answers that the pace gives."""
    return {sign.question: sign.answer for sign in pace_signs(Book(**rows), "orders", NOW)}


def cadence(**members: Any) -> Cadence:
    """An hour of tool calls."""
    return Cadence(**{"connector": "orders", "surface": "chatgpt", "method": "tools/call", "hour": THEN, **members})


@pytest.mark.parametrize(
    ("rows", "question", "answer"),
    [
        ([cadence(cut_after={59: 4, 5: 1})], "cut", "at-a-host-limit"),
        ([cadence(cut_after={119: 3})], "cut", "at-a-host-limit"),
        ([cadence(cut_after={60: 5})], "cut", "at-a-proxy-time"),
        ([cadence(cut_after={1: 3, 20: 2, 45: 3})], "cut", "any-time"),
        ([cadence(cut_after={59: 2})], "cut", None),
        ([cadence(cut_after={59: 6}, retries=5)], "twice", "retried-after-a-timeout"),
        ([cadence(method="POST /authorize", codes_issued=8)], "codes", "never-redeemed"),
        ([cadence(codes_issued=8), cadence(method="POST /token", codes_redeemed=8)], "codes", "redeemed"),
        ([cadence(codes_issued=2)], "codes", None),
    ],
)
def test_how_callers_behave_is_told(rows: list[Cadence], question: str, answer: str | None) -> None:
    """D-04, T-01, P-12: when they leave, whether they come again, and codes that nobody redeems."""
    assert pace(cadences=rows).get(question) == answer


def test_tools_that_are_listed_and_not_called_any_more_are_told() -> None:
    """P-21: against the same hours of the days before, so that a quiet night is none."""
    lists = [cadence(method="tools/list", hour=THEN - back, count=5) for back in range(100)]
    by_day = [cadence(hour=THEN - 24 * day, count=7) for day in range(1, 5)]
    by_night = [cadence(hour=THEN - 24 * day - 12, count=7) for day in range(1, 5)]

    assert pace(cadences=[*lists, *by_day])["calls"] == "lists-but-no-calls"
    assert "calls" not in pace(cadences=[*lists, *by_night])
    assert pace(cadences=[*lists, *by_day, cadence(count=1)])["calls"] == "steady"


def test_a_shape_that_came_with_the_failures_is_told() -> None:
    """P-01: a shape changed in the same hour; in a young book everything is new."""
    old = Sighting(
        connector="orders", shape=Shape(surface="chatgpt", channel="mcp", method="tools/call"), last_seen=NOW, count=9,
        first_seen=NOW - LONG_AGO, subjects=3,
    )  # fmt: skip
    new = replace(old, first_seen=THEN * HOUR + 5.0)
    failures = [*usual("orders"), bad("orders")]

    assert pace(failures=failures, sightings=[old, new])["shapes"] == "new"
    assert pace(failures=failures, sightings=[old])["shapes"] == "none"
    assert "shapes" not in pace(failures=failures, sightings=[new])


def test_silence_counts_while_somebody_sees_a_failure() -> None:
    """P-19: the origin's log is empty; P-05: it is full of good answers."""
    here = [*usual("orders"), bad("orders", count=0, kind="")]
    gone = usual("orders")[2:]

    def log(failures: list[Failures], *, is_failing_now: bool) -> list[str]:
        signs = pace_signs(Book(failures=failures), "orders", NOW, is_failing_now=is_failing_now)
        return [sign.answer for sign in signs if sign.question == "log"]

    assert log(here, is_failing_now=True) == ["answered-well"]
    assert log(gone, is_failing_now=True) == ["nothing-arrives"]
    assert log(gone, is_failing_now=False) == []


class Orders(Connector):
    """A connector that keeps a visitors' book."""

    name = "orders"

    @tool(read_only=True)
    async def count(self) -> int:
        """How many."""
        return 1


def test_the_book_of_a_real_connector_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 7, item 4: `--store`. The connector was just started, and answers whoever sends nonsense with an error."""
    monkeypatch.chdir(tmp_path)
    store = f"sqlite:///{tmp_path}/book.sqlite3"
    with served(Orders(store=store).app()) as origin:
        for _ in range(20):
            assert httpx2.post(f"{origin}/mcp", content=b"{nonsense").status_code == 400
    with served(Orders(store="memory:").app()) as origin:
        words = [f"{origin}/mcp", "--store", store, "--json", "found.json", "--patience", "0.5"]
        done = CliRunner().invoke(main, ["diagnose", *words])

    assert done.exit_code == 1, done.output
    weighed = {each["question"]: each for each in json.loads(Path("found.json").read_text())["verdict"]["weighed"]}
    assert weighed["log"]["answer"] == "answered-with-errors"
    assert "status 400" in weighed["log"]["fact"]
    assert weighed["deploy"]["answer"] == "just-before"


def test_a_book_of_several_connectors_asks_which_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours: an unknown name is answered with the known ones."""
    monkeypatch.chdir(tmp_path)
    store = f"sqlite:///{tmp_path}/book.sqlite3"
    with served(Orders(store=store).app()) as origin:
        httpx2.post(f"{origin}/mcp", content=b"{nonsense")
    words = ["diagnose", "http://127.0.0.1:1/mcp", "--store", store, "--connector", "wiki"]
    done = CliRunner().invoke(main, words)

    assert done.exit_code == 2
    assert "the book knows orders." in done.output


def test_a_store_that_is_not_there_is_said_and_not_made(tmp_path: Path) -> None:
    """A wrong path is no empty book, and nothing is written by asking."""
    file = tmp_path / "nowhere.sqlite3"
    done = CliRunner().invoke(main, ["diagnose", "http://127.0.0.1:1/mcp", "--store", f"sqlite:///{file}"])

    assert done.exit_code == 2
    assert "There is no store at" in done.output
    assert not file.exists()


def test_a_book_that_is_still_empty_says_nothing(tmp_path: Path) -> None:
    """A first night: the rest of the diagnosis stands."""
    store = SqliteStore(tmp_path / "book.sqlite3")
    asyncio.run(store.check())
    asyncio.run(store.aclose())
    words = ["http://127.0.0.1:1/mcp", "--patience", "0.1", "--store", f"sqlite:///{tmp_path}/book.sqlite3"]
    done = CliRunner().invoke(main, ["diagnose", *words])

    assert "the store has no visitors' book yet" in done.output
    assert "nothing listens at the address" in done.output
