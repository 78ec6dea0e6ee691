"""The guard in every way a connector is served, and what is seen of it from outside."""

import logging
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from connector import Settings, StoreSettings, StoreTooNew, StreamSettings
from connector.settings import BookSettings
from connector.telemetry.meters import Meters
from connector.telemetry.watched import Watched
from tests import wire
from tests.loopback import Serve, served
from tests.once.ledger import CutShort, Ledger, ask, mark_of, meta, text_of

SECRET = "a secret of which nobody knows anything at all"
KEY = {"ballast__idempotencyKey": "order-1"}


@pytest.mark.parametrize("sessions", ["none", "sticky"])
def test_a_write_outlives_its_client(sessions: str) -> None:
    """Issue 4 item 2. In a session the SDK cancels the handler of a stream that breaks (mcp 2.3.0)."""
    ledger = Ledger(
        store="memory:", sessions=sessions, settings=Settings(stream=StreamSettings(first_byte=0.05, interval=0.05))
    )
    with served(ledger.app()) as url:
        said = wire.headers()
        if sessions == "sticky":
            hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
            reply = wire.post(url, wire.request("initialize", hello))
            said = wire.headers(Mcp_Session_Id=reply.headers["mcp-session-id"])
            wire.post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, said)
        client = CutShort(url, wire.call("slowly", {"text": "tea"}, meta=meta()), said)
        assert ledger.begun.acquire(timeout=10)
        client.hang_up()
        with wire.streaming(url, wire.call("slowly", {"text": "tea"}, id_=2, meta=meta())) as (_, chunks):
            first = next(chunks)
            ledger.may_end.set()
            result = wire.messages(first + b"".join(chunks))[-1]["result"]

    assert ledger.done == ["tea"]
    assert text_of(result) == "tea is number 1"


@pytest.mark.parametrize("sessions", ["none", "sticky"])
def test_the_sdks_own_client_sees_replays_too(serve: Serve, sessions: str) -> None:
    """facts section 3: the marker in the result's `_meta`."""
    ledger = Ledger(store="memory:", sessions=sessions)
    url = serve(ledger)

    async def twice() -> list[str | None]:
        marks = []
        async with Client(f"{url}/mcp") as client:
            for _ in range(2):
                result = await client.call_tool("pay", {"amount": 5, "reference": "order-1"})
                marks.append(((result.meta or {}).get("ballast/idempotency") or {}).get("outcome"))
        return marks

    assert anyio.run(twice) == [None, "replayed"]
    assert ledger.done == ["paid 5"]


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    """DESIGN section 2: a file, so a restart loses nothing."""
    results = []
    for _ in range(2):
        ledger = Ledger(store=f"sqlite:///{tmp_path}/calls.sqlite3")
        with served(ledger.app()) as url:
            results.append(ask(url, "pay", {"amount": 5}, **KEY))

    assert ledger.done == []
    assert [result["structuredContent"] for result in results] == [{"amount": 5, "payments": 1}] * 2
    assert [mark_of(result) for result in results] == [None, "replayed"]


def test_nothing_of_a_call_can_be_read_in_the_file(tmp_path: Path) -> None:
    """Issue 4 item 4: keys are HMACs, results are sealed, no tokens or headers. (The visitors' book names tools.)"""
    settings = replace(_with_secrets(SECRET), book=BookSettings(is_on=False))
    ledger = Ledger(store=f"sqlite:///{tmp_path}/calls.sqlite3", settings=settings)
    with served(ledger.app()) as url:
        ask(url, "note", {"text": "camomile for anna"}, **KEY)

    file = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for word in (b"camomile", b"anna", b"order-1", b"v1/chat-one", b"note", SECRET.encode(), b"openai-mcp"):
        assert word not in file, word


def test_after_a_rotation_old_answers_can_still_be_read(tmp_path: Path) -> None:
    """Issue 4 item 4: key ring, rotation."""
    results = []
    for secrets in ((SECRET,), ("the new " + SECRET, SECRET)):
        ledger = Ledger(store=f"sqlite:///{tmp_path}/calls.sqlite3", settings=_with_secrets(*secrets))
        with served(ledger.app()) as url:
            results.append(ask(url, "pay", {"amount": 5}, **KEY))

    assert [mark_of(result) for result in results] == [None, "replayed"]
    assert results[1]["structuredContent"] == {"amount": 5, "payments": 1}


