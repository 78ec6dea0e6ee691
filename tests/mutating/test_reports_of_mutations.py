"""Mutations in the reports: terminal, JSON against its schema, JUnit, and the HTML matrix, also in Chromium."""

import io
import json
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from contract_tests import Run
from contract_tests.report.html import page
from contract_tests.report.json_report import write_json
from contract_tests.report.junit import write_junit
from contract_tests.report.terminal import Progress
from tests.mutating.mutating import mutate
from tests.mutating.servers import Careful
from tests.mutating.test_deaf_servers import deaf_to_meta
from tests.reports.test_html_in_chromium import Browser
from tests.reports.test_html_in_chromium import browser as browser  # noqa: PLC0414 - a fixture

RULES = ("unknown-member-meta", "unknown-member-top", "cut-later")


META = "A member nobody knows, in params._meta, in an object of it, or _meta where there was none"


@pytest.fixture(scope="module")
def run() -> Run:
    """Two sessions, of which one has no mutants, against a server that refuses unknown members of `_meta`."""
    return mutate(Careful(deaf_to_meta), *RULES, only=["call-model", "oauth-dcr"])


def test_the_terminal_gives_the_rates_and_the_smallest_change(run: Run) -> None:
    """Issue 6: a survivor rate per rule; the exact difference, what came, what was expected, incident, advice."""
    out = io.StringIO()
    Progress(Console(file=out, width=200, highlight=False)).run_ended(run)

    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines[1].startswith("1 holds, 0 break, 1 not checked; 1 of 2 mutants survives")
    assert f"  unknown-member-meta        0 of 1  {META}" in lines
    assert "  unknown-member-top         1 of 1  A member nobody knows, beside jsonrpc, id and method" in lines
    assert "  cut-later              none tried  The client waits twice as long" in lines
    start = lines.index(f"unknown-member-meta: {META}")
    assert lines[start + 1 : start + 8] == [
        "  session   call-model",
        '  change    without-platform-meta, body /params/_meta/openai~1ballastText: added string "new"',
        "  received  without-platform-meta: 400 Bad Request, application/json, 72 bytes",
        "  expected  status: status 200",
        "  got       status 400 (-32600: no)",
        "  guards    S-01, P-18, O-16, CT-09",
        "  next      Ignore what you do not know, at every level: read the members you need and nothing else.",
    ]
    assert "  oauth-dcr: not checked: the target asks for no authorization" in lines


def test_json_is_what_the_schema_publishes(run: Run, tmp_path: Path) -> None:
    """Issue 6: JSON, schema published."""
    write_json(run, tmp_path / "run.json")
    report = json.loads((tmp_path / "run.json").read_text())
    schema = json.loads(files("contract_tests.report").joinpath("run.schema.json").read_text())

    assert list(Draft202012Validator(schema).iter_errors(report)) == []
    assert report["summary"] | {"text": ""} == {
        "text": "",
        "hold": 1,
        "break": 0,
        "not_checked": 1,
        "exit_code": 1,
        "mutants_survived": 1,
        "mutants_broken": 1,
    }
    broken = next(mutant for mutant in report["mutations"]["mutants"] if mutant["fate"] == "broke")
    assert broken["differences"] == [
        {
            "step": "without-platform-meta",
            "part": "body",
            "pointer": "/params/_meta/openai~1ballastText",
            "kind": "added",
            "value": 'string "new"',
            "instead_of": "",
            "position": "here",
        }
    ]
    assert '"openai/ballastText":"new"' in broken["steps"][0]["sent"]["body"]
    del broken["differences"][0]["pointer"]
    assert [error.json_path for error in Draft202012Validator(schema).iter_errors(report)] != []


def test_junit_has_a_case_for_every_rule_and_session(run: Run, tmp_path: Path) -> None:
    """Issue 6: one test case for each, so that a CI system counts what people talk about."""
    write_junit(run, tmp_path / "run.xml")
    root = ElementTree.parse(tmp_path / "run.xml").getroot()

    suite = root.findall("testsuite")[1]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("Careful, mutations", "2", "1")
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("4", "1", "1")
    cases = {(case.get("classname"), case.get("name")): case.find("failure") for case in suite.iter("testcase")}
    assert cases["mutation.unknown-member-top", "call-model"] is None
    failure = cases["mutation.unknown-member-meta", "call-model"]
    assert failure is not None
    assert failure.get("message") == (
        'breaks with without-platform-meta, body /params/_meta/openai~1ballastText: added string "new"'
    )
    assert "next: Ignore what you do not know" in str(failure.text)


def test_a_browser_shows_the_matrix_without_a_complaint(browser: Browser, run: Run) -> None:
    """Issue 6: a mutation matrix, offline; every cell says in words what its mark means."""
    visit = browser.visit(page(run))

    assert visit.console == ()
    assert browser.callers == []
    assert "1 platform change would break it</h1>" in visit.document
    matrix = visit.document[visit.document.index('class="matrix"') :].split("</table>")[0]
    assert matrix.count('scope="row"') == 3
    assert matrix.count('class="upright"') == 1
    assert matrix.count('<span class="unseen">breaks</span>') == 1
    assert matrix.count('<span class="unseen">holds</span>') == 1
    assert matrix.count('<span class="unseen">nothing to change</span>') == 1
    assert 'href="#m-unknown-member-meta"' in matrix
    assert 'id="m-unknown-member-meta"' in visit.document
    assert "oauth-dcr: not checked: the target asks for no authorization." in visit.document


@pytest.mark.parametrize("width", [390, 1280])
def test_the_matrix_scrolls_by_itself(browser: Browser, run: Run, width: int) -> None:
    """WCAG 2.2, 1.4.10: a table of many columns scrolls in its own region, the page does not."""
    measure = """<script>addEventListener("load", () => {
      const one = document.querySelector(".matrix");
      for (const row of one.querySelectorAll("tr"))
        for (let i = 0; i < 80; i++) row.append(row.lastElementChild.cloneNode(true));
      const frame = document.documentElement;
      const page = frame.scrollWidth <= frame.clientWidth;
      console.error(JSON.stringify([page, one.scrollWidth > one.clientWidth, one.tabIndex]));
    });</script>"""
    from tests.reports.test_html_in_chromium import POLICY

    frame = f'<iframe width="{width}" height="800" style="border:0" src="inner.html"></iframe>'
    browser.save("inner.html", POLICY.sub("", page(run)).replace("</head>", measure + "</head>"))

    visit = browser.visit(f"<!doctype html><html><body>{frame}</body></html>")

    assert visit.console == ('"[true,true,0]"',)
