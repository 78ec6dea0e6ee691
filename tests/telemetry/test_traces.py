"""Traces as a real OTLP/HTTP receiver gets them, and calls that no collector can slow down."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import anyio
import httpx2
import pytest

from connector.telemetry.setup import wants_export
from contract_tests.collector import HANG, THROTTLE, UNAVAILABLE, Answer, Collector
from contract_tests.outcome import Span
from tests.loopback import await_health
from tests.wire import call, headers, modern, post, request, streaming

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HTTP_TRACE, HTTP_PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TOLD = Path(__file__).with_name("told.py")

Start = Callable[[str], tuple[str, subprocess.Popen[bytes]]]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def _started(endpoint: str, *more: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = _free_port()
    env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with subprocess.Popen([sys.executable, TOLD, str(port), *more], env=env, stderr=subprocess.DEVNULL) as process:
        try:
            await_health(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda endpoint: stack.enter_context(_started(endpoint))


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def traced(collector: Collector) -> Iterator[str]:
    with _started(collector.endpoint) as (url, _):
        yield url


def _spans(collector: Collector, trace: str, count: int = 1) -> tuple[Span, ...]:
    async def wait() -> tuple[Span, ...]:
        return await collector.wait_for(trace, count, within=20)

    return anyio.run(wait)


_TRACES = iter(range(1, 1000))


def _in_new_trace() -> tuple[str, dict[str, str]]:
    trace = f"{next(_TRACES):032x}"
    return trace, {"traceparent": f"00-{trace}-{HTTP_PARENT}-01"}


def test_a_tool_call_is_one_server_span_named_for_its_tool(collector: Collector, traced: str) -> None:
    """OpenTelemetry, semantic conventions for MCP."""
    trace, parent = _in_new_trace()
    said, body = modern("tools/call", {"name": "echo", "arguments": {"text": "hunter2"}}, id_="call-1")
    post(traced, body, said | parent)
    (span,) = _spans(collector, trace)
    attributes = dict(span.attributes)

    assert (span.name, span.kind, span.parent_id, span.status) == ("tools/call echo", "server", HTTP_PARENT, "unset")
    assert int(attributes.pop("client.port")) > 0
    assert attributes == {
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": "2026-07-28",
        "jsonrpc.request.id": "call-1",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "echo",
        "network.transport": "tcp",
        "network.protocol.name": "http",
        "network.protocol.version": "1.1",
        "client.address": "127.0.0.1",
    }
    assert "hunter2" not in repr(span)


def test_a_span_tells_people_apart_and_nobody_who_they_are(collector: Collector) -> None:
    """Issue 5 item 1: the principal handed to telemetry; OpenTelemetry, `enduser.pseudo.id`."""
    marks = []
    with _started(collector.endpoint, "private") as (url, _):
        for name in ("anna", "anna", "berta"):
            trace, parent = _in_new_trace()
            said = headers(Authorization=f"Bearer {name}") | parent
            assert post(url, call("echo", {"text": "x"}), said).status_code == 200
            (span,) = _spans(collector, trace)
            marks.append(dict(span.attributes)["enduser.pseudo.id"])
            assert name not in repr(span)

    assert marks[0] == marks[1] != marks[2]
    assert [len(mark) for mark in marks] == [16, 16, 16]


def test_the_parent_comes_from_meta_and_the_http_request_becomes_a_link(collector: Collector, traced: str) -> None:
    """SEP-414."""
    meta = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    http = {"traceparent": f"00-{HTTP_TRACE}-{HTTP_PARENT}-01"}
    post(traced, call("echo", {"text": "x"}, meta=meta), headers() | http)
    (span,) = _spans(collector, TRACE)

    assert span.parent_id == PARENT
    assert [HTTP_TRACE in link and HTTP_PARENT in link for link in span.links] == [True]


@pytest.mark.parametrize("traceparent", ["", "00-nonsense-01", 7, None, ["00"]])
def test_a_traceparent_that_makes_no_sense_is_passed_over(
    collector: Collector, traced: str, traceparent: object
) -> None:
    """W3C Trace Context: an invalid traceparent is ignored."""
    trace, parent = _in_new_trace()
    reply = post(traced, call("echo", {"text": "x"}, meta={"traceparent": traceparent}), headers() | parent)

    assert reply.json()["result"]["structuredContent"] == {"result": "x"}
    assert [span.parent_id for span in _spans(collector, trace)] == [HTTP_PARENT]


@pytest.mark.parametrize(
    ("body", "name", "error", "description"),
    [
        (call("fail", {"text": "hunter2"}), "tools/call fail", "tool_error", ""),
        (call("crash", {"text": "hunter2"}), "tools/call crash", "tool_error", ""),
        (call("echo", {"text": ["hunter2"]}), "tools/call echo", "tool_error", ""),
        (request("zzz", {"hunter2": 1}), "_OTHER", "-32601", "Method not found"),
        (request("resources/read", {"uri": 5}), "resources/read", "-32602", "Invalid request parameters"),
    ],
)
def test_a_failure_is_an_error_and_tells_no_values(
    collector: Collector, traced: str, body: dict[str, object], name: str, error: str, description: str
) -> None:
    """OpenTelemetry, semantic conventions for MCP: error.type is the JSON-RPC code, or tool_error."""
    trace, parent = _in_new_trace()
    post(traced, body, headers() | parent)
    (span,) = _spans(collector, trace)

    assert (span.name, span.status, dict(span.attributes)["error.type"]) == (name, "error", error)
    assert span.status_message == description
    assert "hunter2" not in repr(span)


def test_an_invented_tool_names_no_span(collector: Collector, traced: str) -> None:
    """Span names must stay few; a caller could otherwise make as many as it likes."""
    trace, parent = _in_new_trace()
    post(traced, call("invented-8471", {}), headers() | parent)
    (span,) = _spans(collector, trace)

    assert span.name == "tools/call"
    assert dict(span.attributes)["error.type"] == "-32602"
    assert "gen_ai.tool.name" not in dict(span.attributes)


def test_a_request_that_its_headers_contradict_is_a_failed_span(collector: Collector, traced: str) -> None:
    """It never reaches the tool, and it is a request all the same."""
    trace, parent = _in_new_trace()
    said, body = modern("tools/list")
    post(traced, body, said | parent | {"Mcp-Method": "ping"})
    (span,) = _spans(collector, trace)

    assert (span.name, span.status, dict(span.attributes)["error.type"]) == ("tools/list", "error", "-32020")


def test_a_call_whose_client_goes_away_is_no_success(collector: Collector, traced: str) -> None:
    """The SDK leaves such a span unset, which reads as a success."""
    trace, parent = _in_new_trace()
    with streaming(traced, call("hold", {}), headers() | parent) as (_, chunks):
        next(chunks)
    (span,) = _spans(collector, trace)

    assert (span.status, dict(span.attributes)["error.type"]) == ("error", "cancelled")


@pytest.mark.parametrize("answer", [UNAVAILABLE, THROTTLE, HANG], ids=["503", "429", "hang"])
def test_a_collector_that_does_not_take_spans_holds_up_no_call(start: Start, answer: Answer) -> None:
    """The collector has the first export in its hands, and never takes it, while all calls are answered."""
    with Collector(answer=answer) as collector:
        url, process = start(collector.endpoint)
        with httpx2.Client(timeout=30) as client:
            body = call("echo", {"text": "x"})
            first = client.post(f"{url}/mcp", json=body, headers=headers())
            while collector.exports == 0:
                time.sleep(0.01)
            more = [client.post(f"{url}/mcp", json=body, headers=headers()) for _ in range(200)]
        assert {reply.status_code for reply in (first, *more)} == {200}
        assert collector.spans() == ()

        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in {0, -signal.SIGTERM, 128 + signal.SIGTERM}


def test_a_collector_that_is_not_there_holds_up_neither_calls_nor_the_end(start: Start) -> None:
    """The SDK alone blocks its shutdown for 7.6 s at a closed port (facts on telemetry, section 4)."""
    url, process = start(f"http://127.0.0.1:{_free_port()}")
    assert post(url, call("echo", {"text": "x"})).status_code == 200

    process.send_signal(signal.SIGTERM)
    assert process.wait(30) in {0, -signal.SIGTERM, 128 + signal.SIGTERM}


def test_the_last_spans_are_sent_before_the_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deploy must not lose the spans of its last seconds."""
    trace, parent = _in_new_trace()
    with Collector() as collector:
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
        port = _free_port()
        env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
        with subprocess.Popen([sys.executable, TOLD, str(port)], env=env, stderr=subprocess.DEVNULL) as process:
            await_health(f"http://127.0.0.1:{port}")
            post(f"http://127.0.0.1:{port}", call("echo", {"text": "x"}), headers() | parent)
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        (span,) = collector.spans_of(trace)

    assert (span.name, span.service) == ("tools/call echo", "told")


def test_a_provider_of_the_application_is_left_alone() -> None:
    """Ours: whoever installs a provider also owns its export."""
    script = (
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "own = TracerProvider()\n"
        "trace.set_tracer_provider(own)\n"
        "from connector.telemetry.setup import export_from_environment\n"
        "assert len(export_from_environment(service='a', version='1')) == 2  # metrics, logs\n"
        "assert trace.get_tracer_provider() is own\n"
    )
    env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4318/v1/metrics"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, False),
        ({"OTEL_TRACES_EXPORTER": "console,otlp"}, True),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, False),
    ],
)
def test_the_standard_variables_decide_about_export(environ: dict[str, str], *, expected: bool) -> None:
    """OpenTelemetry, general SDK configuration."""
    assert wants_export(environ) is expected
