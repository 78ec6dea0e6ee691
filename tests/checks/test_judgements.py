"""What the checks judge by: pure functions over replies, lists and numbers, with values of all kinds."""

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from contract_tests.checks.abandoned import growing
from contract_tests.checks.counter import number_in
from contract_tests.checks.members import strange_in_initialize, strange_in_list
from contract_tests.checks.mutants import mutants
from contract_tests.checks.session_ids import shared_ids
from contract_tests.checks.spellings import spellings
from contract_tests.checks.standings import NUMBERS, counted, evidence, standings
from contract_tests.checks.tool_lint import lint_result, lint_tools
from contract_tests.checks.widgets import lint_content, resources, unequal
from contract_tests.notation.corpus import load_sessions
from contract_tests.outcome import Verdict
from tests.checks.broken import Broken
from tests.checks.judging import judged

SCHEMA = {"type": "object"}


@pytest.mark.parametrize(
    ("tools", "where"),
    [
        ([{"name": "a", "inputSchema": SCHEMA}, {"name": "b-1", "inputSchema": SCHEMA}], []),
        ([{"name": "a b", "inputSchema": SCHEMA}], ["result.tools[0].name"]),
        ([{"name": "x" * 65, "inputSchema": SCHEMA}], ["result.tools[0].name"]),
        ([{"name": "Find", "inputSchema": SCHEMA}, {"name": "find", "inputSchema": SCHEMA}], ["result.tools[1].name"]),
        ([{"name": "a"}], ["result.tools[0].inputSchema.type"]),
        ([{"name": "a", "inputSchema": {"type": "array"}}], ["result.tools[0].inputSchema.type"]),
        ([{"name": "a", "inputSchema": {"type": "object", "properties": 7}}], ["result.tools[0].inputSchema"]),
        ([{"name": "a", "inputSchema": SCHEMA, "outputSchema": {}}], ["result.tools[0].outputSchema.type"]),
        (["a"], ["result.tools[0]"]),
    ],
)
def test_tools_that_hosts_reject_are_named(tools: list[Any], where: list[str]) -> None:
    """CT-32, incidents P-38 and P-39."""
    assert [complaint.where for complaint in lint_tools(tools)] == where


TEXT = {"type": "text", "text": "it"}
OUTPUT = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.mark.parametrize(
    ("result", "schema", "version", "where"),
    [
        ({"content": [TEXT]}, None, "2024-11-05", []),
        ({"content": [{"type": "audio"}]}, None, "2024-11-05", ["result.content[0].type"]),
        ({"content": [{"type": "audio"}]}, None, "2025-03-26", []),
        ({"content": [{"type": "resource_link"}]}, None, "2025-03-26", ["result.content[0].type"]),
        ({"content": [{"type": "hologram"}]}, None, "2026-07-28", ["result.content[0].type"]),
        ({}, None, "2025-11-25", ["result.content"]),
        ({"content": [TEXT], "structuredContent": {"n": 1}}, OUTPUT, "2025-11-25", []),
        ({"content": [TEXT]}, OUTPUT, "2025-11-25", ["result.structuredContent"]),
        ({"content": [TEXT], "structuredContent": {"n": "1"}}, OUTPUT, "2025-11-25", ["result.structuredContent"]),
        ({"content": [TEXT], "isError": True}, OUTPUT, "2025-11-25", []),
        ({"content": [], "isError": True, "structuredContent": {}}, OUTPUT, "2025-11-25", ["result.structuredContent"]),
        ("text", None, "2025-11-25", ["result"]),
    ],
)
def test_results_that_do_not_keep_to_their_declaration_are_named(
    result: Any, schema: Any, version: str, where: list[str]
) -> None:
    """CT-32, incidents P-06 and P-39."""
    assert [complaint.where for complaint in lint_result(result, schema, version)] == where


@pytest.mark.parametrize(
    ("tool", "version", "strange"),
    [
        ({"name": "a", "annotations": {}}, "2024-11-05", ["result.tools[0].annotations"]),
        ({"name": "a", "annotations": {}, "title": "A"}, "2025-03-26", ["result.tools[0].title"]),
        ({"name": "a", "title": "A", "execution": {}}, "2025-06-18", ["result.tools[0].execution"]),
        ({"name": "a", "execution": {}, "securitySchemes": []}, "2025-11-25", []),
        ({"name": "a", "execution": {}}, "2026-07-28", ["result.tools[0].execution"]),
        ({"name": "a", "vendor": 1}, "2026-07-28", ["result.tools[0].vendor"]),
    ],
)
def test_members_of_other_revisions_are_named(tool: Any, version: str, strange: list[str]) -> None:
    """CT-34."""
    assert [complaint.where for complaint in strange_in_list({"tools": [tool]}, version)] == strange


def test_an_initialize_result_is_read_in_its_revision() -> None:
    """CT-34."""
    result = {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}, "completions": {}, "tasks": {}},
        "serverInfo": {"name": "a", "version": "1", "title": "A", "websiteUrl": "https://example.com"},
        "resultType": "complete",
    }

    assert {complaint.where for complaint in strange_in_initialize(result, "2025-06-18")} == {
        "result.resultType",
        "result.serverInfo.websiteUrl",
        "result.capabilities.tasks",
    }


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (["7"], 7),
        ([{"result": 7}], 7),
        (['{"count": 12}'], 12),
        (["there are 3 orders"], 3),
        ([{"ok": True, "count": 4}], 4),
        ([{"a": 1, "b": 2}, "5"], 5),
        (["none"], None),
        ([], None),
    ],
)
def test_a_counter_may_answer_in_several_ways(said: list[Any], number: int | None) -> None:
    """CT-04."""
    assert number_in(said) == number


