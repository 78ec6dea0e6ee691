"""Another app's reply, framed as its client reads it and kept warm."""

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx2
import pytest
from starlette.types import Message, Receive, Scope, Send

from connector import Settings, StreamSettings, harden
from tests.hardening.scripts import (
    ANSWER,
    ANSWERED,
    BEAT,
    EAGER,
    EVENT,
    EVENTS,
    JSON,
    PATIENT,
    Gate,
    Script,
    head,
    part,
    saying,
    waiting,
)
from tests.loopback import Serve, served
from tests.wire import call, headers, messages, post, request, streaming

CALL = call("look", {})
ONLY_JSON = headers(accept="application/json")
ONLY_EVENTS = headers(accept="text/event-stream")


@pytest.mark.parametrize("begun", [[], [head()], [head(), part(b"")]], ids=["nothing", "a head", "an empty part"])
def test_a_late_json_answer_follows_heartbeats_as_an_event(serve: Serve, gate: Gate, begun: list[Any]) -> None:
    """Incident T-03: a JSON reply of 60 silent seconds is cut by default proxies."""
    app = waiting(gate, begun, [*([] if begun else [head()]), part(ANSWERED[:9]), part(ANSWERED[9:], more=False)])
    with streaming(serve(harden(app, settings=EAGER)), CALL) as (reply, chunks):
        beats = [next(chunks) for _ in range(3)]
        gate.open()
        rest = b"".join(chunks)

    assert reply.headers["content-type"] == "text/event-stream"
    assert reply.headers["cache-control"] == "no-cache, no-transform"
    assert reply.headers["x-accel-buffering"] == "no"
    assert "content-length" not in reply.headers
    assert beats == [BEAT] * 3
    assert messages(rest) == [ANSWER]


@pytest.mark.parametrize(
    ("begun", "ending"),
    [([], [head(), part(ANSWERED, more=False)]), ([head(200, EVENTS)], [part(EVENT, more=False)])],
    ids=["json", "events"],
)
def test_a_client_of_json_gets_white_space_and_then_the_answer(
    serve: Serve, gate: Gate, begun: list[Any], ending: list[Any]
) -> None:
    """RFC 8259 section 2: white space may stand before a JSON text."""
    app = waiting(gate, begun, ending)
    with streaming(serve(harden(app, settings=EAGER)), CALL, ONLY_JSON) as (reply, chunks):
        beats = [next(chunks) for _ in range(3)]
        gate.open()
        rest = b"".join(chunks)

    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-accel-buffering"] == "no"
    assert beats == [b" "] * 3
    assert json.loads(rest) == ANSWER


@pytest.mark.parametrize("method", ["tools/list", "ping", "resources/list"])
def test_a_list_stays_json_for_a_client_that_reads_both(serve: Serve, method: str) -> None:
    """tc#63: a build of OpenAI's tunnel refused a streamed discover."""
    app = saying(head(200, EVENTS), part(EVENT, more=False))
    reply = post(serve(harden(app, settings=PATIENT)), request(method))

    assert (reply.headers["content-type"], reply.json()) == ("application/json", ANSWER)


def test_a_client_of_events_gets_a_quick_json_answer_as_an_event(serve: Serve) -> None:
    """Incident P-41: ElevenLabs accepts text/event-stream only. The app prints its JSON on several lines."""
    app = saying(head(200, (*JSON, (b"x-own", b"1"))), part(json.dumps(ANSWER, indent=2).encode(), more=False))
    reply = post(serve(harden(app, settings=PATIENT)), CALL, ONLY_EVENTS)

    assert (reply.headers["content-type"], reply.headers["x-own"]) == ("text/event-stream", "1")
    assert (
        reply.text
        == "event: message\n" + "".join(f"data: {line}\n" for line in json.dumps(ANSWER, indent=2).split("\n")) + "\n"
    )


def test_the_apps_own_stream_passes_unchanged_with_comments_while_it_is_silent(serve: Serve, gate: Gate) -> None:
    """Incidents T-01, T-02: the app pings every 15 s; proxies cut sooner, and hold back a head without a body."""
    said = [b": ping - 1\r\n\r\n", b'id: 1\r\ndata: {"jsonrpc":"2.0","method":"notifications/x"}\r\n\r\n']
    start = head(200, (*EVENTS, (b"mcp-session-id", b"s1"), (b"cache-control", b"public")))
    app = waiting(gate, [start], [*(part(each) for each in said), part(EVENT, more=False)])
    with streaming(serve(harden(app, settings=EAGER)), CALL, headers(Mcp_Session_Id="s1")) as (reply, chunks):
        beats = [next(chunks) for _ in range(3)]
        gate.open()
        rest = b"".join(chunks)

    assert reply.headers["mcp-session-id"] == "s1"
    assert reply.headers["cache-control"] == "no-cache, no-transform"
    assert reply.headers["x-accel-buffering"] == "no"
    assert beats == [BEAT] * 3
    assert rest.replace(BEAT, b"") == b"".join(said) + EVENT


