"""Parts of checks that need a tool with a name: asked where it is named, found where it is wrong, else left out."""

import hashlib
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from contract_tests import Options, Verdict
from contract_tests.checks import shutdown
from contract_tests.checks.abandoned import leaking
from contract_tests.checks.connections import reopened
from contract_tests.checks.files import names_sizes, why_not_whole
from contract_tests.checks.means import Means
from contract_tests.checks.outlasting import same_operation
from contract_tests.checks.outside import like
from contract_tests.checks.resource_forms import astray_upstream
from contract_tests.checks.shutdown import too_slow, why_lost
from contract_tests.checks.token_binding import hash_in
from contract_tests.configuration import to_configuration
from contract_tests.errors import BadConfiguration
from contract_tests.judging.reply import read_reply
from contract_tests.outcome import Ending, Received
from contract_tests.target.command import started
from tests.checks.broken import Broken
from tests.checks.judging import ids, judged, told
from tests.checks.workshop import MEANS, OPTIONS, Workshop

PARTS = ("CT-09", "CT-31", "CT-35")


@pytest.fixture(autouse=True)
def fewer_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty calls that block a quarter of a second each would take five."""
    monkeypatch.setattr(shutdown, "_CALLS", 8)


@pytest.mark.parametrize(
    ("fault", "contract", "step"),
    [
        ("loses _meta", "CT-09", "members of vendors in _meta and beside it"),
        ("takes params for _meta", "CT-09", "members of vendors in _meta and beside it"),
        ("blocks", "CT-31", "health while tools block"),
        ("takes what was cut", "CT-35", "an upload that was cut"),
        ("says no more", "CT-35", "an upload that was cut"),
        ("stores what was cut", "CT-35", "what was stored of a cut upload"),
        ("cuts what is large", "CT-35", "a result of 4 MB"),
    ],
)
def test_a_named_tool_is_asked_and_what_is_wrong_with_it_is_found(fault: str, contract: str, step: str) -> None:
    """CT-09c, CT-31c, CT-35a and b; incidents F-01, F-02, L-03."""
    run = judged(Workshop(fault), contract, options=OPTIONS)

    assert step in {finding.step for finding in run.findings}, told(run)
    assert all(finding.advice and contract in finding.incidents for finding in run.findings)


def test_tools_that_keep_their_promises_hold() -> None:
    """The same, kept; only what needs more than a tool is left out."""
    run = judged(Workshop(), *PARTS, options=OPTIONS)

    assert told(run) == []
    skipped = [step.name for session in run.sessions for step in session.steps if step.skipped]
    assert skipped == ["arguments of earlier releases", "calls in flight at a shutdown"]


def test_without_a_name_the_part_says_what_to_set() -> None:
    """Issue 6, item 2: not checked, with the reason and what to configure."""
    run = judged(Workshop(), *PARTS, options=Options(pace="none", seed=1))

    words = " ".join(step.skipped for session in run.sessions for step in session.steps)
    assert told(run) == []
    for key in ("echo_meta = ", "blocking_tool = ", "upload = {tool = ", "download = {tool = ", "[target] command"):
        assert key in words


def test_a_server_that_closes_its_connections_is_found() -> None:
    """CT-06: what counts is whether a second one had to be opened."""
    assert ids(judged(Broken("closes connections"), "CT-06"), Verdict.FAILED) == {"CT-06"}
    assert ids(judged(Broken(), "CT-06"), Verdict.PASSED) == {"CT-06"}


LEAVING = """
import os, signal, sys, asyncio
import uvicorn
sys.path[:0] = {path!r}
from tests.checks.workshop import Workshop
from tests.replay.servers import FOUND, Answer, result

class Slow(Workshop):
    def _call(self, asked):
        answer = super()._call(asked)
        return Answer(pieces=[(1.2 if asked.message["params"]["name"] == "work" else 0, answer.pieces[0][1])])

class Rude(uvicorn.Server):
    def handle_exit(self, sig, frame):
        os._exit(1)

kind = Rude if {is_rude} else uvicorn.Server
kind(uvicorn.Config(Slow(), host="127.0.0.1", port={port}, log_level="critical", lifespan="off")).run()
"""


@pytest.mark.parametrize("is_rude", [False, True])
def test_calls_that_are_in_flight_when_a_process_leaves(tmp_path: Path, is_rude: bool) -> None:
    """CT-31b, incident T-11: told to leave, it finishes what it took, or it is found."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    file = tmp_path / "server.py"
    file.write_text(LEAVING.format(path=[str(Path(__file__).parents[2])], port=port, is_rude=is_rude))
    url = f"http://127.0.0.1:{port}/mcp"

    with started([sys.executable, str(file)], url) as process:
        means = Means(blocking_tool="work", leave=process.leave)
        run = judged(url, "CT-31", options=Options(pace="none", seed=1, means=means))

    found = {finding.step for finding in run.findings}
    assert found == ({"calls in flight at a shutdown"} if is_rude else set()), told(run)


def received(status: int | None, ending: Ending, body: str = "") -> Any:
    headers = (("content-type", "application/json"),)
    return read_reply(
        Received(status=status, headers=headers, body=body, chunks=(), ending=ending, duration=1.0, first_byte=None)
    )


