"""The pure decisions: what goes into one answer, which tools last, how schemas are widened; and time for programs."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from connector import Call, Connector, Guard, tool
from connector.calls.deadline import Bell, TimeIsUp, said_by
from connector.calls.operations import Operation
from connector.calls.pages import Cursor, cut, page_of
from connector.calls.partial import finished, unfinished, widened
from connector.calls.pieces import Pieces
from connector.calls.running import Pace, lasts
from connector.declaration import Declaration
from connector.patience import AnswerSettings
from tests.loopback import Serve
from tests.partial.works import Works, ask, texts

TEXTS = st.lists(st.text(max_size=60), max_size=8)
OPERATION = Operation(id="op", scope="anna", tool="dig")


def text(words: str) -> dict[str, Any]:
    """A text block."""
    return {"type": "text", "text": words}


@given(TEXTS, st.integers(min_value=4, max_value=80))
def test_every_byte_is_in_exactly_one_answer(words: list[str], budget: int) -> None:
    """Ours: whatever the budget, the pages are the whole, in order, and none but the last is empty."""
    blocks, cursor, read = [text(each) for each in words], Cursor(run=1), [""] * len(words)
    for _ in range(2000):
        page = page_of(blocks, cursor, budget)
        assert sum(len(block["text"].encode()) for block in page.blocks) <= budget
        for number, block in enumerate(page.blocks):
            read[cursor.block + number] += block["text"]
        if not page.has_more:
            break
        assert page.then > (cursor.block, cursor.byte)
        cursor = Cursor(run=1, block=page.then[0], byte=page.then[1])

    assert read == words


@pytest.mark.parametrize(
    ("words", "most", "expected"),
    [
        ("short", 100, "short"),
        ("one\ntwo\nthree", 9, "one\ntwo\n"),
        ("a long line without an end", 6, "a long"),
        ("\u00e4\u00e4\u00e4", 3, "\u00e4"),
        ("\U0001f600\U0001f600", 7, "\U0001f600"),
    ],
)
def test_a_text_is_cut_where_it_hurts_least(words: str, most: int, expected: str) -> None:
    """Ours: at a line, and never within a character."""
    assert cut(words.encode(), most).decode() == expected


@given(st.integers(0, 999), st.integers(0, 999), st.integers(0, 10**9), st.integers(0, 999))
def test_a_cursor_is_read_as_it_was_written(run: int, block: int, byte: int, turn: int) -> None:
    """Ours."""
    cursor = Cursor(run=run, block=block, byte=byte, turn=turn)
    assert Cursor.read(str(cursor)) == cursor


@pytest.mark.parametrize("said", ["", "1", "1.2.3", "-1.0.0.0", "1.2.3.4.5", "x.y.z.w", "9" * 40, "1.0.0.0; drop"])
def test_what_is_no_cursor_is_none(said: str) -> None:
    """Ours: models make up arguments."""
    assert Cursor.read(said) is None


def test_parts_that_find_no_room_are_counted() -> None:
    """Issue 8: size caps for partial content; never silent."""
    pieces = Pieces(most=100)
    pieces.add(text("x" * 30) for _ in range(4))
    operation = Operation(id="op", scope="anna", tool="dig", blocks=pieces.blocks, left_out=pieces.left_out)

    answer = unfinished(operation, None, budget=8192)

    assert (len(pieces.blocks), pieces.left_out) == (1, 3)
    assert "3 further parts found no room" in texts(answer)[0]


def test_an_answer_keeps_to_its_budget_and_says_that_there_is_more() -> None:
    """Incident F-03: hosts cut at about 10 KB without a word."""
    long = Operation(id="op", scope="anna", tool="dig", blocks=[text("line\n" * 10_000)])

    answer = unfinished(long, None, budget=8192)

    assert 6000 < sum(len(each) for each in texts(answer)) <= 8192
    assert "There is more already" in texts(answer)[0]


def test_a_result_goes_on_where_the_parts_ended() -> None:
    """Issue 8: the rest, and not the whole again; unless the result is not what the parts said."""
    seen = Operation(id="op", scope="anna", tool="dig", blocks=[text("a"), text("b")])
    cursor = Cursor(run=1, block=2, turn=1)

    same = finished(seen, {"content": [text("a"), text("b"), text("c")]}, cursor, budget=8192)
    other = finished(seen, {"content": [text("x")]}, cursor, budget=8192)
    nothing = finished(seen, {"content": [text("a"), text("b")]}, cursor, budget=8192)

    assert texts(same) == ["c"]
    assert texts(other) == ["x"]
    assert "nothing more" in texts(nothing)[0]


def test_a_failure_stays_a_failure_when_it_is_fetched() -> None:
    """Incident P-39: an error carries no structured content."""
    answer = finished(OPERATION, {"content": [text("no")], "isError": True}, Cursor(run=1), budget=8192)

    assert answer["isError"] is True
    assert "structuredContent" not in answer


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ({"left": {"left": None}}, True),
        ({"status": "running", "operation_id": "x", "after": "1.0.0.1"}, True),
        ({"status": "running"}, False),
        ({"left": 5}, False),
    ],
)
def test_a_widened_schema_takes_both_and_nothing_else(value: Any, fits: bool) -> None:
    """Issue 8: output schemas hold for partial answers too; references still point somewhere."""
    node = {"type": "object", "properties": {"left": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}}
    schema = widened({**node, "required": ["left"], "additionalProperties": False, "$defs": {"Node": node}})

    assert schema["type"] == "object"
    assert Draft202012Validator(schema).is_valid(value) is fits


async def _plain(self: Any, call: Call) -> str:
    return call.tool


async def _gives(self: Any, call: Call) -> str:
    call.partial("x")
    return ""


async def _gives_within(self: Any, asked: Call) -> str:
    def tell() -> None:
        asked.partial("x")

    tell()
    return ""


async def _functools(self: Any, call: Call) -> Callable[[], str]:
    return partial(str, call.tool)


async def _yields(self: Any) -> AsyncIterator[str]:
    yield "x"


@pytest.mark.parametrize(
    ("method", "declared", "expected"),
    [
        (_plain, Declaration(), False),
        (_gives, Declaration(), True),
        (_gives_within, Declaration(), True),
        (_functools, Declaration(), False),
        (_yields, Declaration(), True),
        (_plain, Declaration(deadline=54.0), False),
        (_plain, Declaration(deadline=56.0), True),
        (_plain, Declaration(partial=True), True),
        (_gives, Declaration(partial=False), False),
        (_yields, Declaration(partial=False), False),
    ],
)
def test_which_tools_may_be_answered_before_they_have_ended(
    method: Callable[..., Any], declared: Declaration, expected: bool
) -> None:
    """docs/long-work.md: as declared; else generators, deadlines longer than hosts wait, who calls `partial`."""
    assert lasts(method, declared, Pace()) is expected


@pytest.mark.parametrize(
    ("said", "expected"), [(30, 30.0), (0.5, 0.5), (0, None), (-1, None), ("30", None), (True, None), (1e9, None)]
)
def test_only_what_can_be_meant_is_a_timeout(said: Any, expected: float | None) -> None:
    """Ours: a caller's word about its own clock is no way to keep a connector busy for ever."""
    assert said_by({"ballast/timeout": said}) == expected