@pytest.mark.parametrize(
    ("sizes", "grows"),
    [
        ([0, 10_000_000, 10_000_000, 10_000_000], False),
        ([0, 1_000_000, 2_000_000, 3_000_000], True),
        ([0, 1_000_000, 2_000_000, 2_000_100], False),
        ([0, None, 2_000_000, 9_000_000], False),
    ],
)
def test_memory_that_grows_in_every_round_after_the_first_is_a_leak(sizes: list[int | None], grows: bool) -> None:
    """CT-03, incident L-01; a hundred sessions a round."""
    assert (growing(sizes, 100) is not None) is grows


@pytest.mark.parametrize(
    ("given", "is_wrong"), [(["a", "b"], False), ([None, None], False), (["a", "a"], True), (["a", None, "a"], True)]
)
def test_handshakes_share_no_session(given: list[str | None], is_wrong: bool) -> None:
    """CT-01, incident T-12."""
    assert (shared_ids(given) is not None) is is_wrong


@pytest.mark.parametrize(
    ("url", "both"),
    [
        ("https://a.example/mcp", ("https://a.example/mcp", "https://a.example/mcp/")),
        ("https://a.example/x/mcp/", ("https://a.example/x/mcp", "https://a.example/x/mcp/")),
        ("https://a.example/", ("https://a.example/",)),
        ("https://a.example/mcp?k=1", ("https://a.example/mcp?k=1", "https://a.example/mcp/?k=1")),
    ],
)
def test_an_address_has_two_spellings_unless_it_has_no_path(url: str, both: tuple[str, ...]) -> None:
    """CT-18, incidents T-10 and P-24."""
    assert spellings(url) == both


def test_widgets_that_speak_one_dialect_are_named() -> None:
    """CT-36, incident P-14."""
    tools: tuple[Any, ...] = (
        {"name": "both", "_meta": {"ui": {"resourceUri": "ui://a"}, "openai/outputTemplate": "ui://a"}},
        {"name": "old", "_meta": {"openai/outputTemplate": "ui://b"}},
        {"name": "none"},
    )
    content = {
        "mimeType": "text/html;profile=mcp-app",
        "_meta": {
            "openai/widgetCSP": {"connect_domains": ["https://a.example"], "resource_domains": ["https://b.example"]},
            "ui": {"csp": {"connectDomains": ["https://a.example"]}},
        },
    }

    assert set(resources(tools)) == {"ui://a", "ui://b"}
    assert [complaint.where for complaint in unequal(tools)] == ["old, _meta ui.resourceUri"]
    assert [complaint.actual for complaint in lint_content(content)] == ['["https://b.example"] and []']
    assert [complaint.where for complaint in lint_content({"mimeType": "text/html"})] == ["mimeType"]


def test_mutants_follow_their_seed_and_keep_method_and_id() -> None:
    """CT-08: a failure can be repeated with --seed."""
    bodies = [{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": "a", "_meta": {"b": 1}}}]
    once, again, other = (list(mutants([*bodies], Random(seed), count=40)) for seed in (1, 1, 2))

    assert once == again
    assert once != other
    assert all((body["id"], body["method"]) == (1, "tools/list") for body in once)
    assert all(body != bodies[0] for body in once)


def test_every_number_has_a_check_or_sessions_that_ship() -> None:
    """Issue 6, item 2: all 43."""
    shipped = {session.id for session in load_sessions()}
    by_sessions = {number: evidence(number) for number in NUMBERS if evidence(number) != (number,)}

    assert len(NUMBERS) == 43
    assert set(by_sessions) == {"CT-06", "CT-17", "CT-20", "CT-24", "CT-27", "CT-28"}
    assert all(set(found) <= {*shipped, number} and found for number, found in by_sessions.items())
    assert {number for number, found in by_sessions.items() if number in found} == {"CT-06", "CT-24", "CT-28"}


def test_a_run_says_of_every_number_how_it_stands() -> None:
    """Issue 6, item 2: held, broken, or not checked and why; never passed unasked."""
    run = judged(Broken("nothing at /sse"), "CT-12", "CT-39", "CT-42", "CT-43")
    found = {one.number: one for one in standings(run.sessions)}

    assert list(found) == list(NUMBERS)
    assert {one.outcome for one in found.values()} == {"held", "broken", "not checked"}
    assert (found["CT-43"].outcome, found["CT-43"].by) == ("broken", ("CT-43",))
    assert (found["CT-12"].outcome, found["CT-12"].by) == ("held", ("CT-12",))
    assert found["CT-42"].left_out == ("a call after 30 s of silence: it must really be waited for: add --slow",)
    assert found["CT-39"].reason.startswith("nightly canary")
    assert found["CT-20"].reason == "it was not part of this run"
    assert counted(tuple(found.values())) == "contracts: 2 held, 1 broken (CT-43), 40 not checked"
    assert Verdict.FAILED in {session.verdict for session in run.sessions}


def test_the_document_names_every_contract_and_every_key() -> None:
    """Ours: the reference is complete."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "sessions.md").read_text()
    table = set(re.findall(r"CT-\d\d", page))

    assert set(NUMBERS) - table == set()
    for key in (
        "command",
        "counter",
        "workers",
        "hosts",
        "destructive",
        "slow_tool",
        "write",
        "removed_tools",
        "earlier",
    ):
        assert f"`{key}`" in page or f"\n{key} = " in page, key
