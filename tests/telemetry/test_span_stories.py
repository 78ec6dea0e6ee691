"""What a span tells beside how it ended: cuts, joins, replays, takeovers, drains, and where its original is."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.telemetry.heard import Heard, attributes_of, until
from tests.telemetry.told_process import told
from tests.wire import call, headers, post, streaming

_TRACES = iter(range(0xA000, 0xB000))


@pytest.fixture(scope="module")
def heard() -> Iterator[Heard]:
    with Heard() as heard:
        yield heard


@pytest.fixture(scope="module")
def url(heard: Heard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with told(heard.endpoint, f"store=sqlite:///{tmp_path_factory.mktemp('told')}/calls.sqlite3") as (url, _):
        yield url


def _traced() -> tuple[str, dict[str, str]]:
    trace = f"{next(_TRACES):032x}"
    return trace, headers() | {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}


def _booking(seat: str, key: str) -> dict[str, Any]:
    return call("book", {"seat": seat}, meta={"ballast/idempotencyKey": key})


def _span(heard: Heard, trace: str) -> Span:
    found = until(lambda: [span for span in heard.spans() if span.trace_id.hex() == trace])
    assert [span.name for span in found] == ["tools/call book"]
    return found[0]


def _events(span: Span) -> list[str]:
    return [event.name for event in span.events]


def _originals(span: Span) -> list[tuple[str, str]]:
    return [
        (link.trace_id.hex(), link.span_id.hex())
        for link in span.links
        if attributes_of(link) == {"ballast.link": "original"}
    ]


def test_a_replay_points_to_the_call_that_was_run(heard: Heard, url: str) -> None:
    """Issue 7 item 7: links from a replay to its original, whose context is kept with the answer."""
    first, said = _traced()
    post(url, _booking("4a", "key-1"), said)
    again, said = _traced()
    post(url, _booking("4a", "key-1"), said)
    original, replay = _span(heard, first), _span(heard, again)

    assert (_events(original), _originals(original)) == ([], [])
    assert attributes_of(replay)["ballast.guard.outcome"] == "replayed"
    assert _events(replay) == ["ballast.call.replayed"]
    assert _originals(replay) == [(first, original.span_id.hex())]


def test_a_join_points_to_the_call_that_it_waited_for(heard: Heard, url: str) -> None:
    """Issue 7 item 7: span events for joins."""
    first, said = _traced()
    second, other = _traced()
    with ThreadPoolExecutor(1) as aside, streaming(url, _booking("slow", "key-2"), said) as (_, chunks):
        next(chunks)  # it runs
        joined = aside.submit(post, url, _booking("slow", "key-2"), other)
        assert b"booked slow" in b"".join(chunks)
        assert "booked slow" in joined.result(20).text
    join = _span(heard, second)

    assert _events(join) == ["ballast.call.joined"]
    assert _originals(join) == [(first, _span(heard, first).span_id.hex())]


def test_a_cut_is_an_event_of_a_call_that_goes_on(heard: Heard, url: str) -> None:
    """Issue 7 item 7: a write whose client goes away runs to its end; its span says when the client went."""
    trace, said = _traced()
    with streaming(url, _booking("slow", "key-3"), said) as (_, chunks):
        next(chunks)
    span = _span(heard, trace)
    (cut,) = [event for event in span.events if event.name == "ballast.stream.cut"]

    assert attributes_of(span)["ballast.reply.mode"] == "events"
    assert span.start_time_unix_nano < cut.time_unix_nano < span.end_time_unix_nano


def test_a_takeover_and_a_drain_are_events(heard: Heard, tmp_path: Path) -> None:
    """Issue 7 item 7: the worker that ran it dies, another one runs it again; and a process that leaves says so."""
    store = f"store=sqlite:///{tmp_path}/calls.sqlite3"
    with (
        told(heard.endpoint, store) as (url, process),
        streaming(url, _booking("stuck", "key-4"), headers()) as (_, chunks),
    ):
        next(chunks)
        process.kill()
        process.wait(10)
    with told(heard.endpoint, store, environ={"BALLAST_DRAIN_NOTICE": "0.1"}) as (url, process):
        trace, said = _traced()
        assert until(lambda: "booked stuck" in post(url, _booking("stuck", "key-4"), said).text)
        leaving, other = _traced()
        with streaming(url, _booking("slow", "key-5"), other) as (_, chunks):
            next(chunks)
            process.send_signal(signal.SIGTERM)
            assert b"booked slow" in b"".join(chunks)
        process.wait(30)

    taken = until(lambda: [s for s in heard.spans() if s.trace_id.hex() == trace])
    assert "ballast.call.taken_over" in [event for span in taken for event in _events(span)]
    assert _events(_span(heard, leaving)) == ["ballast.drain.began"]
    assert heard.numbers("ballast.drains") == {"in time": 1}


def test_beneath_an_instrumentation_there_is_no_second_server_span() -> None:
    """Facts on telemetry, section 2: offer a switch, never emit two SERVER spans unless asked to."""
    traces = {mode: _traced() for mode in ("auto", "server", "internal", "propagate", "off")}
    with Heard() as heard, told(heard.endpoint, "instrumented") as (url, _):
        for mode, (_, said) in traces.items():
            assert post(f"{url}/{mode}", call("echo", {"text": "x"}), said).status_code == 200
        until(lambda: [span for span in heard.spans() if span.trace_id.hex() == traces["off"][0]])
        spans = heard.spans()
    calls = [span for span in spans if span.name == "tools/call echo"]
    kinds = {
        mode: [Span.SpanKind.Name(span.kind) for span in calls if span.trace_id.hex() == trace]
        for mode, (trace, _) in traces.items()
    }

    assert kinds == {
        "auto": ["SPAN_KIND_INTERNAL"],
        "server": ["SPAN_KIND_SERVER"],
        "internal": ["SPAN_KIND_INTERNAL"],
        "propagate": [],
        "off": [],
    }


def test_a_fastmcp_server_behind_the_door_makes_the_only_server_span() -> None:
    """Facts on telemetry, section 2: FastMCP makes its own; `harden` adds none."""
    script = Path(__file__).with_name("hardened_told.py")
    with Heard() as heard, told(heard.endpoint, script=script) as (url, _):
        post(url, call("echo", {"text": "x"}))
        until(lambda: [span for span in heard.spans() if "echo" in span.name])
        served = [span.name for span in heard.spans() if span.kind == Span.SPAN_KIND_SERVER and "echo" in span.name]

    assert served == ["tools/call echo"]