def test_an_answer_that_cannot_be_opened_is_known_to_be_done(tmp_path: Path) -> None:
    """Ours: a changed row must not make the work run again."""
    path = tmp_path / "calls.sqlite3"
    ledger = Ledger(store=f"sqlite:///{path}", settings=_with_secrets(SECRET))
    with served(ledger.app()) as url:
        ask(url, "pay", {"amount": 5}, **KEY)
        with sqlite3.connect(path) as file:
            assert file.execute("UPDATE ballast_v1_calls SET result = x'0102030405'").rowcount == 1
        file.close()
        again = ask(url, "pay", {"amount": 5}, **KEY)

    assert "can no longer be read" in text_of(again)
    assert ledger.done == ["paid 5"]


def test_a_store_of_a_newer_version_keeps_the_connector_from_starting(tmp_path: Path) -> None:
    """Issue 4, bad input: a store written by a newer version. Nothing is changed in it."""
    path = tmp_path / "calls.sqlite3"

    async def start() -> None:
        async with Ledger(store=f"sqlite:///{path}").running():
            pass

    anyio.run(start)
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 9999")
    file.close()

    with pytest.raises(StoreTooNew, match=r"schema version 9999.*upgrade mcp-ballast"):
        anyio.run(start)


def test_a_store_that_nobody_reaches_keeps_nobody_from_starting(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Issue 4, bad input: a store URL nobody can reach. Reads are served, writes are refused in words."""
    (tmp_path / "calls.sqlite3").mkdir()
    caplog.set_level(logging.WARNING, logger="ballast")
    ledger = Ledger(store=f"sqlite:///{tmp_path}/calls.sqlite3")
    url = serve(ledger)

    refused = ask(url, "pay", {"amount": 5}, **KEY)
    counted = ask(url, "count", {})

    assert refused["isError"] is True
    assert "Nothing was done" in text_of(refused)
    assert counted["structuredContent"] == {"result": 1}
    assert "Calls that write are refused until the store is back" in caplog.text


def test_a_store_comes_back_without_a_restart(serve: Serve, tmp_path: Path) -> None:
    """Issue 4 item 3."""
    in_the_way = tmp_path / "calls.sqlite3"
    in_the_way.mkdir()
    ledger = Ledger(store=f"sqlite:///{in_the_way}")
    url = serve(ledger)
    refused = ask(url, "pay", {"amount": 5}, **KEY)
    in_the_way.rmdir()

    result = ask(url, "pay", {"amount": 5}, **KEY)

    assert refused["isError"] is True
    assert result["structuredContent"] == {"amount": 5, "payments": 1}


def test_the_ways_calls_were_answered_can_be_read_as_a_metric(serve: Serve) -> None:
    """Issue 4 item 1: visible in telemetry."""
    reader = InMemoryMetricReader()
    meters = Meters(MeterProvider([reader]))
    ledger = Ledger(store="memory:")
    meters.watch(Watched.GUARDED, ledger._archive.outcomes)
    url = serve(ledger)
    for amount in (5, 5, 6):
        ask(url, "pay", {"amount": amount}, **KEY)
    ask(url, "note", {"text": "tea"}, openai__session=None, openai__subject=None)

    data = reader.get_metrics_data()
    assert data is not None
    points = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert {(point.attributes or {})["ballast.guard.outcome"]: point.value for point in points} == {  # type: ignore[union-attr]
        "executed": 1,
        "replayed": 1,
        "mismatch": 1,
        "bypassed": 1,
    }


def test_a_call_that_asks_back_leaves_no_trace(serve: Serve) -> None:
    """Issue 4 item 1: `input_required` is not stored (MCP 2026-07-28), so the answer may come under the same key."""
    ledger = Ledger(store="memory:")
    url = serve(ledger)
    asks: dict[str, Any] = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}
    params = {"name": "ask_back", "arguments": {"text": "tea"}, "_meta": meta(**KEY) | asks}

    results = []
    for _ in range(2):
        said, body = wire.modern("tools/call", params)
        results.append(wire.post(url, body, said).json()["result"])

    assert [result["resultType"] for result in results] == ["input_required", "input_required"]
    assert ledger.done == ["tea", "tea"]


def test_many_equal_calls_at_once_are_one(serve: Serve) -> None:
    """CT-04, more of it: twenty clients, one wish. The last one may come late where much else is done meanwhile."""
    settings = Settings(stream=StreamSettings(first_byte=0.05), store=StoreSettings(grace=60))
    ledger = Ledger(store="memory:", settings=settings)
    url = serve(ledger)
    results: list[str] = []

    def call() -> None:
        results.append(text_of(ask(url, "slowly", {"text": "tea"})))

    threads = [threading.Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    assert ledger.begun.acquire(timeout=10)
    ledger.may_end.set()
    for thread in threads:
        thread.join(50)

    assert ledger.done == ["tea"]
    assert results == ["tea is number 1"] * 20


def _with_secrets(*secrets: str) -> Settings:
    return Settings(store=StoreSettings(secrets=secrets))
