"""The JUnit report, read back with an XML parser."""

from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, parse

from contract_tests.outcome import Received, Run
from contract_tests.report.junit import write_junit


def written(run: Run, path: Path) -> Element:
    write_junit(run, path)
    root = parse(path).getroot()
    assert root is not None
    return root


def properties(element: Element) -> list[tuple[str | None, str | None]]:
    return [(found.get("name"), found.get("value")) for found in element.findall("properties/property")]


def test_every_session_is_a_test_case_that_a_ci_system_counts(run: Run, tmp_path: Path) -> None:
    """JUnit XML as Jenkins and GitLab read it."""
    root = written(run, tmp_path / "new" / "run.xml")

    assert root.tag == "testsuites"
    (suite,) = root
    counts = {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped", "time")}
    assert counts == {
        "name": "examples/pydocs.py",
        "tests": "5",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
        "time": "17.250",
    }
    assert suite.get("timestamp") == "2026-11-21T03:04:05+00:00"
    assert [(case.get("classname"), case.get("name")) for case in suite.findall("testcase")] == [
        ("chatgpt.connector", "chatgpt-create-modern"),
        ("chatgpt.connector", "chatgpt-slow-call"),
        ("chatgpt.connector", "chatgpt-retired-probe"),
        ("chatgpt.connector", "chatgpt-legacy-fallback"),
        ("chatgpt.model", "chatgpt-write-twice"),
    ]


def test_a_session_that_breaks_is_one_failure_with_all_its_findings(run: Run, tmp_path: Path) -> None:
    """Issue 2: the step, what was sent, what came back, what was expected, the incident."""
    case = written(run, tmp_path / "run.xml").findall(".//testcase")[3]

    (failure,) = case.findall("failure")
    assert failure.get("message") == "initialize, status: expected 200, got 404 (and 1 more finding)"
    assert failure.text is not None
    lines = failure.text.splitlines()
    assert lines[0] == "step initialize"
    assert "  status: expected 200" in lines
    assert "  status: got 404" in lines
    assert "  body $.error.code: got -32601" in lines
    assert "  guards against: kagura-ai/memory-cloud#1544, openai/t1379834" in lines
    assert "sent: POST http://127.0.0.1:8123/mcp" in lines
    assert (
        "received: 404 Not Found, application/json, 77 bytes; first byte after 3.1 ms, 1 chunk, complete after 3.5 ms"
        in (lines)
    )


def test_a_session_that_was_not_checked_is_skipped_with_its_reason(run: Run, tmp_path: Path) -> None:
    """Design: not checked is never passed."""
    case = written(run, tmp_path / "run.xml").findall(".//testcase")[4]

    assert [skipped.get("message") for skipped in case.findall("skipped")] == ["the target has no tool that writes"]


def test_provenance_and_doubts_are_properties(run: Run, tmp_path: Path) -> None:
    """Issue 6: an expired or only inferred session says so in every report."""
    root = written(run, tmp_path / "run.xml")

    assert properties(root.findall(".//testcase")[2]) == [
        ("title", "A probe without a method"),
        ("provenance", "inferred"),
        ("seen", "2026-09-29"),
        ("expires", "2026-10-01"),
        ("doubt", "only inferred"),
        ("doubt", "expired 2026-10-01"),
        ("incident", "openai/t1379834"),
        ("incident", "kagura-ai/memory-cloud#1544"),
    ]
    assert properties(root[0])[:2] == [("url", "http://127.0.0.1:8123/mcp"), ("mcp-ballast", "0.1.0")]


def test_doubts_stand_in_the_message_too(run: Run, tmp_path: Path) -> None:
    """Issue 6, item 1: most readers of the format show no properties."""
    doubtful = [replace(run.sessions[number], provenance="inferred", is_expired=True) for number in (3, 4)]

    failed, skipped = written(replace(run, sessions=tuple(doubtful)), tmp_path / "run.xml").findall(".//testcase")

    assert [one.get("message") for one in failed.findall("failure")] == [
        "initialize, status: expected 200, got 404 (and 1 more finding) [only inferred, expired 2027-03-29]"
    ]
    assert [one.get("message") for one in skipped.findall("skipped")] == [
        "the target has no tool that writes [only inferred, expired 2027-03-29]"
    ]


def test_contracts_that_have_no_case_of_their_own_get_one(contracted: Run, tmp_path: Path) -> None:
    """Issue 6, item 2: what sessions show of a contract; what was not part of the run is named, not counted."""
    root = written(contracted, tmp_path / "run.xml")

    first, second = root.findall("testsuite")
    cases = {case.get("name"): case for case in first.findall("testcase")}
    assert [one.get("message") for one in cases["CT-29"].findall("skipped")] == [
        (
            "the target asks for no authorization. "
            "What would make it checkable: nothing, unless people should have to log in to this target"
        )
    ]
    assert cases["CT-12"].find("failure") is not None
    assert (second.get("name"), second.get("tests")) == ("examples/pydocs.py, contracts", "1")
    (shown,) = second.findall("testcase")
    assert (shown.get("classname"), shown.get("name"), len(shown)) == ("contract", "CT-17", 1)
    assert properties(shown)[1:] == [
        ("shown by", "legacy-2025-03-26"),
        ("doubt", "legacy-2025-03-26: only inferred"),
    ]
    told = properties(second)
    assert told[0] == ("contracts", "contracts: 2 hold, 1 is broken (CT-12), 40 not checked")
    assert ("not part of this run", "CT-01") in told
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("11", "2", "3")


def test_a_contract_that_a_session_breaks_is_a_failure_though_its_own_check_holds(
    contracted: Run, tmp_path: Path
) -> None:
    """Ours: a number is broken if a finding of anything names it."""
    session = contracted.sessions[3]
    step = session.steps[1]
    finding = replace(step.findings[0], incidents=("CT-42", "CT-43"))
    accusing = replace(session, steps=(replace(step, findings=(finding,)),))
    run = replace(contracted, sessions=(accusing, contracted.sessions[7]))

    suite = written(run, tmp_path / "run.xml").findall("testsuite")[1]

    assert {
        case.get("name"): [one.get("message") for one in case.findall("failure")] for case in suite if case.get("name")
    } == {
        "CT-42": ["A client that answers no pings is served all the same: broken, as chatgpt-legacy-fallback shows"],
        "CT-43": ["Where the old transport was, people are told where to go: broken, as chatgpt-legacy-fallback shows"],
    }


def test_a_hostile_body_leaves_the_document_well_formed(run: Run, hostile: Received, tmp_path: Path) -> None:
    """XML 1.0 forbids most control characters and lone surrogates, even as references."""
    session = run.sessions[3]
    finding = replace(session.steps[1].findings[0], actual=hostile.body[:200])
    steps = (replace(session.steps[1], received=hostile, findings=(finding,)),)
    run = replace(run, sessions=(replace(session, steps=steps, reason="\x00]]>\ud800"),), target="\x1b<&>")

    root = written(run, tmp_path / "run.xml")

    (failure,) = root.iter("failure")
    assert root[0].get("name") == "\\x1b<&>"
    assert failure.text is not None
    assert "\\x00]]>\\ud800" in failure.text
    assert "</script><script>alert(1)</script>" in failure.text
    assert "(first 2,000 of " in failure.text