def test_a_heartbeat_never_falls_into_an_event(serve: Serve, gate: Gate) -> None:
    """Ours: half an event waits for its other half, and the line is kept warm meanwhile."""
    half = len(EVENT) - 3
    app = waiting(gate, [head(200, EVENTS), part(EVENT[:half])], [part(EVENT[half:]), part(b"", more=False)])
    with streaming(serve(harden(app, settings=EAGER)), CALL) as (_, chunks):
        beats = [next(chunks) for _ in range(3)]
        gate.open()
        rest = b"".join(chunks)

    assert beats == [BEAT] * 3
    assert rest.replace(BEAT, b"") == EVENT


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_large_stream_in_small_chunks_arrives_byte_for_byte(serve: Serve, size: int) -> None:
    """Ours: the relay adds nothing to a stream that is not silent."""
    text = "é" * 2_000 if size < 100 else "é" * 1_000_000
    events = [b'data: {"n":%d}\n\n' % n for n in range(200)] + [
        b"data: " + json.dumps({"result": text}).encode() + b"\r\r"
    ]
    stream = b"".join(events)
    parts = [part(stream[at : at + size]) for at in range(0, len(stream), size)]
    app = saying(head(200, EVENTS), *parts, part(b"", more=False))

    assert post(serve(harden(app, settings=PATIENT)), CALL).content == stream


def test_a_large_json_reply_arrives_byte_for_byte_with_its_own_head(serve: Serve) -> None:
    """Ours: what is quick and readable is passed on as it is."""
    body = json.dumps({**ANSWER, "result": "x" * 3_000_000}, indent=1).encode()
    length = (b"content-length", b"%d" % len(body))
    parts = [part(body[at : at + 65_536]) for at in range(0, len(body), 65_536)]
    app = saying(head(200, (*JSON, length, (b"x-own", b"1"))), *parts, part(b"", more=False))
    reply = post(serve(harden(app, settings=PATIENT)), CALL)

    assert reply.content == body
    assert (reply.headers["content-length"], reply.headers["x-own"]) == (str(len(body)), "1")


def test_a_client_of_json_gets_the_answer_and_no_notifications(serve: Serve) -> None:
    """Incident P-41; notifications cannot be sent to a client that reads one JSON text."""
    told = b'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}\n\n'
    app = saying(head(200, EVENTS), part(b": hi\n\n" + told), part(EVENT), part(told, more=False))
    reply = post(serve(harden(app, settings=PATIENT)), CALL, ONLY_JSON)

    assert (reply.headers["content-type"], reply.content) == ("application/json", ANSWERED)
    assert reply.headers["content-length"] == str(len(ANSWERED))


def test_a_client_of_json_is_told_when_the_server_asks_it_something(serve: Serve, gate: Gate) -> None:
    """Ours: the question cannot reach this client, and waiting for its reply would never end."""
    asked = b'data: {"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{}}\n\n'
    app = waiting(gate, [head(200, EVENTS), part(asked)], [part(EVENT, more=False)])
    error = post(serve(harden(app, settings=PATIENT)), CALL, ONLY_JSON).json()

    assert (error["id"], error["error"]["code"]) == (1, -32603)
    assert "'elicitation/create'" in error["error"]["message"]
    assert "Accept: application/json, text/event-stream" in error["error"]["message"]


def test_a_late_handshake_still_brings_its_session_id(serve: Serve, gate: Gate) -> None:
    """Ours: the id stands in the head; a handshake that is committed before the app's head is known would lose it."""
    app = waiting(gate, [], [head(200, (*JSON, (b"mcp-session-id", b"s1"))), part(ANSWERED, more=False)])
    url = serve(harden(app, settings=EAGER))
    with ThreadPoolExecutor() as threads:
        handshake = threads.submit(post, url, request("initialize", {"protocolVersion": "2025-11-25"}))
        assert app.asked.wait(10)
        with streaming(url, CALL) as (_, chunks):
            next(chunks)  # begun later, and late already
            gate.open()
        reply = handshake.result()

    assert (reply.headers["mcp-session-id"], reply.json()) == ("s1", ANSWER)


