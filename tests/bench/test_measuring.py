"""The benchmark's own honesty: it reads every reply whole, and counts what is wrong."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.bench.cases import CASES
from tests.bench.load import Bounds, Run, measure
from tests.bench.report import speed_table, write_between_markers
from tests.bench.results import figures, line
from tests.bench.wire import MalformedReplyError, echo_call, take_reply
from tests.loopback import served


def test_a_reply_is_taken_only_when_its_last_byte_is_there() -> None:
    """RFC 9112: Content-Length and chunked."""
    plain = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n"
    for whole in (plain, chunked):
        assert [take_reply(whole[:size]) for size in range(len(whole))] == [None] * len(whole)
        reply = take_reply(whole + b"HTTP/1.1 404")
        assert reply is not None
        assert (reply.status, reply.body, reply.size) == (200, b"hello", len(whole))


def test_a_reply_that_does_not_say_its_length_is_refused() -> None:
    """Ours: reading to the end of the connection would hide a server that closes it after each call."""
    with pytest.raises(MalformedReplyError):
        take_reply(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello")


async def _run_against(answer: Any, *, seconds: float) -> Run:
    with served(Starlette(routes=[Route("/mcp", answer, methods=["POST"])])) as url:
        call = echo_call(era="2025-11-25", accept="application/json")
        bounds = Bounds(warmup_seconds=0, seconds=seconds, most_calls=40, connections=4)
        return await measure(urlsplit(url).port or 0, call, bounds, lambda: None)


async def _echo(request: Request) -> Response:
    message = await request.json()
    return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": message["params"]["arguments"]})


async def _echo_as_a_stream(request: Request) -> Response:
    body = (await _echo(request)).body
    return StreamingResponse(
        iter([b"event: message\r\ndata: ", bytes(body), b"\r\n\r\n"]), media_type="text/event-stream"
    )


async def _stale(_: Request) -> Response:
    return JSONResponse({"jsonrpc": "2.0", "id": 1, "result": {"text": "ballast-999999999"}})


async def _tool_error(request: Request) -> Response:
    text = (await request.json())["params"]["arguments"]["text"]
    return Response(f'{{"result":{{"content":"{text}","isError":true}}}}', media_type="application/json")


async def _unavailable(_: Request) -> Response:
    return Response(status_code=503)


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", [_echo, _echo_as_a_stream])
async def test_right_answers_are_counted_up_to_the_bound(answer: Any) -> None:
    """Ours: bounded in count; JSON and SSE alike."""
    run = await _run_against(answer, seconds=20)
    assert run.errors == {}
    assert 40 <= len(run.latencies) < 400
    assert run.latencies == sorted(run.latencies)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (_stale, "another text than was sent"),
        (_tool_error, "an error instead of a result"),
        (_unavailable, "HTTP 503"),
    ],
)
async def test_wrong_answers_are_errors_and_no_calls(answer: Any, fault: str) -> None:
    """Ours: a server that answers fast and wrongly must not win."""
    run = await _run_against(answer, seconds=0.2)
    assert set(run.errors) == {fault}
    assert run.latencies == []


def _run(*, calls: int, seconds: float, latency: float, cpu: float | None, errors: dict[str, int] | None = None) -> Run:
    return Run(seconds=seconds, latencies=[latency] * calls, cpu_seconds=cpu, errors=errors or {})


def test_ratios_are_taken_within_a_round_so_that_a_slow_minute_burdens_both() -> None:
    """Ours: the second round ran on a machine half as fast."""
    case = CASES[0]
    ours = [_run(calls=300, seconds=1, latency=0.01, cpu=0.3), _run(calls=150, seconds=1, latency=0.02, cpu=0.3)]
    plain = [_run(calls=100, seconds=1, latency=0.04, cpu=0.2), _run(calls=50, seconds=1, latency=0.08, cpu=0.2)]
    rounds = {
        (case.key, "ballast"): [figures(run) for run in ours],
        (case.key, "mcp"): [figures(run) for run in plain],
    }
    summed = line(case, "ballast", rounds)
    assert (summed.throughput_ratio, summed.p99_ratio, summed.calls_per_second) == (3.0, 0.25, 225.0)
    assert summed.cpu_us == pytest.approx(1500)
    assert summed.cpu_ratio == pytest.approx(0.5)
    assert summed.verdict == "met"


@pytest.mark.parametrize(
    ("calls", "latency", "verdict"),
    [(199, 0.01, "missed"), (200, 0.01, "met"), (200, 0.05, "met, but p99 is worse")],
)
def test_a_target_is_met_only_without_a_worse_p99(calls: int, latency: float, verdict: str) -> None:
    """Ours: the target of the first case is twice the plain SDK's throughput."""
    rounds = {
        (CASES[0].key, "ballast"): [figures(_run(calls=calls, seconds=1, latency=latency, cpu=None))],
        (CASES[0].key, "mcp"): [figures(_run(calls=100, seconds=1, latency=0.04, cpu=None))],
    }
    assert line(CASES[0], "ballast", rounds).verdict == verdict
    assert f"| 2 ({verdict}) |" in speed_table([line(CASES[0], "ballast", rounds)])


def test_the_tables_replace_only_what_stands_between_the_markers(tmp_path: Path) -> None:
    """Ours."""
    page = tmp_path / "benchmarks.md"
    page.write_text("before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n")
    write_between_markers(page, "bench", "new")
    write_between_markers(page, "bench", "newer")
    assert page.read_text() == "before\n<!-- bench: begin -->\n\nnewer\n\n<!-- bench: end -->\nafter\n"
    page.write_text("no markers")
    with pytest.raises(ValueError, match="bench: begin"):
        write_between_markers(page, "bench", "new")
