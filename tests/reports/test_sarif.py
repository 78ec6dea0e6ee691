"""The SARIF report, judged by a reduction of the published schema, and by what code scanning asks of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from contract_tests.outcome import Finding, MutationRun, Received, Run, Verdict
from contract_tests.report.sarif import write_sarif

TEXT: Final = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL: Final = {"enum": ["none", "note", "warning", "error"]}
PLACE: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "type": "object",
            "additionalProperties": False,
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "uri": {"type": "string", "pattern": "^[^/\\\\:][^\\\\:]*$"},
                        "uriBaseId": {"type": "string"},
                    },
                },
                "region": {"type": "object", "properties": {"startLine": {"type": "integer", "minimum": 1}}},
            },
        },
        "logicalLocations": {"type": "array", "items": {"type": "object"}},
    },
}
RULE: Final = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "shortDescription": TEXT,
        "fullDescription": TEXT,
        "help": TEXT,
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}},
        "properties": {"properties": {"tags": {"type": "array", "uniqueItems": True}}},
    },
}
RESULT: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["message", "ruleId"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": TEXT,
        "locations": {"type": "array", "uniqueItems": True, "items": PLACE},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "properties": {"type": "object"},
    },
}
SCHEMA: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "rules"],
                                "properties": {"rules": {"type": "array", "uniqueItems": True, "items": RULE}},
                            }
                        },
                    },
                    "results": {"type": "array", "items": RESULT},
                    "automationDetails": {"type": "object", "required": ["id"]},
                    "originalUriBaseIds": {"type": "object"},
                    "properties": {"type": "object"},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "invocations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["executionSuccessful"],
                            "properties": {
                                "executionSuccessful": {"type": "boolean"},
                                "startTimeUtc": {
                                    "type": "string",
                                    "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$",
                                },
                                "exitCode": {"type": "integer"},
                                "toolExecutionNotifications": {
                                    "type": "array",
                                    "items": {"type": "object", "required": ["message"]},
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
"""The members this report has, as the OASIS schema of 2.1.0 has them: names, types, what is required."""


def written(run: Run, path: Path, **files: str) -> dict[str, Any]:
    write_sarif(run, path, files=files)
    document = json.loads(path.read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    only: dict[str, Any] = document["runs"][0]
    return only


def test_every_session_is_a_rule_and_every_finding_a_result(run: Run, tmp_path: Path) -> None:
    """Issue 6, item 6: rules with help and incident."""
    report = written(run, tmp_path / "new" / "run.sarif")

    rules = report["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [session.id for session in run.sessions]
    assert rules[3]["help"]["text"] == (
        "Falling back to a legacy handshake. Guards against openai/t1379834, kagura-ai/memory-cloud#1544. "
        "Answer initialize at the connector's own path; ChatGPT falls back to it when discovery fails."
    )
    assert [(result["ruleId"], result["ruleIndex"], result["level"]) for result in report["results"]] == [
        ("chatgpt-legacy-fallback", 3, "error"),
        ("chatgpt-legacy-fallback", 3, "error"),
    ]
    assert report["results"][0]["message"]["text"] == (
        "initialize, status: expected 200, got 404. "
        "Next: Answer initialize at the connector's own path; ChatGPT falls back to it when discovery fails."
    )


def test_an_expired_or_inferred_session_says_so_and_one_not_checked_is_no_result(run: Run, tmp_path: Path) -> None:
    """Issue 6, item 1; design: not checked is never passed."""
    report = written(run, tmp_path / "run.sarif")

    assert "Trust: only inferred, expired 2026-10-01." in report["tool"]["driver"]["rules"][2]["help"]["text"]
    assert notices(report) == [
        "chatgpt-write-twice was not checked: the target has no tool that writes",
        "contracts that were not part of this run: " + ", ".join(f"CT-{number:02}" for number in range(1, 44)),
        "chatgpt-retired-probe may say nothing of the platform of today: only inferred, expired 2026-10-01",
    ]


def test_a_result_of_a_doubtful_session_says_so(run: Run, tmp_path: Path) -> None:
    """Issue 6, item 1: an alert is read without its rule."""
    doubtful = replace(run.sessions[3], provenance="inferred")

    first, _ = written(replace(run, sessions=(doubtful,)), tmp_path / "run.sarif")["results"]

    assert first["message"]["text"].endswith("when discovery fails. Trust: only inferred.")
    assert first["properties"]["doubts"] == ["only inferred"]
    assert first["properties"]["host"] == "chatgpt"


def test_a_contract_says_how_it_stands_and_what_would_make_it_checkable(contracted: Run, tmp_path: Path) -> None:
    """Issue 6, item 2: not checked is a notification, because an alert would say that something is wrong."""
    report = written(contracted, tmp_path / "run.sarif")

    standings = report["properties"]["contracts"]
    assert {number: standings[number] for number in ("CT-12", "CT-17", "CT-30", "CT-01")} == {
        "CT-12": "broken",
        "CT-17": "held",
        "CT-30": "not checked",
        "CT-01": "not checked",
    }
    said = notices(report)
    assert (
        "CT-29 was not checked: the target asks for no authorization. "
        "What would make it checkable: nothing, unless people should have to log in to this target"
    ) in said
    assert [text for text in said if text.startswith("contracts that were not part of this run: CT-01, CT-02")]
    assert [result["ruleId"] for result in report["results"]][-1] == "CT-12"


def notices(report: dict[str, Any]) -> list[str]:
    return [one["message"]["text"] for one in report["invocations"][0]["toolExecutionNotifications"]]


def fingerprints(report: dict[str, Any]) -> list[str]:
    return [result["partialFingerprints"]["ballast/v1"] for result in report["results"]]


def test_a_finding_keeps_its_fingerprint_while_its_words_change(run: Run, tmp_path: Path) -> None:
    """Ours: code scanning closes and opens alerts by it."""
    session = run.sessions[3]
    step = session.steps[1]
    later = tuple(replace(finding, actual="500", advice="Another.") for finding in step.findings)
    changed = replace(session, steps=(session.steps[0], replace(step, findings=(*later, later[0]))))

    before = fingerprints(written(run, tmp_path / "a.sarif"))
    after = fingerprints(written(replace(run, sessions=(changed,)), tmp_path / "b.sarif"))

    assert len(set(before)) == 2
    assert after[:2] == before
    assert after[2] not in before, "the same place a second time is another finding"


def test_a_finding_stands_in_the_file_it_is_about(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 6, item 6: the session's own file and line, else the connector's, else where the session ships."""
    monkeypatch.chdir(tmp_path)

    def place(run: Run, **files: str) -> tuple[str, int]:
        found = written(run, tmp_path / "run.sarif", **files)["results"][0]["locations"][0]["physicalLocation"]
        return found["artifactLocation"]["uri"], found["region"]["startLine"]

    assert place(run) == ("contract_tests/sessions/chatgpt-legacy-fallback.yaml", 1)
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "pydocs.py").touch()
    assert place(run) == ("examples/pydocs.py", 1)
    (tmp_path / "my own.yaml").write_text("steps:\n  - name: discover\n  - name: initialize\n")
    assert place(run, **{"chatgpt-legacy-fallback": str(tmp_path / "my own.yaml")}) == ("my%20own.yaml", 3)


