"""The trace collector against the SDK's own OTLP/HTTP exporter, over loopback sockets."""

import asyncio
import gzip
import socket
import threading
from collections.abc import Iterator

import httpx2
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanKind, StatusCode

from contract_tests.collector import HANG, PARTIAL, THROTTLE, UNAVAILABLE, Answer, Collector
from contract_tests.collector.otlp import LONGEST_BODY

PROTOBUF = {"Content-Type": "application/x-protobuf"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


def recorded() -> tuple[ReadableSpan, ...]:
    """Two spans of one trace, as a server records a failing tool call: the inner one ends first."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "invoices"}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("tests")
    with tracer.start_as_current_span("elsewhere") as other:
        link = Link(other.get_span_context())
    memory.clear()
    with (
        tracer.start_as_current_span("tools/call find", kind=SpanKind.SERVER, links=[link]) as outer,
        tracer.start_as_current_span("look up") as inner,
    ):
        outer.set_attribute("mcp.method.name", "tools/call")
        outer.set_attribute("numbers", [1, 2])
        inner.set_attribute("found", False)
        inner.add_event("first byte", timestamp=1_700_000_000_000_000_000)
        inner.set_status(StatusCode.ERROR, "no such invoice")
    return memory.get_finished_spans()


def exporter(collector: Collector, *, timeout: float = 5, compression: Compression | None = None) -> OTLPSpanExporter:
    return OTLPSpanExporter(f"{collector.endpoint}/v1/traces", timeout=timeout, compression=compression)


def trace_id_of(spans: tuple[ReadableSpan, ...]) -> str:
    context = spans[0].get_span_context()
    assert context is not None
    return format(context.trace_id, "032x")


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_what_the_sdk_exports_is_what_is_read_back(collector: Collector, compression: Compression) -> None:
    """OTLP/HTTP: protobuf bodies, plain or compressed."""
    spans = recorded()

    assert exporter(collector, compression=compression).export(spans) is SpanExportResult.SUCCESS

    inner, outer = collector.spans_of(trace_id_of(spans))
    assert (inner.name, inner.kind, inner.status, inner.status_message) == (
        "look up",
        "internal",
        "error",
        "no such invoice",
    )
    assert inner.parent_id == outer.span_id
    assert inner.attributes == (("found", "false"),)
    assert inner.events == (("first byte", 1_700_000_000_000_000_000),)
    assert (outer.kind, outer.status, outer.parent_id, outer.service) == ("server", "unset", "", "invoices")
    assert outer.attributes == (("mcp.method.name", "tools/call"), ("numbers", "[1, 2]"))
    assert len(outer.links) == 1
    assert outer.started_ns <= inner.started_ns <= inner.ended_ns <= outer.ended_ns
    assert collector.spans() == (inner, outer)


def test_exports_of_servers_that_send_json_are_read_too(collector: Collector) -> None:
    """OTLP/HTTP JSON encoding: ids in hexadecimal, 64-bit numbers as strings (opentelemetry-js default)."""
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "tools/list",
        "kind": 2,
        "startTimeUnixNano": "1544712660000000000",
        "endTimeUnixNano": "1544712661000000000",
        "attributes": [{"key": "rpc.response.status_code", "value": {"intValue": "-32601"}}],
        "memberOfTomorrow": {"a": 1},
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}

    reply = httpx2.post(f"{collector.endpoint}/v1/traces", json=body)

    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json() == {}
    (found,) = collector.spans_of("5B8EFFF798038103D269B633813FC60C")
    assert (found.span_id, found.kind, found.ended_ns) == ("eee19b7ec3c1b174", "server", 1544712661000000000)
    assert found.attributes == (("rpc.response.status_code", "-32601"),)


@pytest.mark.parametrize("answer", [UNAVAILABLE, THROTTLE, HANG])
def test_a_refused_export_keeps_nothing_and_the_next_one_is_taken(collector: Collector, answer: Answer) -> None:
    """Ours: the collector plays a failing backend, and recovers when told to."""
    collector.answer = answer
    spans = recorded()

    assert exporter(collector, timeout=1).export(spans) is SpanExportResult.FAILURE
    assert collector.exports >= 1
    assert collector.spans() == ()

    collector.answer = Answer()
    assert exporter(collector).export(spans) is SpanExportResult.SUCCESS
    assert len(collector.spans()) == 2


def test_throttling_says_when_to_come_back(collector: Collector) -> None:
    """OTLP/HTTP throttling: 429 or 503 with Retry-After, and a google.rpc.Status as the body."""
    collector.answer = Answer(status=429, retry_after=7)

    reply = httpx2.post(f"{collector.endpoint}/v1/traces", headers=PROTOBUF)

    assert (reply.status_code, reply.headers["retry-after"]) == (429, "7")
    assert b"answered 429 as asked" in reply.content


def test_a_partial_success_names_the_spans_it_did_not_keep(collector: Collector) -> None:
    """OTLP partial success: 200 with `rejected_spans`; clients must not retry."""
    collector.answer = PARTIAL
    spans = recorded()

    assert exporter(collector).export(spans) is SpanExportResult.SUCCESS
    assert [span.name for span in collector.spans()] == ["look up"]

    body = ExportTraceServiceRequest()
    body.resource_spans.add().scope_spans.add().spans.add(name="alone")
    reply = httpx2.post(f"{collector.endpoint}/v1/traces", content=body.SerializeToString(), headers=PROTOBUF)
    success = ExportTraceServiceResponse.FromString(reply.content).partial_success
    assert (success.rejected_spans, success.error_message) == (1, "1 spans were rejected")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"\xff\xff no protobuf", PROTOBUF),
        (b"not gzip at all", PROTOBUF | {"Content-Encoding": "gzip"}),
        (gzip.compress(b"x" * 1000)[:-12], PROTOBUF | {"Content-Encoding": "gzip"}),
        (gzip.compress(bytes(LONGEST_BODY + 1)), PROTOBUF | {"Content-Encoding": "gzip"}),
        (b"anything", PROTOBUF | {"Content-Encoding": "br"}),
        (b"{]", {"Content-Type": "application/json"}),
        (b'{"resourceSpans":' + b"[" * 100_000, {"Content-Type": "application/json"}),
        (b'{"traceId": "zz"}', {"Content-Type": "application/json; charset=utf-8"}),
    ],
    ids=["noise", "not gzip", "cut gzip", "gzip bomb", "unknown coding", "no json", "deep json", "bad id"],
)
def test_an_unreadable_export_is_refused_and_the_next_one_is_taken(
    collector: Collector, body: bytes, headers: dict[str, str]
) -> None:
    """OTLP/HTTP bad data: 400, not to be sent again."""
    reply = httpx2.post(f"{collector.endpoint}/v1/traces", content=body, headers=headers)

    assert reply.status_code == 400
    assert reply.content
    assert exporter(collector).export(recorded()) is SpanExportResult.SUCCESS


def test_what_is_no_export_of_traces_is_turned_away_or_ignored(collector: Collector) -> None:
    """Ours: metrics and logs are accepted and dropped, so that a target with all signals on stays quiet."""
    with httpx2.Client(base_url=collector.endpoint) as client:
        assert client.post("/v1/metrics", content=b"anything", headers=PROTOBUF).status_code == 200
        assert client.post("/v1/logs", content=b"anything", headers=PROTOBUF).status_code == 200
        assert client.post("/", headers=PROTOBUF).status_code == 404
        assert client.get("/v1/traces").headers["allow"] == "POST"
        assert client.post("/v1/traces", headers={"Content-Type": "text/plain"}).status_code == 415
        too_long = client.post("/v1/traces", content=bytes(LONGEST_BODY + 1), headers=PROTOBUF)
    assert too_long.status_code == 413
    assert collector.spans() == ()


@pytest.mark.asyncio
async def test_waiting_ends_when_the_spans_are_there() -> None:
    """Ours: no polling; a span that comes while one waits wakes the waiter."""
    spans = recorded()
    async with Collector() as collector:
        waiting = asyncio.create_task(collector.wait_for(trace_id_of(spans), 2, within=30))
        sending = exporter(collector)
        await asyncio.to_thread(sending.export, spans[:1])
        assert not waiting.done()
        await asyncio.to_thread(sending.export, spans[1:])

        assert [span.name for span in await waiting] == ["look up", "tools/call find"]


@pytest.mark.asyncio
async def test_waiting_in_vain_gives_what_there_is() -> None:
    """Ours: a target that exports less than hoped for is no error."""
    spans = recorded()
    async with Collector() as collector:
        await asyncio.to_thread(exporter(collector).export, spans[:1])

        assert len(await collector.wait_for(trace_id_of(spans), 2, within=0.05)) == 1
        assert await collector.wait_for("0" * 32, within=0.05) == ()


def test_the_oldest_spans_give_way_when_there_are_too_many(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: a target that exports without end does not fill the memory."""
    monkeypatch.setattr(collector._shelf, "_most", 3)
    first, second = recorded(), recorded()

    exporter(collector).export(first)
    exporter(collector).export(second)

    assert [span.name for span in collector.spans_of(trace_id_of(first))] == ["tools/call find"]
    assert len(collector.spans_of(trace_id_of(second))) == 2


def test_stopping_frees_the_port_and_keeps_what_came() -> None:
    """Ours: a run ends, its report is written afterwards."""
    collector = Collector()
    collector.start()
    port = int(collector.endpoint.rpartition(":")[2])
    exporter(collector).export(recorded())

    with pytest.raises(OSError, match="in use"):
        Collector(port=port).start()
    collector.stop()
    collector.stop()

    assert len(collector.spans()) == 2
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_stopping_lets_go_of_an_answer_that_is_held_back() -> None:
    """Ours: a hanging collector never hangs the run that asked for it."""
    answers: list[int] = []
    with Collector(answer=HANG) as collector:
        url = f"{collector.endpoint}/v1/traces"
        sender = threading.Thread(target=lambda: answers.append(httpx2.post(url, headers=PROTOBUF).status_code))
        sender.start()
        while not collector.exports:
            sender.join(0.01)
            assert sender.is_alive()
    sender.join(10)

    assert answers == [503]
