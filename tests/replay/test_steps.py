"""What a session file can ask of a step: conditions, cuts, silence, captures, alternatives."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from contract_tests import Options, Run, Session, load_sessions, open_target, play_sessions
from contract_tests.side_by_side import AT_ONCE
from tests.replay.replaying import play_written, write
from tests.replay.servers import Answer, Asked, Change, Tolerant, result, said

GET = {"method": "GET"}


def server(answer: Callable[[Asked], Answer]) -> Tolerant:
    """A tolerant server whose GET is answered like this."""
    return Tolerant({"get": answer})


def stream(*pieces: tuple[float, bytes], breaks: bool = False) -> Callable[[Asked], Answer]:
    return lambda asked: Answer(media="text/event-stream", pieces=pieces, breaks=breaks)


def test_a_step_after_a_cut_is_played_only_if_there_was_one(tmp_path: Path) -> None:
    """responses-slow-60x2: the second call is a retry."""
    either = [{"status": [200], "json": [{"at": "", "equals": {}}]}, {"status": [405]}]
    steps: list[dict[str, Any]] = [
        {"name": "first", "send": GET, "cut_after": 0.3, "expect": {"ending": ["complete", "cut"], "any_of": either}},
        {"name": "again", "send": GET, "when": {"cut": "first", "otherwise": "it was quick"}, "cut_after": 0.3},
    ]
    quick = play_written(server(lambda asked: said({})), tmp_path, *steps)
    slow = play_written(server(stream((0, b": \n\n"), (2, b"data: {}\n\n"))), tmp_path, *steps)

    assert [step.skipped for step in quick.steps] == ["", "it was quick"]
    assert quick.verdict == "passed"
    assert [(finding.step, finding.where) for finding in slow.findings] == [("again", "ending")]
    assert slow.findings[0].expected == "a complete reply"
    assert re.fullmatch(r"cut by the client after 0\.\d s, 4 bytes into the body", slow.findings[0].actual)


def test_silence_is_found_and_heartbeats_end_it(tmp_path: Path) -> None:
    """T-03, CT-15: proxies cut a silent stream."""
    step = {"name": "wait", "send": GET, "expect": {"longest_gap": 0.6}}
    silent = play_written(server(stream((0, b": \n\n"), (1.2, b"data: {}\n\n"))), tmp_path, step)
    beating = play_written(server(stream(*[(0.2, b": \n\n")] * 6, (0.1, b"data: {}\n\n"))), tmp_path, step)

    (finding,) = silent.findings
    assert (finding.where, finding.expected) == ("longest gap", "never silent for more than 0.6 s")
    assert finding.actual.startswith("silent for 1.")
    assert beating.findings == ()


def test_a_late_first_byte_is_found(tmp_path: Path) -> None:
    """T-04: hosts and proxies give up before the first byte."""
    step = {"name": "wait", "send": GET, "expect": {"first_byte_within": 0.2, "within": 0.3}}
    late = play_written(server(stream((0.6, b"data: {}\n\n"))), tmp_path, step)

    assert [finding.where for finding in late.findings] == ["first byte", "duration"]


def test_a_stream_that_breaks_is_told_with_its_moment(tmp_path: Path) -> None:
    """P-05: a cut stream is what people see as an error in the message stream."""
    broken = play_written(server(stream((0, b"data: 1\n\n"), breaks=True)), tmp_path, {"name": "read", "send": GET})

    (finding,) = broken.findings
    assert finding.where == "ending"
    assert finding.actual.startswith("broken by the target after ")
    assert ", 9 bytes into the body: " in finding.actual


def test_what_a_reply_gives_goes_into_later_requests(tmp_path: Path) -> None:
    """Ours: ids, sessions and endpoints come from the target."""
    target = server(lambda asked: said({"next": "/mcp/2", "n": [1, 2], "no": None}, headers={"X-Id": "a b"}))
    play_written(
        target,
        tmp_path,
        {
            "name": "one",
            "send": GET,
            "capture": {
                "next": {"json": "next"},
                "n": {"json": "n"},
                "id_of_it": {"header": "x-id", "matches": "(.) "},
                "absent": {"json": "no"},
                "filled": {"json": "no", "default": 7},
            },
        },
        {
            "name": "two",
            "send": {
                "method": "POST",
                "path": "${next}",
                "headers": {"X-Known": "${id_of_it}", "X-Unknown": "${absent?}", "X-Mixed": "v ${absent?}"},
                "json": {"n": "${n}", "text": "n=${n}", "filled": "${filled}", "gone": "${absent?}", "dollar": "$${n}"},
            },
        },
    )

    asked = target.asked[-1]
    assert asked.path == "/mcp/2"
    assert asked.body == b'{"n":[1,2],"text":"n=[1,2]","filled":7,"dollar":"${n}"}'
    assert asked.headers["x-known"] == "a"
    assert not {"x-unknown", "x-mixed"} & set(asked.headers)


def test_a_value_that_never_came_is_a_finding_once(tmp_path: Path) -> None:
    """Ours: a step that could not be sent is not passed over in silence."""
    one = {"name": "one", "send": GET, "capture": {"it": {"json": "it"}}}
    two = {"name": "two", "send": {"method": "GET", "path": "/${it}"}}
    alone = play_written(server(lambda asked: said({})), tmp_path, one, two)
    after = play_written(server(lambda asked: said({})), tmp_path, {**one, "expect": {"status": [201]}}, two)

    assert [(finding.step, finding.where) for finding in alone.findings] == [("two", "${it}")]
    assert alone.steps[1].skipped == "it needs ${it}, which no earlier step gave"
    assert [(finding.step, finding.where) for finding in after.findings] == [("one", "status")]


def test_a_condition_can_end_a_session_as_not_checked(tmp_path: Path) -> None:
    """Ours: what does not apply is not passed."""
    ended = play_written(
        server(lambda asked: said({})),
        tmp_path,
        {"name": "one", "send": GET, "capture": {"it": {"json": "it"}}},
        {"name": "two", "send": GET, "when": {"known": ["it"], "otherwise": "there is no it", "ends": True}},
        {"name": "three", "send": GET},
    )

    assert (ended.verdict, ended.reason) == ("not checked", "there is no it")
    assert [step.skipped for step in ended.steps] == ["", "there is no it", "there is no it"]


@pytest.mark.parametrize(
    ("check", "body", "actual"),
    [
        ({"at": "a.b", "equals": 1}, {"a": {"b": True}}, "true"),
        ({"at": "a", "equals": {"x": [1]}}, {"a": {"x": [1, 2]}}, '{"x": [1, 2]}'),
        ({"at": ["a.b", 0], "equals": 1}, {"a.b": [2]}, "2"),
        ({"at": "a", "one_of": [1, None]}, {"a": "1"}, '"1"'),
        ({"at": "a", "not_one_of": [None]}, {"a": None}, "null"),
        ({"at": "a", "contains": "x"}, {"a": ["xy"]}, '["xy"]'),
        ({"at": "a", "contains": "x"}, {"a": 1}, "1"),
        ({"at": "a", "lacks": 2}, {"a": [1, 2]}, "[1, 2]"),
        ({"at": "a", "matches": "^x$"}, {"a": 5}, "5"),
        ({"at": "a", "type": "integer"}, {"a": True}, "true"),
        ({"at": "a", "type": "number"}, {}, "nothing there"),
        ({"at": "a", "present": False}, {"a": None}, "null"),
        ({"at": "a", "present": True}, {"b": 1}, "nothing there"),
        ({"at": "a", "min_items": 2}, {"a": [1]}, "[1]"),
        ({"at": "a", "conforms": {"type": "string"}}, {"a": 1}, "1 is not of type 'string'"),
        ({"at": "a", "conforms": {"$ref": "http://x.example/"}}, {"a": 1}, "the schema refers to something it does"),
        ({"at": "a", "every": {"at": "", "type": "integer"}}, {"a": [1, "2"]}, '"2"'),
        ({"at": "a", "every": {"at": "n", "equals": 1}}, {"a": {"n": 1}}, '{"n": 1}'),
        ({"at": "a", "equals": 2, "default": 1}, {}, "1"),
    ],
)
def test_each_operator_says_what_came_instead(check: dict[str, Any], body: Any, actual: str, tmp_path: Path) -> None:
    """Ours: the operators of docs/sessions.md."""
    run = play_written(
        server(lambda asked: said(body)), tmp_path, {"name": "read", "send": GET, "expect": {"json": [check]}}
    )

    (finding,) = run.findings
    assert finding.actual.startswith(actual)


@pytest.mark.parametrize(
    ("check", "body"),
    [
        ({"at": "a", "equals": 1.0}, {"a": 1}),
        ({"at": "a", "one_of": [1, None]}, {"a": None}),
        ({"at": "a", "not_one_of": [1]}, {}),
        ({"at": "a", "contains": {"x": 1}}, {"a": [{"x": 1}]}),
        ({"at": "a", "lacks": "x"}, {}),
        ({"at": "a", "matches": "b"}, {"a": "abc"}),
        ({"at": "a", "type": "null"}, {"a": None}),
        ({"at": "a", "conforms": None}, {}),
        ({"at": "a", "every": {"at": "", "type": "integer"}}, {"a": []}),
        ({"at": "a", "equals": 1, "default": 1}, {}),
    ],
)
def test_each_operator_can_hold(check: dict[str, Any], body: Any, tmp_path: Path) -> None:
    """Ours: the operators of docs/sessions.md."""
    run = play_written(
        server(lambda asked: said(body)), tmp_path, {"name": "read", "send": GET, "expect": {"json": [check]}}
    )

    assert run.findings == ()


def test_an_answer_in_an_event_is_the_answer_whatever_surrounds_it(tmp_path: Path) -> None:
    """CT-41: comments, priming and notifications around a message do not matter; any line ending does."""
    body = (
        b": hi\r\nid: 1\r\ndata:\r\n\r\n"
        b'event: message\r\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\r\n\r\n'
        b'data: {"jsonrpc":"2.0","id":99,"result":{"it":0}}\r\r'
        b'data: {"jsonrpc":"2.0",\ndata: "id":5,"result":{"it":1}}\n\n'
    )
    target = Tolerant(
        {"tools/list": lambda asked: Answer(media="text/event-stream; charset=utf-8", pieces=[(0, body)])}
    )
    send = {"method": "POST", "json": {"jsonrpc": "2.0", "id": 5, "method": "tools/list"}}
    checks = [{"at": "result.it", "equals": 1}]
    run = play_written(target, tmp_path, {"name": "list", "send": send, "expect": {"json": checks}})

    assert run.findings == ()


def test_of_alternatives_the_one_that_held_longest_is_shown(tmp_path: Path) -> None:
    """style.md, habit 32: the nearest and its first difference."""
    options = [
        {"name": "not there", "status": [404]},
        {"name": "found", "status": [200], "json": [{"at": "a", "equals": 1}]},
    ]
    step = {"name": "read", "send": GET, "expect": {"any_of": options}}
    run = play_written(server(lambda asked: said({"a": 2})), tmp_path, step)

    (finding,) = run.findings
    assert finding.expected == "not there; or found"
    assert finding.actual == "status 200; a: expected 1, got 2"


def test_pauses_are_kept_where_the_host_keeps_them(tmp_path: Path) -> None:
    """Ours: --pace real."""
    step = {"name": "late", "send": GET, "pause": 0.5}
    run = play_written(server(lambda asked: said({})), tmp_path, step, options=Options(pace="real"))

    assert run.steps[0].started >= 0.5


def test_an_expired_session_says_so(tmp_path: Path) -> None:
    """Design, section 7: never silently trusted."""
    target = server(lambda asked: said({}))
    old = play_written(target, tmp_path, {"name": "a", "send": GET}, seen="2020-01-01", expires="2020-06-01")
    new = play_written(target, tmp_path, {"name": "a", "send": GET})

    assert (old.is_expired, old.verdict) == (True, "passed")
    assert not new.is_expired


def test_a_tool_that_hung_is_not_waited_for_again(tmp_path: Path) -> None:
    """Ours: a target that hangs must not take the sum of all limits."""
    send = {
        "method": "POST",
        "json": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "${tool.name}"}},
    }
    names = [f"call-{letter}" for letter in "abcdef"]
    for name in names:
        folder = tmp_path / name
        folder.mkdir()
        write(folder, id=name, needs=["tool"], steps=[{"name": "call", "send": send, "cut_after": 0.3}])
    server = Tolerant({"tools/call": lambda asked: Answer(pieces=[(2, b"{}")])})

    async def run() -> Run:
        with open_target(server) as target:
            sessions = load_sessions(*(tmp_path / name for name in names), shipped=False)
            return await play_sessions(sessions, target, options=Options())

    runs = anyio.run(run).sessions
    assert [one.verdict for one in runs] == ["failed"] * AT_ONCE + ["not checked"] * (len(names) - AT_ONCE)
    assert runs[-1].reason == "find did not answer in time before, and no other tool can be called"


def test_configured_headers_go_along_unless_a_step_is_anonymous_or_has_its_own(tmp_path: Path) -> None:
    """Ours: discovery must be asked without a token."""
    target = server(lambda asked: said({}))
    play_written(
        target,
        tmp_path,
        {"name": "with", "send": GET},
        {"name": "without", "send": {**GET, "anonymous": True}},
        {"name": "own", "send": {**GET, "headers": {"authorization": "Bearer own"}}},
        options=Options(headers=(("Authorization", "Bearer mine"),)),
    )

    asked = [one.headers.get("authorization") for one in target.asked if one.kind == "get"]
    assert asked == ["Bearer mine", None, "Bearer own"]


def counting(seen: list[bytes]) -> Change:
    """Keeps what was asked, and answers with its number."""

    def answer(asked: Asked) -> Answer:
        seen.append(asked.body)
        return result(asked, {"token": f"number-{len(seen)}"})

    return answer


def test_equal_requests_at_once_are_judged_and_kept_one_by_one(tmp_path: Path) -> None:
    """Ours: `parallel`, with a number and with a list."""
    seen: list[bytes] = []
    several = {"method": "POST", "json": {"jsonrpc": "2.0", "id": 1, "method": "get/token"}}
    each = {"method": "POST", "json": {"jsonrpc": "2.0", "id": 2, "method": "use/token", "params": {"t": "${one}"}}}
    run = play_written(
        Tolerant({"get/token": counting(seen), "use/token": counting(seen)}),
        tmp_path,
        {"name": "get", "parallel": 3, "send": several, "capture": {"made": {"json": "result.token"}}},
        {
            "name": "use",
            "parallel": {"one": "${made.all}"},
            "send": each,
            "expect": {"json": [{"at": "result.token", "equals": "number-4"}]},
        },
    )

    assert [step.name for step in run.steps][:2] == ["get (1 of 3)", "get (2 of 3)"]
    assert len(set(seen[:3])) == 1
    used = sorted(json.loads(body)["params"]["t"] for body in seen[3:])
    assert used == ["number-1", "number-2", "number-3"]
    assert len(run.findings) == 2
    assert all(finding.step.startswith("use (") for finding in run.findings)


def test_time_that_must_really_pass_is_waited_for_only_when_asked(tmp_path: Path) -> None:
    """Ours: what was not waited for is not checked, never passed."""
    steps: list[dict[str, Any]] = [
        {"name": "now", "send": {"method": "GET"}},
        {"name": "later", "idle": 0.05, "send": {"method": "GET"}},
    ]
    hasty = play_written(Tolerant(), tmp_path, *steps)
    slow = play_written(Tolerant(), tmp_path, *steps, options=Options(pace="none", is_slow=True))

    assert (hasty.verdict, hasty.reason) == ("not checked", "0.05 s have to pass before it: run with --slow")
    assert slow.verdict == "passed"
    assert slow.steps[1].started >= 0.05


def test_steps_taken_over_from_another_session_are_judged_there(tmp_path: Path) -> None:
    """Ours: one fault is one finding, however many sessions open with it."""
    for name, more in (("first", {}), ("second", {"begins_with": "first"})):
        step = {"name": f"{name}-step", "send": {"method": "GET"}, "expect": {"status": [200 if not more else 405]}}
        (tmp_path / name).mkdir()
        write(tmp_path / name, id=name, steps=[step], **more)
    sessions = load_sessions(tmp_path / "first", tmp_path / "second", shipped=False)

    async def run(*chosen: Session) -> Run:
        with open_target(Tolerant()) as target:
            return await play_sessions(chosen, target, options=Options(pace="none"))

    assert [len(session.findings) for session in anyio.run(run, *sessions).sessions] == [1, 0]
    assert [len(session.findings) for session in anyio.run(run, sessions[1]).sessions] == [1]