def test_a_bell_rings_in_every_loop() -> None:
    """Ours: a connector that is served again must not wait for the timer of a loop that is gone."""
    bell = Bell(0.01)

    async def leave_early() -> None:
        with bell.at(time.monotonic() + 60):
            pass

    async def stay() -> None:
        with bell.at(time.monotonic() + 0.02):
            await asyncio.sleep(60)

    asyncio.run(leave_early())
    with pytest.raises(TimeIsUp):
        asyncio.run(stay())


class Hurried(Connector):
    """Tools that look at the clock."""

    name = "hurried"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.done: list[str] = []

    @tool(deadline=10.0)
    async def dig(self, depth: float, call: Call) -> str:
        """Dig."""
        call.needs(seconds=depth)
        self.done.append("dug")
        return "dug"

    @tool(read_only=True, deadline=30.0)
    async def environment(self, call: Call) -> str:
        """Run a program that says what it was told."""
        program = "import os, sys; sys.stdout.write(os.environ['BALLAST_DEADLINE'] + ' ' + sys.stdin.read())"
        ran = await call.run_process(sys.executable, "-c", program, given=b"hello")
        return ran.stdout.decode()

    @tool(read_only=True, deadline=1.0)
    async def forever(self, pids: str, call: Call) -> str:
        """Run a program that starts another and does not end; their numbers go into a file."""
        await call.run_process("/bin/sh", "-c", f"sleep 600 & echo $! $$ > {pids}; wait")
        return ""

    @tool(guard=Guard(failures="kept"))
    async def gathers(self, call: Call) -> AsyncGenerator[int, None]:
        """Yield numbers."""
        for number in range(3):
            yield number


def test_what_cannot_be_done_in_time_is_not_begun_and_leaves_no_trace(serve: Serve) -> None:
    """Issue 8 item 1: a deadline that cannot be met is known early; a retry with less is looked at anew."""
    hurried = Hurried(store="memory:")
    url = serve(hurried)

    refused = ask(url, "dig", {"depth": 60.0})
    again = ask(url, "dig", {"depth": 60.0})
    done = ask(url, "dig", {"depth": 1.0})

    assert refused["isError"] is True
    assert "about 60 s" in texts(refused)[0]
    assert "Nothing was done" in texts(again)[0]
    assert "ballast/idempotency" not in (again.get("_meta") or {})
    assert (texts(done), hurried.done) == (["dug"], ["dug"])


def test_a_program_is_told_when_it_is_stopped(serve: Serve) -> None:
    """Issue 8 item 1: the deadline is passed on to subprocesses."""
    said, given = texts(ask(serve(Hurried(store="memory:")), "environment"))[0].split()

    assert time.time() < float(said) < time.time() + 31
    assert given == "hello"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="who still runs is read in /proc")
def test_a_program_ends_with_its_call_and_so_does_what_it_started(serve: Serve, tmp_path: Path) -> None:
    """Ours: a parser that forks must not outlive the deadline."""
    result = ask(serve(Hurried(store="memory:")), "forever", {"pids": str(tmp_path / "pids")})

    assert "longer than the 1 s" in texts(result)[0]
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 2
    for _ in range(500):
        if not any(map(_runs, pids)):
            return
        time.sleep(0.01)
    raise AssertionError(f"{pids} still run after five seconds")


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


def test_all_values_of_a_generator_are_its_result(serve: Serve) -> None:
    """docs/long-work.md."""
    assert ask(serve(Hurried(store="memory:")), "gathers")["structuredContent"] == {"result": [0, 1, 2]}


def test_settings_that_cannot_be_meant_are_refused() -> None:
    """Ours."""
    for bad in ({"margin": 0.0}, {"limits": {"chatgpt": -1.0}}, {"budget": 100}, {"kept": float("nan")}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            AnswerSettings(**bad)
    assert Works().configuration.answer.budget == 8192
