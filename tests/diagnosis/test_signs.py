"""Which answer of the table is read off a reply: pure, one row each."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contract_tests.diagnosis import Observations, Place, Question
from contract_tests.diagnosis.inside.past import canary_signs, drift_sign, history_sign
from contract_tests.diagnosis.inside.words import says_sign
from contract_tests.diagnosis.outside.answers import signs_of
from contract_tests.offer.catalogue import CallableTool
from contract_tests.outcome import Ending, Received
from contract_tests.report.history import PastRun

JSON = (("Content-Type", "application/json"),)


def _reply(message: Any, *, status: int = 200, duration: float = 0.1, **more: Any) -> Received:
    body = json.dumps(message) if message is not None else ""
    members = {"headers": JSON, "chunks": (), "ending": Ending.COMPLETE, "first_byte": 0.1, **more}
    return Received(status=status, body=body, duration=duration, **members)


def _result(**result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "4"}], **result}}


def _answer(question: Question, reply: Received, name: str, **more: Any) -> str | None:
    seen = Observations(url="https://a.example/mcp", patience=1.0, answers={(Place.TARGET, question): reply}, **more)
    return next((sign.answer for sign in signs_of(seen) if sign.question == name), None)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (_reply(_result(), duration=31.0), "delivered"),
        (_reply(_result(), duration=61.0), "too-long-for-hosts"),
        (_reply(_result(), duration=140.0), "too-long-for-hosts"),
        (_reply(None, status=504, duration=60.1, longest_gap=60.1), "cut-at-a-round-time"),
        (_reply(None, ending=Ending.CUT_BY_CLIENT, duration=150.0, longest_gap=150.0), "too-long-for-hosts"),
        (_reply(None, ending=Ending.BROKEN, duration=125.4, longest_gap=125.4), "cut-at-a-round-time"),
        (_reply(None, ending=Ending.BROKEN, duration=100.2, longest_gap=100.2), "cut-at-a-round-time"),
        (_reply(None, ending=Ending.BROKEN, duration=37.0, longest_gap=37.0), "lost"),
        (_reply(None, status=500, duration=60.0, longest_gap=60.0), "lost"),
    ],
)
def test_a_slow_call_is_held_against_hosts_and_proxies(reply: Received, answer: str) -> None:
    """The wire facts, section 1.6: 59.8 s and 119.8 s; T-01, T-03: round times are proxies'."""
    assert _answer(Question.SLOW, reply, "slow-call") == answer


SCHEMA = {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}


@pytest.mark.parametrize(
    ("message", "schema", "is_example", "answer"),
    [
        (_result(), None, True, "works"),
        (_result(structuredContent={"total": 4}), SCHEMA, True, "works"),
        (_result(structuredContent={"total": "four"}), SCHEMA, True, "invalid-result"),
        (_result(), SCHEMA, True, "invalid-result"),
        (_result(content=[{"type": "json", "data": {}}]), None, True, "invalid-result"),
        (_result(content="four"), None, True, "invalid-result"),
        (_result(isError=True), SCHEMA, True, "errors"),
        (_result(isError=True), None, False, "errors-to-made-up"),
        ({"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "x"}}, None, False, "internal-error"),
        ({"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "x"}}, None, False, "errors-to-made-up"),
        ({"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "x"}}, None, True, "errors"),
        ({"jsonrpc": "2.0", "id": 1, "result": []}, None, True, "invalid-result"),
    ],
)
def test_a_tools_answer_is_judged(message: Any, schema: Any, is_example: bool, answer: str) -> None:
    """P-06: content types of the protocol only; P-39: output schemas; made-up arguments prove little."""
    tool = CallableTool(name="total", arguments={"of": "x"}, output_schema=schema)
    assert _answer(Question.TOOL, _reply(message), "tool", tool=tool, is_example=is_example) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Error in message stream", "stream-error"),
        ("424: unhandled errors in a TaskGroup (1 sub-exception)", "dependency-failed"),
        ('404 {"detail":"OAuth state not found"}', "lost-its-own-state"),
        ("504 Timed out waiting for MCP server response", "timed-out"),
        ("MCP server drive session expired", "session-expired"),
        ("AADSTS9010010: The resource parameter does not match", "sign-in-failed"),
        ("This connector's server is currently unavailable", "unavailable"),
        ("Something went wrong", "other"),
    ],
)
def test_a_hosts_words_are_known(text: str, answer: str) -> None:
    """P-05, P-06, P-12, F-02, P-31, T-04: as their reporters quoted them."""
    assert says_sign(text).answer == answer


def _run(held: tuple[str, ...], broken: tuple[str, ...] = ()) -> PastRun:
    return PastRun(
        target="t",
        started=datetime(2026, 11, 21, tzinfo=UTC),
        duration=1.0,
        version="1",
        exit_code=0,
        held=held,
        broken=broken,
        not_checked=(),
        findings=(),
    )


@pytest.mark.parametrize(
    ("runs", "answer"),
    [
        ([], None),
        ([_run(("a",))], None),
        ([_run(("a", "b")), _run(("a", "b"))], "hold"),
        ([_run(("a", "b")), _run(("a",), ("b",))], "break"),
        ([_run(("a",), ("b",)), _run(("a",), ("b",))], "hold"),
        ([_run(("a",)), _run(("c",))], None),
    ],
)
def test_a_history_says_whether_what_held_still_holds(runs: list[PastRun], answer: str | None) -> None:
    """DESIGN section 7: yesterday's sessions still pass; what was broken before says nothing."""
    sign = history_sign(runs)
    assert (sign.answer if sign else None) == answer


@pytest.mark.parametrize(
    ("report", "answer"),
    [
        ({"findings": []}, "none"),
        ({"findings": [{"kind": "member", "turn": "appeared", "name": "params.x", "trial": None}]}, "new"),
        ({"findings": [{"kind": "header", "trial": {"fate": "survived"}}]}, "new"),
        ({"findings": [{"kind": "header"}, {"kind": "version", "trial": {"fate": "breaks"}}]}, "new-and-breaks"),
        ({}, None),
    ],
)
def test_a_drift_report_says_what_is_new_and_what_it_breaks(report: dict[str, Any], answer: str | None) -> None:
    """DESIGN section 7: a shape changed in the same hour; a trial says whether the connector survives it."""
    sign = drift_sign(report)
    assert (sign.answer if sign else None) == answer


@pytest.mark.parametrize("report", [{}, {"answers": None}, {"answers": ["x", {"question": ["status"]}, {}]}])
def test_a_canarys_report_that_is_none_gives_no_evidence(report: dict[str, Any]) -> None:
    """Ours: a file somebody names need not be one."""
    assert canary_signs(report) == ()
