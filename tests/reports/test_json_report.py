"""The JSON report, read back and held against its published schema."""

import json
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contract_tests import outcome
from contract_tests.outcome import Received, Run
from contract_tests.report.json_report import write_json


@pytest.fixture
def schema() -> dict[str, Any]:
    text = files("contract_tests.report").joinpath("run.schema.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def written(run: Run, path: Path) -> dict[str, Any]:
    write_json(run, path)
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def test_the_report_is_what_the_schema_publishes(run: Run, tmp_path: Path, schema: dict[str, Any]) -> None:
    """Issue 6: JSON, schema published."""
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)

    assert [error.message for error in validator.iter_errors(written(run, tmp_path / "run.json"))] == []


def test_the_schema_tells_a_broken_report_from_a_good_one(run: Run, tmp_path: Path, schema: dict[str, Any]) -> None:
    """Ours: a schema that accepts anything would prove nothing."""
    report = written(run, tmp_path / "run.json")
    del report["sessions"][0]["steps"][0]["received"]["chunks"][0]["at"]
    report["sessions"][1]["verdict"] = "perhaps"

    errors = {error.json_path for error in Draft202012Validator(schema).iter_errors(report)}

    assert "$.sessions[1].verdict" in errors
    assert len(errors) == 2


@pytest.mark.parametrize(
    ("kind", "definition"),
    [
        ("Run", ""),
        ("SessionRun", "session"),
        ("StepRun", "step"),
        ("Sent", "sent"),
        ("Received", "received"),
        ("Chunk", "chunk"),
        ("Finding", "finding"),
        ("Span", "span"),
        ("MutationRun", "mutations"),
        ("RuleRun", "rule"),
        ("MutantRun", "mutant"),
        ("Difference", "difference"),
    ],
)
def test_the_schema_describes_every_member(kind: str, definition: str, schema: dict[str, Any]) -> None:
    """Ours: a field added to the outcome is published with a description, not by accident."""
    described = schema["$defs"][definition] if definition else schema

    assert {field.name for field in fields(getattr(outcome, kind))} <= set(described["properties"])


def test_the_report_begins_with_its_format_and_the_verdict(run: Run, tmp_path: Path) -> None:
    """Issue 2: versioned, and readable without knowing the rest."""
    report = written(run, tmp_path / "new" / "folder" / "run.json")

    assert list(report)[:2] == ["format", "summary"]
    assert report["format"] == 1
    assert report["summary"] == {
        "text": "3 hold, 1 breaks, 1 not checked",
        "hold": 3,
        "break": 1,
        "not_checked": 1,
        "exit_code": 1,
    }
    assert report["started"] == "2026-11-21T03:04:05+00:00"
    session = report["sessions"][2]
    assert (session["provenance"], session["expires"], session["is_expired"]) == ("inferred", "2026-10-01", True)
    assert session["doubts"] == ["only inferred", "expired 2026-10-01"]
    assert report["sessions"][1]["steps"][2]["received"]["chunks"][0] == {
        "at": 1.002,
        "size": 8,
        "is_heartbeat": True,
        "count": 1,
    }
    assert report["sessions"][3]["steps"][1]["findings"][0]["actual"] == "404"
    assert report["sessions"][3]["steps"][2]["sent"] is None


def test_the_report_says_how_each_of_the_43_contracts_stands(contracted: Run, tmp_path: Path) -> None:
    """Issue 6, item 2: held, broken, or not checked, with the reason and what would make it checkable."""
    contracts = written(contracted, tmp_path / "run.json")["contracts"]

    assert contracts["text"] == "contracts: 2 hold, 1 is broken (CT-12), 40 not checked"
    assert (contracts["held"], contracts["broken"], contracts["not_checked"]) == (2, 1, 40)
    found = {one["number"]: one for one in contracts["standings"]}
    assert list(found) == [f"CT-{number:02}" for number in range(1, 44)]
    assert (found["CT-12"]["outcome"], found["CT-12"]["by"]) == ("broken", ["CT-12"])
    assert (found["CT-17"]["outcome"], found["CT-17"]["by"]) == ("held", ["legacy-2025-03-26"])
    assert found["CT-17"]["doubts"] == ["legacy-2025-03-26: only inferred"]
    assert found["CT-42"]["left_out"] == ["a call after 30 s of silence: it must really be waited for: add --slow"]
    assert found["CT-30"] == {
        "number": "CT-30",
        "title": "Requests of one session may reach any process",
        "outcome": "not checked",
        "by": [],
        "reason": 'it takes two processes of the server: [target] workers = ["http://...", "http://..."]',
        "remedy": 'two processes of the server: workers = ["http://...", "http://..."] under [target]',
        "left_out": [],
        "doubts": [],
        "is_in_run": True,
        "is_applicable": True,
    }
    assert (found["CT-29"]["remedy"], found["CT-29"]["is_applicable"]) == (
        "nothing, unless people should have to log in to this target",
        False,
    )
    assert (found["CT-01"]["reason"], found["CT-01"]["remedy"], found["CT-01"]["is_in_run"]) == (
        "it was not part of this run",
        "a run without --only and --host-profile, or one with --only CT-01",
        False,
    )


def test_a_hostile_body_comes_back_character_by_character(run: Run, hostile: Received, tmp_path: Path) -> None:
    """Ours: what a target sends cannot break the report, not even with text that has no UTF-8."""
    session = run.sessions[0]
    step = replace(session.steps[0], received=hostile)
    run = replace(run, sessions=(replace(session, steps=(step,)),))

    report = written(run, tmp_path / "run.json")

    assert report["sessions"][0]["steps"][0]["received"]["body"] == hostile.body