def test_a_client_that_goes_away_is_reported_to_the_app(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """MCP: what a disconnect means differs by revision and tool, so the app decides. T-15: it is no error of ours."""

    async def play(script: Script, receive: Receive, send: Send) -> None:
        await send(head(200, EVENTS))
        while (await receive())["type"] != "http.disconnect":
            pass
        script.left.set()
        raise ConnectionError

    app = Script(play)
    with served(harden(app, settings=EAGER)) as url, streaming(url, CALL) as (_, chunks):
        next(chunks)

    assert app.left.is_set()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_an_open_stream_begins_at_once(serve: Serve, gate: Gate) -> None:
    """Incident T-01: some proxies hold back a head until the first byte of the body."""
    app = waiting(gate, [head(200, EVENTS)], [part(b": bye\n\n", more=False)])
    with listening(serve(harden(app, settings=PATIENT))) as chunks:
        first = next(chunks)
        gate.open()
        rest = b"".join(chunks)

    assert (first, rest) == (BEAT, b": bye\n\n")


@pytest.mark.parametrize("begins_late", [False, True])
def test_an_open_stream_is_kept_warm(serve: Serve, gate: Gate, begins_late: bool) -> None:
    """Incident T-01: a GET stream without bytes was cut after 125 s."""
    end = Gate()

    async def play(script: Script, _: Receive, send: Send) -> None:
        if script.scopes[-1]["method"] == "GET":
            if begins_late:
                await gate.passed()
            await send(head(200, EVENTS))
        await end.passed()
        await send(part(b"", more=False))

    app = Script(play)
    url = serve(harden(app, settings=EAGER))
    with ThreadPoolExecutor() as threads, ExitStack() as stack:
        stack.callback(end.open)
        opening = threads.submit(lambda: stack.enter_context(listening(url)))
        assert app.asked.wait(10)
        with streaming(url, CALL, ONLY_JSON) as (_, later):
            next(later)  # begun later, and late already
            gate.open()
            chunks = opening.result()
            beats = [next(chunks) for _ in range(3)]
            end.open()
        rest = b"".join(chunks)

    assert beats == [BEAT] * 3
    assert rest.replace(BEAT, b"") == b""


@contextmanager
def listening(url: str) -> Iterator[Iterator[bytes]]:
    """Open the stream of a session."""
    said = {"Accept": "text/event-stream", "Mcp-Session-Id": "s1"}
    with httpx2.stream("GET", f"{url}/mcp", headers=said, timeout=20) as reply:
        yield reply.iter_raw()


def test_a_stream_the_app_has_encoded_is_left_alone(serve: Serve) -> None:
    """Ours: events cannot be told apart in it, nor comments put between them."""
    encoded = gzip.compress(EVENT)
    app = saying(head(200, (*EVENTS, (b"content-encoding", b"gzip"))), part(encoded[:9]), part(encoded[9:], more=False))
    reply = post(serve(harden(app, settings=PATIENT)), CALL)

    assert (reply.headers["content-encoding"], reply.content) == ("gzip", EVENT)


def test_the_head_is_out_before_anything_else_however_slow_the_socket(serve: Serve) -> None:
    """ASGI: a body before its head is an error. A heartbeat sends the head while the app begins to speak."""
    order: list[str] = []
    begun = asyncio.Event()

    async def play(_: Script, __: Receive, send: Send) -> None:
        await begun.wait()
        await send(head(200, EVENTS))
        await send(part(EVENT, more=False))

    hardened = harden(Script(play), settings=EAGER)

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        async def take(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.set()
                for _ in range(20):
                    await asyncio.sleep(0)
            order.append(message["type"])
            await send(message)

        await hardened(scope, receive, take)

    assert messages(post(serve(slow), CALL).content) == [ANSWER]
    assert order[:3] == ["lifespan.startup.complete", "http.response.start", "http.response.body"]


def test_a_stream_that_speaks_gets_no_comments(serve: Serve, gate: Gate) -> None:
    """Ours: a heartbeat is for silence; at `first_byte` this stream has said something."""
    app = waiting(gate, [head(200, EVENTS), part(b"data: {}\n\n")], [part(EVENT, more=False)])
    settings = Settings(stream=StreamSettings(first_byte=0.05, interval=60))
    url = serve(harden(app, settings=settings))
    with streaming(url, CALL) as (_, chunks):
        first = next(chunks)
        with streaming(url, CALL, ONLY_JSON) as (_, later):
            next(later)  # begun later, and late already
        gate.open()
        rest = b"".join(chunks)

    assert first + rest == b"data: {}\n\n" + EVENT


def test_a_server_that_raises_at_a_dead_socket_is_understood(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """ASGI, "Disconnected Client - send exception": OSError says that the client is gone. T-15: no error of ours."""
    raised = threading.Event()

    async def play(_: Script, __: Receive, send: Send) -> None:
        await send(head(200, EVENTS))
        try:
            await send(part(EVENT))
        except OSError:
            raised.set()
            raise

    hardened = harden(Script(play), settings=EAGER)

    async def dead(scope: Scope, receive: Receive, send: Send) -> None:
        async def take(message: Message) -> None:
            if message["type"] == "http.response.body":
                raise BrokenPipeError
            await send(message)

        await hardened(scope, receive, take)

    with served(dead) as url, pytest.raises(httpx2.RemoteProtocolError):
        post(url, CALL)

    assert raised.is_set()
    ours = [record.message for record in caplog.records if record.name.startswith("ballast")]
    assert ours == []


def test_a_server_that_cancels_a_request_is_obeyed(serve: Serve, gate: Gate) -> None:
    """Ours: only a stop of our own is turned into an answer."""
    app = waiting(gate, [], [head(), part(ANSWERED, more=False)])
    hardened = harden(app, settings=PATIENT)

    async def cancelling(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await hardened(scope, receive, send)
        task = asyncio.ensure_future(hardened(scope, receive, send))
        await asyncio.to_thread(app.asked.wait)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await send(head(204 if task.cancelled() else 500, ()))
        await send(part(b"", more=False))
        return None

    assert post(serve(cancelling), CALL).status_code == 204
