"""What is sent, and what has to be found again in each backend."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests.telemetry.told_process import told
from tests.wire import call, headers, post, streaming

from .serving import Failed, get, until

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "observability"

_ORIGINAL, _REPLAY, _FAILED = (f"{number:032x}" for number in (0xBA11A571, 0xBA11A572, 0xBA11A573))
_PARENT = "00f067aa0ba902b7"


def send(environ: Mapping[str, str], folder: Path) -> None:
    """Serve a connector, and call it: an answer, a stream, a failure, a write and its replay."""
    with told("", f"store=sqlite:///{folder}/calls.sqlite3", environ=environ) as (url, process):
        booking = call("book", {"seat": "4a"}, meta={"ballast/idempotencyKey": "one"})
        post(url, booking, _traced(_ORIGINAL))
        post(url, booking, _traced(_REPLAY))
        post(url, call("fail", {"text": "hunter2"}), _traced(_FAILED))
        for number in range(20):
            post(url, call("echo", {"text": str(number)}))
        with streaming(url, call("book", {"seat": "slow"}, meta={"ballast/idempotencyKey": "two"})) as (_, chunks):
            b"".join(chunks)
        process.terminate()
        process.wait(60)


def traces(url: str) -> Iterator[str]:
    """What Phoenix has, sentence by sentence.

    Raises:
        Failed: Something is missing or wrong.
    """
    found = until(lambda: _by_trace(url, {_ORIGINAL, _REPLAY, _FAILED}), "spans in Phoenix")
    original, failed = found[_ORIGINAL], found[_FAILED]
    _require(original["name"] == "tools/call book", f"a span is called {original['name']!r}")
    _require(original["parent_id"] == _PARENT, "a span has lost its parent")
    yield f"{len(found)} traces by their ids, each span under the caller's: {original['name']}"
    _require(failed["status_code"] == "ERROR", f"a failure is {failed['status_code']}")
    yield "a failed tool is an error: error.type=tool_error"
    events = [event["name"] for event in found[_REPLAY]["events"]]
    _require("ballast.call.replayed" in events, f"the replay's events are {events}")
    yield "the replay has its event: ballast.call.replayed"
    _require("hunter2" not in json.dumps(found), "an argument has reached the backend")
    yield "no argument is in them"


def metrics(url: str) -> Iterator[str]:
    """What VictoriaMetrics has.

    Raises:
        Failed: Something is missing or wrong.
    """
    asked = {
        'sum(mcp_server_operation_duration_seconds_count{gen_ai_tool_name="echo"})': 20.0,
        'sum(ballast_guard_calls_total{ballast_guard_outcome="replayed"})': 1.0,
        'sum(ballast_guard_calls_total{ballast_guard_outcome="executed"})': 2.0,
        'sum(ballast_streams_delivered_total{ballast_surface="chatgpt"})': 1.0,
        'sum(ballast_replies_total{ballast_reply_mode="events"})': 1.0,
        'max(ballast_drains_total{ballast_drain_outcome="in time"})': 1.0,
    }
    for query, expected in asked.items():
        number = until(partial(_number, url, query), query)
        _require(number == expected, f"{query} is {number:g}, not {expected:g}")
        yield f"{query} = {number:g}"
    bucket = _number(url, 'sum(mcp_server_operation_duration_seconds_bucket{le="300"})')
    _require(bucket is not None, "the buckets of the convention are not there")
    yield "the histogram has the convention's buckets"
    expressions = list(_expressions())
    answered = [each for each in expressions if get(f"{url}/api/v1/query", query=each)["status"] == "success"]
    _require(len(answered) == len(expressions), "an expression of the dashboard or the rules is refused")
    full = sum(bool(get(f"{url}/api/v1/query", query=each)["data"]["result"]) for each in expressions)
    yield f"all {len(expressions)} expressions of the dashboard and the rules are understood; {full} find something"


def _traced(trace: str) -> dict[str, str]:
    return headers() | {"traceparent": f"00-{trace}-{_PARENT}-01"}


def _by_trace(url: str, wanted: set[str]) -> dict[str, Any]:
    spans = get(f"{url}/v1/projects/default/spans", limit="500")["data"]
    found = {span["context"]["trace_id"]: span for span in spans if span["context"]["trace_id"] in wanted}
    return found if set(found) == wanted else {}


def _number(url: str, query: str) -> float | None:
    result = get(f"{url}/api/v1/query", query=query)["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def _expressions() -> Iterator[str]:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"].replace("$job", ".*").replace("$__rate_interval", "5m")
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise)