def test_no_secret_and_no_control_character_reaches_the_report(run: Run, hostile: Received, tmp_path: Path) -> None:
    """Ours: a report is published where more people look than at the server."""
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"
    finding = Finding(
        step="call",
        where="body",
        expected=f'{{"access_token":"{token}"}}',
        actual=f"Authorization: Bearer {token} {hostile.body[:300]}",
    )
    session = run.sessions[3]
    steps = (replace(session.steps[1], findings=(finding,)),)
    written(replace(run, sessions=(replace(session, steps=steps, reason=f"Bearer {token}"),)), tmp_path / "run.sarif")

    text = (tmp_path / "run.sarif").read_text()
    assert token not in text
    assert "\\u001b" not in text
    assert "\\ud800" not in text.replace("\\\\ud800", "")


def test_a_run_without_findings_is_valid_too(run: Run, tmp_path: Path) -> None:
    """SARIF 2.1.0, section 3.14.23: no results is an empty array, which closes old alerts."""
    passed = tuple(session for session in run.sessions if session.verdict is Verdict.PASSED)

    assert written(replace(run, sessions=passed), tmp_path / "run.sarif")["results"] == []


def test_a_mutant_that_broke_is_a_result_with_the_smallest_change(
    run: Run, mutations: MutationRun, tmp_path: Path
) -> None:
    """Issue 6, items 4 and 6: a warning, because nothing is broken yet."""
    report = written(replace(run, sessions=run.sessions[:3], mutations=mutations), tmp_path / "run.sarif")

    rule = report["tool"]["driver"]["rules"][3]
    assert (rule["id"], rule["defaultConfiguration"]) == ("mutation/unknown-member-meta", {"level": "warning"})
    assert (rule["properties"]["survived"], rule["properties"]["tried"]) == (5, 8)
    first, second = report["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("mutation/unknown-member-meta", 3, "warning")
    assert first["message"]["text"] == (
        'chatgpt-create-modern breaks with discover, body /params/_meta/x: added string "new". '
        "discover, status: expected status 200, got status 400. Next: Ignore what you do not know."
    )
    assert second["message"]["text"].endswith("Trust: only inferred, expired 2026-10-01.")
    assert first["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "chatgpt-create-modern/discover"
    assert first["partialFingerprints"] != second["partialFingerprints"]
