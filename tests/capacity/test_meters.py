"""Metrics as an exporter reads them, and as a real OTLP receiver gets them."""

import gc
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint

from connector.http.load.breaker import Breaker
from connector.http.load.busy import Busy
from connector.http.load.capacity import Capacity
from connector.http.request.surface import Surface
from connector.settings import CapacitySettings
from connector.telemetry.meters import Meters
from connector.telemetry.watched import Watched


class Exporter:
    """A provider of the SDK, read by the test."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def points(self, name: str) -> list[Any]:
        data = self._reader.get_metrics_data()
        metrics = [
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]
        return [point for metric in metrics if metric.name == name for point in metric.data.data_points]

    def numbers(self, name: str) -> Mapping[str, float]:
        points = self.points(name)
        assert all(isinstance(point, NumberDataPoint) for point in points)
        return {",".join(map(str, (point.attributes or {}).values())): point.value for point in points}


def test_what_is_counted_anyway_is_read_when_the_exporter_asks() -> None:
    """Issue 3: calls in flight, shed calls and open streams in metrics."""
    exporter, capacity = Exporter(), Capacity(CapacitySettings(calls=2, streams=1))
    meters = Meters(exporter.provider)
    meters.watch(Watched.CALLS_IN_FLIGHT, lambda: capacity.occupancy().calls)
    meters.watch(Watched.STREAMS_OPEN, lambda: capacity.occupancy().streams)
    meters.watch(Watched.CALLS_SHED, lambda: {scope.value: count for scope, count in capacity.occupancy().shed.items()})
    slots = [capacity.try_call(), capacity.try_call(), capacity.open_stream()]
    with suppress(Busy):
        capacity.open_stream()
    assert exporter.numbers("ballast.calls.in_flight") == {"": 2}
    assert exporter.numbers("ballast.streams.open") == {"": 1}
    assert exporter.numbers("ballast.calls.shed")["streams"] == 1

    for slot in slots:
        assert slot is not None
        slot.release()
    assert exporter.numbers("ballast.calls.in_flight") == {"": 0}


def test_the_state_of_each_breaker_is_visible() -> None:
    """Issue 3: state visible in metrics."""
    exporter, breaker = Exporter(), Breaker()
    meters = Meters(exporter.provider)
    meters.watch(
        Watched.BREAKER_STATE, lambda: {each.value: it.state.level for each, it in breaker.snapshot(9).items()}
    )
    meters.watch(Watched.STREAMS_BROKEN, lambda: {each.value: it.broken for each, it in breaker.snapshot(9).items()})
    for _ in range(3):
        breaker.stream_ended(breaker.may_stream(Surface.CHATGPT, 9), delivered=False, lasted=1, now=9)

    states = exporter.numbers("ballast.breaker.state")
    assert (states["chatgpt"], states["claude"], len(states)) == (2, 0, len(Surface))
    assert exporter.numbers("ballast.streams.broken")["chatgpt"] == 3


def test_connectors_of_one_process_add_up_and_one_that_is_gone_no_longer_counts() -> None:
    """The SDK reads only the first instrument of a name; a second connector would be invisible."""
    exporter = Exporter()
    first, second = Meters(exporter.provider), Meters(exporter.provider)
    first.watch(Watched.CALLS_IN_FLIGHT, lambda: 5)
    second.watch(Watched.CALLS_IN_FLIGHT, lambda: 7)
    first.watch(Watched.BREAKER_STATE, lambda: {"chatgpt": 2, "slack": 0})
    second.watch(Watched.BREAKER_STATE, lambda: {"chatgpt": 1})
    assert exporter.numbers("ballast.calls.in_flight") == {"": 12}
    assert exporter.numbers("ballast.breaker.state") == {"chatgpt": 2, "slack": 0}

    del second
    gc.collect()
    assert exporter.numbers("ballast.calls.in_flight") == {"": 5}


def test_a_number_of_the_whole_process_counts_once_however_many_connectors_read_it() -> None:
    """Ours: heartbeats are counted where they are written, by all connectors together."""
    exporter = Exporter()
    members = [Meters(exporter.provider), Meters(exporter.provider)]
    for member in members:
        member.watch(Watched.HEARTBEATS, lambda: 5)

    assert exporter.numbers("ballast.heartbeats") == {"": 5}


def test_an_operation_is_measured_in_the_buckets_of_the_convention() -> None:
    """OpenTelemetry, semantic conventions for MCP, metrics."""
    exporter = Exporter()
    meters = Meters(exporter.provider)
    meters.operation(0.3, method="tools/call", version="2026-07-28", tool="find_invoice")
    meters.operation(0.4, method="tools/call", version="2026-07-28", tool="find_invoice")
    meters.operation(70, method="prompts/get", version="2025-11-25", prompt="greet", error="cancelled")
    found, failed = exporter.points("mcp.server.operation.duration")

    assert isinstance(found, HistogramDataPoint)
    assert found.attributes == {
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": "2026-07-28",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "find_invoice",
        "network.transport": "tcp",
    }
    assert (found.count, found.sum) == (2, 0.7)
    assert list(found.explicit_bounds) == [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]
    assert failed.attributes == {
        "mcp.method.name": "prompts/get",
        "mcp.protocol.version": "2025-11-25",
        "gen_ai.prompt.name": "greet",
        "error.type": "cancelled",
        "network.transport": "tcp",
    }


def test_a_blocked_loop_is_measured_with_its_tool() -> None:
    """Issue 3: a watchdog says which tool did it."""
    exporter = Exporter()
    meters = Meters(exporter.provider)
    meters.blocked(1.5, "export")
    meters.blocked(2.5, None)

    points = exporter.points("ballast.loop.blocked")
    assert [(point.attributes, point.sum) for point in points] == [({"gen_ai.tool.name": "export"}, 1.5), ({}, 2.5)]


def test_a_provider_that_is_installed_later_gets_everything() -> None:
    """Ours: a connector is built when its module is imported, its telemetry when it is served."""
    script = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from connector.telemetry.meters import Meters
from connector.telemetry.watched import Watched

meters = Meters()
meters.watch(Watched.HEARTBEATS, lambda: 3)
meters.operation(0.1, method="ping", version="2025-11-25")
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
meters.operation(0.2, method="ping", version="2025-11-25")
(resource,) = reader.get_metrics_data().resource_metrics
(scope,) = resource.scope_metrics
print(scope.scope.name, sorted(metric.name for metric in scope.metrics))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.stderr, done.stdout) == ("", "mcp-ballast ['ballast.heartbeats', 'mcp.server.operation.duration']\n")
