"""What leaves a connector as labels, exemplars and logs, as a real OTLP receiver gets it."""

import logging
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider

from connector.telemetry.logs import LINE, TraceIds
from tests.telemetry.heard import Heard, labels_of, points_of, until
from tests.telemetry.told_process import told
from tests.wire import call, headers, post

MARK = "zq"
"""In everything that is invented here, and in nothing else."""


@pytest.fixture(scope="module")
def heard() -> Iterator[Heard]:
    with Heard() as heard:
        yield heard


@pytest.fixture(scope="module")
def url(heard: Heard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with told(heard.endpoint, f"store=sqlite:///{tmp_path_factory.mktemp('told')}/calls.sqlite3") as (url, _):
        yield url


def _traced(number: int) -> tuple[str, dict[str, str]]:
    trace = f"{number:032x}"
    return trace, headers() | {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}


_invented = st.text("abz019-_./é", max_size=12).map(lambda text: MARK + text)
_ascii = st.text("abz019-_./", max_size=12).map(lambda text: MARK + text)


@st.composite
def _requests(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, str]]:
    """A request with one invented name at least, in any of the places that a client fills."""
    method = draw(st.sampled_from(["tools/call", "prompts/get", "resources/read", "initialize"]) | _invented)
    version = draw(st.sampled_from(["2025-11-25", "2026-07-28"]) | _ascii)
    name, client = draw(_invented), draw(_ascii)
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientInfo": {"name": client, "version": draw(_ascii)},
        "openai/session": draw(_invented),
        "ballast/idempotencyKey": draw(_invented),
    }
    params = {"name": name, "uri": name, "arguments": {name: name}, "_meta": meta, "protocolVersion": version}
    said = headers(version=version) | {"User-Agent": client, "Mcp-Session-Id": draw(_ascii)}
    return {"jsonrpc": "2.0", "id": draw(_invented), "method": method, "params": params}, said


def test_what_clients_invent_becomes_neither_a_label_nor_the_name_of_a_span(heard: Heard, url: str) -> None:
    """Issue 7 item 7: names from clients are never labels unless registered."""

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(_requests())
    def send(request: tuple[dict[str, Any], dict[str, str]]) -> None:
        body, said = request
        assert client.post(f"{url}/mcp", json=body, headers=said).status_code < 500

    with httpx2.Client(timeout=20) as client:
        send()
    post(url, call("echo", {"text": MARK}), _traced(0xC0)[1])
    until(lambda: [span for span in heard.spans() if span.trace_id.hex() == f"{0xC0:032x}"])
    until(lambda: [p for p in heard.points("mcp.server.operation.duration") if "echo" in labels_of(p).values()])
    labels = {value for metric in heard.metrics() for point in points_of(metric) for value in labels_of(point).values()}

    assert {"echo", "_OTHER"} <= labels
    assert [value for value in labels if MARK in value] == []
    assert [span.name for span in heard.spans() if MARK in span.name] == []


def test_the_duration_of_a_call_leads_to_its_trace(heard: Heard, url: str) -> None:
    """Issue 7 item 7: exemplars, as the SDK's default filter (trace based) lets them through."""
    trace, said = _traced(0xE1)
    post(url, call("fail", {"text": "x"}), said)

    def exemplars() -> list[str]:
        failed = [
            point
            for point in heard.points("mcp.server.operation.duration")
            if labels_of(point).get("gen_ai.tool.name") == "fail"
        ]
        return [exemplar.trace_id.hex() for point in failed for exemplar in point.exemplars]

    assert set(until(exemplars)) == {trace}


def test_a_log_line_leaves_with_its_trace_and_without_what_was_sent(heard: Heard, url: str) -> None:
    """Issue 7 item 7: logs correlated."""
    trace, said = _traced(0xF1)
    post(url, call("crash", {"text": "hunter2"}), said)
    (record, *_) = until(lambda: [each for each in heard.logs() if each.trace_id.hex() == trace])

    assert record.severity_text == "ERROR"
    assert len(record.span_id) == 8
    assert [each for each in heard.logs() if "hunter2" in str(each)] == []


def test_a_handler_with_the_filter_writes_the_ids_of_the_trace() -> None:
    """Issue 7 item 7: a filter that users attach to a handler of theirs."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, logger = Kept(), logging.getLogger("ballast.tests.correlated")
    handler.addFilter(TraceIds())
    handler.setFormatter(logging.Formatter(LINE.removeprefix("%(asctime)s ")))
    logger.addHandler(handler)
    before = list(logging.getLogger().handlers)
    with TracerProvider().get_tracer("tests").start_as_current_span("a call") as span:
        logger.warning("within")
    logger.warning("without")
    ids = span.get_span_context()

    assert lines == [
        f"WARNING ballast.tests.correlated trace_id={ids.trace_id:032x} span_id={ids.span_id:016x}: within",
        "WARNING ballast.tests.correlated trace_id= span_id=: without",
    ]
    assert logging.getLogger().handlers == before