RESULT = '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'


@pytest.mark.parametrize(
    ("status", "ending", "body", "is_lost"),
    [
        (200, Ending.COMPLETE, RESULT, False),
        (503, Ending.COMPLETE, "", False),
        (None, Ending.UNREACHABLE, "", False),
        (200, Ending.BROKEN, "", True),
        (None, Ending.BROKEN, "", True),
        (200, Ending.COMPLETE, "", True),
        (500, Ending.COMPLETE, "", True),
    ],
)
def test_a_call_is_lost_if_it_was_taken_and_not_answered(
    status: int | None, ending: Ending, body: str, is_lost: bool
) -> None:
    """CT-31b."""
    assert (why_lost(received(status, ending, body)) is not None) is is_lost


@pytest.mark.parametrize(
    ("results", "done", "where"),
    [
        (({"operation_id": "a"}, {"operation_id": "a"}), 1, []),
        (({"taskId": "a"}, {"taskId": "b"}), 1, ["the operation"]),
        (({"operation_id": "a"}, {}), 1, ["the operation"]),
        (({}, {}), 1, []),
        (({}, {}), 2, ["effects"]),
    ],
)
def test_two_calls_are_one_operation_if_they_name_the_same(results: Any, done: int, where: list[str]) -> None:
    """CT-05b, incident D-02."""
    bodies = [f'{{"jsonrpc":"2.0","id":1,"result":{{"structuredContent":{one}}}}}' for one in map(_json, results)]
    replies = [received(200, Ending.COMPLETE, body) for body in bodies]

    assert [complaint.where for complaint in same_operation(replies, done)] == where


def _json(value: Any) -> str:
    return str(value).replace("'", '"')


@pytest.mark.parametrize(
    ("result", "is_whole"),
    [
        ({"content": [{"type": "text", "text": "x" * 100}]}, True),
        ({"content": [{"type": "text", "text": "x" * 99}]}, False),
        ({"content": [{"type": "resource_link", "uri": "https://x"}]}, True),
        ({"content": [{"type": "image", "data": "eHh4"}]}, False),
        ({"content": [{"type": "resource", "resource": {"text": "x" * 100}}]}, True),
        ({"content": [], "isError": True}, True),
        ({"content": [{"type": "text", "text": "x" * 100}], "structuredContent": {"sha256": "00"}}, False),
        ({}, False),
    ],
)
def test_a_large_result_is_whole_or_a_link(result: Any, is_whole: bool) -> None:
    """CT-35b, incident F-02."""
    assert (why_not_whole(result, 100) is None) is is_whole


def test_small_rules_of_judging() -> None:
    """Numbers and texts that decide, each with both outcomes."""
    assert (reopened(1), reopened(2) is None) == (None, False)
    assert (leaking(10, 35), leaking(None, 99), leaking(10, 36) is None) == (None, None, False)
    assert (too_slow([]), too_slow([0.01] * 100 + [0.5])) == (None, None)
    assert too_slow([0.01] * 50 + [0.5]) is not None
    digest = hashlib.sha256(b"token").hexdigest()
    assert hash_in(f"it is {digest}", "token")
    assert not hash_in(f"it is {digest}", "other")
    assert like("text/html") == ["text/html"]
    assert like("text/event-stream") == like("application/json") == ["application/json", "text/event-stream"]
    said = received(200, Ending.COMPLETE, '{"result":{"content":[{"type":"text","text":"7,500 of 12_000"}]}}')
    assert names_sizes(said, 7500, 12000)
    assert not names_sizes(said, 7501)


@pytest.mark.parametrize(
    ("location", "is_astray"),
    [
        ("https://login.microsoftonline.com/t/oauth2/v2.0/authorize?scope=api://c/x", False),
        ("https://login.microsoftonline.com/t/oauth2/v2.0/authorize?resource=https://x", True),
        ("https://ours.eu.auth0.com/authorize?resource=https://x", True),
        ("https://example.com/authorize?resource=https://x", False),
        ("", False),
    ],
)
def test_resource_is_not_taken_upstream(location: str, is_astray: bool) -> None:
    """CT-25b, class O."""
    assert (astray_upstream(location) is not None) is is_astray


def test_the_tools_of_checks_are_configured(tmp_path: Path) -> None:
    """docs/sessions.md, numbered contracts."""
    upload, download = dict(MEANS.upload), dict(MEANS.download)
    names: dict[str, Any] = {"echo_meta": "echo", "blocking_tool": "work", "long_write": "pay"}
    names |= {"token_hash": "t", "change_tool": "c"}
    data = {"checks": {**names, "upload": upload, "download": download, "health": "/healthz"}}
    found = to_configuration(data, source="test", folder=tmp_path).options.means

    assert found == Means(**names, upload=upload, download=download, health="/healthz")
    with pytest.raises(BadConfiguration, match=r"checks\.upload is .* Write upload = \{tool = "):
        to_configuration({"checks": {"upload": {"tool": "store"}}}, source="test", folder=tmp_path)
