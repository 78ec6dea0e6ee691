"""The dashboard and the alert rules hold, and ask for nothing that a connector does not export."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from connector import Connector, tool
from connector.telemetry.meters import Meters
from connector.telemetry.watched import ROWS, Watched
from tests.telemetry.heard import Heard, labels_of, points_of, until
from tests.telemetry.told_process import told
from tests.wire import call, headers, post

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "observability"
RULES = FOLDER / "alerts.yaml"

UNITS: Mapping[str, str] = {"s": "_seconds", "1": "_ratio"}
"""OpenTelemetry, "Prometheus and OpenMetrics compatibility"; units in braces are left out."""

SCRAPED = {"job", "instance", "le"}
"""Labels that the backend gives: `job` is `service.name`."""

Exported = dict[str, set[str]]
"""Prometheus' names of series, and the labels of each."""


def _names(metric: Metric) -> Iterator[str]:
    name = re.sub(r"[^a-zA-Z0-9_]", "_", metric.name) + UNITS.get(metric.unit, "")
    if metric.WhichOneof("data") == "histogram":
        yield from (f"{name}_bucket", f"{name}_sum", f"{name}_count")
    elif metric.WhichOneof("data") == "sum" and metric.sum.is_monotonic:
        yield f"{name}_total"
    else:
        yield name


def _exported(heard: Heard) -> Exported:
    series: Exported = {}
    for metric in heard.metrics():
        labels = {re.sub(r"[^a-zA-Z0-9_]", "_", label) for point in points_of(metric) for label in labels_of(point)}
        for name in _names(metric):
            series.setdefault(name, set()).update(labels)
    return series


@pytest.fixture(scope="module")
def everything() -> Exported:
    """All that a connector can export, as it arrives by OTLP."""
    with Heard() as heard:
        exporter = OTLPMetricExporter(endpoint=f"{heard.endpoint}/v1/metrics")
        provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)])
        meters = Meters(provider)
        for what, row in ROWS.items():
            meters.watch(what, (lambda: {"one": 1.0}) if row.label else (lambda: 1.0))
        meters.operation(0.1, method="tools/call", version="2026-07-28", tool="echo", error="tool_error")
        meters.session(1.0, version="2025-11-25")
        meters.blocked(1.0, "echo")
        meters.queued(1.0)
        meters.stored(0.1, "claim")
        provider.force_flush()
        provider.shutdown()
        return _exported(heard)


def _expressions() -> Iterator[Any]:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield pytest.param(target["expr"], target["legendFormat"], id=f"panel {panel['id']} {target['refId']}")
    for each in dashboard["annotations"]["list"]:
        yield pytest.param(each["expr"], each["titleFormat"], id="annotation")
    for each in dashboard["templating"]["list"]:
        if each["type"] == "query":
            yield pytest.param(each["definition"].split("(")[1].split(",")[0], "", id="variable")
    for rule in _rules():
        texts = " ".join([*rule["annotations"].values(), *rule["labels"].values()])
        yield pytest.param(rule["expr"], texts.replace("$labels.", ""), id=rule["alert"])


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize(("expression", "says"), list(_expressions()))
def test_an_expression_asks_only_for_what_is_exported(everything: Exported, expression: str, says: str) -> None:
    """Issue 7 item 7: a dashboard and alert rules as files, validated."""
    asked = re.findall(r"\b((?:ballast|mcp_server)_\w+)(?=[\s{\[)]|$)", re.sub(r"by \([^)]*\)", "", expression))
    labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression)) | set(re.findall(r"{{ ?(\w+) ?}}", says))
    for group in re.findall(r"by \(([^)]*)\)", expression):
        labels.update(label.strip() for label in group.split(","))
    known = set().union(*(everything.get(name, set()) for name in asked)) | SCRAPED

    assert asked
    assert [name for name in asked if name not in everything] == []
    assert sorted(labels - known) == []


def test_what_a_connector_exports_is_what_is_known_of_it(everything: Exported, tmp_path: Path) -> None:
    """The names above are made by hand-fed meters; these come from a connector that served calls."""
    with Heard() as heard, told(heard.endpoint, f"store=sqlite:///{tmp_path}/calls.sqlite3") as (url, _):
        for seat in ("1a", "1a"):
            post(url, call("book", {"seat": seat}, meta={"ballast/idempotencyKey": "k"}), headers())
        until(lambda: heard.numbers("ballast.guard.calls").get("replayed"))
        until(lambda: heard.points("ballast.store.duration"))
        series = _exported(heard)

    unknown = {name: sorted(labels - everything.get(name, set())) for name, labels in series.items()}
    assert {"ballast_guard_calls_total", "ballast_replies_total", "ballast_store_duration_seconds_bucket"} <= set(
        series
    )
    assert {name: labels for name, labels in unknown.items() if labels or name not in everything} == {}


def test_a_connector_has_a_number_for_every_name() -> None:
    """No panel stays empty because nobody counts."""

    class Counting(Connector):
        name = "counting"

        @tool(read_only=True)
        async def echo(self, text: str) -> str:
            """Answer."""
            return text

    counting = Counting(store="memory:")
    counting.app()

    assert set(Watched) - set(counting._meters._counts) - {Watched.OAUTH} == set()


def test_every_alert_says_what_to_do() -> None:
    """At night a name is not enough."""
    rules = _rules()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "ticket", "info"}
    assert [rule["alert"] for rule in rules if len(rule["annotations"]["description"]) < 40] == []


def test_every_panel_has_a_place_of_its_own() -> None:
    """Grafana lays panels over each other without a word."""
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    taken = [
        (x, y)
        for at in (panel["gridPos"] for panel in panels)
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_the_rules_are_read_by_prometheus_own_tool() -> None:
    """Debian's package prometheus brings promtool; `make backends` has vmalert read the rules too."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; on Debian 12: apt install prometheus")
    done = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True, check=False)

    assert (done.returncode, f"{len(_rules())} rules found" in done.stdout) == (0, True)
