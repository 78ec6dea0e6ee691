"""The official conformance suite against our own door: both revisions, every scored scenario."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import wire
from tests.conformance.counts import row
from tests.conformance.everything import Everything
from tests.conformance.expectations import LEGS, Divergence, Leg, findings, passed
from tests.conformance.suite import Check, Requirements, Suite, SuiteMissing, install, serving
from tests.loopback import Serve

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"

Outcome = tuple[Leg, Requirements, Sequence[Check]]

TOOLS = {
    *("test_simple_text", "test_image_content", "test_audio_content", "test_embedded_resource"),
    *("test_multiple_content_types", "test_error_handling", "test_tool_with_progress", "test_tool_with_logging"),
    *("test_logging_tool", "test_custom_header", "json_schema_2020_12_tool", "test_sampling", "test_elicitation"),
    *("test_elicitation_sep1034_defaults", "test_elicitation_sep1330_enums", "test_missing_capability"),
    *("test_trigger_tool_change", "test_trigger_prompt_change", "test_streaming_elicitation"),
    "test_reconnection",
    *("test_input_required_result_elicitation", "test_input_required_result_sampling"),
    *("test_input_required_result_list_roots", "test_input_required_result_request_state"),
    *("test_input_required_result_tampered_state", "test_input_required_result_multiple_inputs"),
    *("test_input_required_result_multi_round", "test_input_required_result_capabilities"),
}

PROMPTS = {
    *("test_simple_prompt", "test_prompt_with_arguments", "test_prompt_with_embedded_resource"),
    *("test_prompt_with_image", "test_input_required_result_prompt"),
}

RESOURCES = {"test://static-text", "test://static-binary", "test://watched-resource"}


@pytest.fixture(scope="module")
def suite() -> Suite:
    try:
        return install()
    except SuiteMissing as missing:
        reason = str(missing)
    assert os.environ.get("CI") != "true", f"{reason}; CI must not go without"
    pytest.skip(reason)


@pytest.fixture(scope="module", params=LEGS, ids=str)
def outcome(request: pytest.FixtureRequest, suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    leg: Leg = request.param
    output: Path = tmp_path_factory.mktemp("conformance")
    with serving(*leg.arguments) as origin:
        return leg, suite.requirements(leg.revision), suite.run(origin, leg.revision, output)


@pytest.mark.timeout(900)  # the first run installs the suite
def test_every_scored_scenario_passes_but_the_listed_ones(outcome: Outcome) -> None:
    """Issue 3, item 8: as many as the plain SDK scores, but for what needs a session on an engine without them."""
    leg, requirements, checks = outcome

    assert findings(leg, requirements, checks) == []
    diverging = {divergence.scenario for divergence in leg.divergences}
    assert {s for s in requirements.scored if not passed(s, checks)} == diverging


@pytest.mark.timeout(900)
def test_the_documentation_has_the_counts_of_this_run(outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> None:
    """Ours: printed, and equal to the table's row, so that neither can be a memory of better days."""
    leg, requirements, checks = outcome
    counted = row(leg, requirements, checks)
    with capsys.disabled():
        print(f"\n{counted}")  # noqa: T201  # the counts belong into the run's output

    written = DOCUMENT.read_text()
    assert counted in written.splitlines()
    for divergence in leg.divergences:
        assert f"| `{divergence.scenario}` | `{divergence.check}` |" in written


@pytest.mark.timeout(900)
def test_every_scenario_of_the_revision_has_run(outcome: Outcome) -> None:
    """Facts on the suite: 37 scored server scenarios at 2026-07-28, 30 at 2025-11-25."""
    leg, requirements, checks = outcome

    assert len(requirements.scored) == leg.scored
    assert {check.scenario for check in checks} == {*requirements.scored, *requirements.unscored}


@pytest.mark.timeout(900)
def test_no_check_was_untestable(outcome: Outcome) -> None:
    """The suite marks what it could not exercise; a fixture that is missing would hide behind it."""
    _, requirements, checks = outcome

    blind = [c for c in checks if isinstance(c.details, dict) and c.details.get("untestable")]

    assert [c for c in blind if c.scenario in requirements.scored] == []


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_every_fixture_the_suite_calls_exists(serve: Serve, version: str) -> None:
    """Scenarios pass vacuously where a server answers an unknown tool with `isError` (facts, traps)."""
    origin = serve(Everything())

    def listed(method: str, key: str, name: str) -> set[str]:
        if version == "2026-07-28":
            said, body = wire.modern(method)
        else:
            said, body = wire.headers(version=version), wire.request(method)
        return {each[name] for each in wire.post(origin, body, said).json()["result"][key]}

    assert listed("tools/list", "tools", "name") == TOOLS
    assert listed("prompts/list", "prompts", "name") == PROMPTS
    assert listed("resources/list", "resources", "uri") == RESOURCES
    assert listed("resources/templates/list", "resourceTemplates", "uriTemplate") == {"test://template/{id}/data"}


REASON = "it needs a session"

KNOWN = Divergence(scenario="ping", check="ping", status="FAILURE", says="no way back", reason=REASON)


def judge(*checks: Check, known: tuple[Divergence, ...] = ()) -> list[str]:
    leg = Leg(revision="2025-11-25", engine="default", scored=1, divergences=known)
    return findings(leg, Requirements(scored=("ping",), unscored=()), checks)


def test_a_failure_that_is_not_listed_is_a_finding() -> None:
    """Ours."""
    assert judge(Check(scenario="ping", id="ping", status="FAILURE", message="no pong")) == [
        "ping: ping is FAILURE: no pong",
        "ping: nothing was checked",
    ]


def test_a_listed_failure_that_passes_is_a_finding() -> None:
    """Ours: the list cannot outlive its reasons."""
    assert judge(Check(scenario="ping", id="ping", status="SUCCESS"), known=(KNOWN,)) == [
        "ping: ping is not FAILURE with 'no way back': correct its Divergence"
    ]


def test_a_listed_check_that_fails_for_another_reason_is_a_finding() -> None:
    """Ours."""
    assert len(judge(Check(scenario="ping", id="ping", status="FAILURE", message="crashed"), known=(KNOWN,))) == 2


def test_a_timeout_is_a_finding_even_where_the_check_passes() -> None:
    """Facts, traps: a scenario that ran out of time can be scored as passed."""
    assert judge(Check(scenario="ping", id="ping", status="SUCCESS", message="Request timed out")) == [
        "ping: ping was decided by a timeout: Request timed out"
    ]


def test_a_scenario_that_checked_nothing_has_not_passed() -> None:
    """The suite counts it as passed: at 2025-11-25 `server-sse-multiple-streams` without a session id."""
    assert judge(Check(scenario="ping", id="ping", status="INFO", message="skipped")) == ["ping: nothing was checked"]
