"""How many calls a foreign app gets at once, and how what is on its way through a relay ends."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from connector import AdaptiveSettings, CapacitySettings, Settings, harden
from connector.http.behind.foreign import ForeignEndpoint
from tests.hardening.contenders import Tools, contender
from tests.hardening.scripts import ANSWERED, BEAT, EAGER, EVENTS, Gate, Script, head, part
from tests.loopback import Serve
from tests.wire import call, headers, messages, post, request, streaming

CALL = call("look", {})


def answering_behind(gate: Gate) -> Script:
    async def play(_: Script, __: Receive, send: Send) -> None:
        await gate.passed()
        await send(head())
        await send(part(ANSWERED, more=False))

    return Script(play)


def test_what_is_too_much_at_once_is_told_to_come_back(serve: Serve, gate: Gate) -> None:
    """CT-03b: calls are capped for a foreign app as for a connector's own; lists need no place."""
    settings = Settings(stream=EAGER.stream, capacity=CapacitySettings(calls=1, wait=0))
    url = serve(harden(answering_behind(gate), settings=settings))
    with streaming(url, CALL) as (_, chunks):
        next(chunks)
        refused = post(url, CALL)
        with ThreadPoolExecutor() as threads:
            listed = threads.submit(post, url, request("tools/list"))
            gate.open()
            rest = b"".join(chunks)

    assert refused.json()["result"]["isError"] is True
    assert "look was not started" in refused.json()["result"]["content"][0]["text"]
    assert listed.result().status_code == 200
    assert messages(rest)[0]["id"] == 1
    assert "result" in post(url, CALL).json()


@pytest.mark.parametrize(("session", "then"), [(False, "application/json"), (True, "text/event-stream")])
def test_streams_of_a_foreign_app_that_keep_breaking_are_no_longer_sent(
    serve: Serve, *, session: bool, then: str
) -> None:
    """Issue 3 item 4, for a relay. In a session it goes on: the app may have to ask the client on the stream."""
    tools = Tools()
    adaptive = AdaptiveSettings(broken=2, of_last=2, pause=600, longest_pause=600)
    app = contender("sdk", tools, stateless_http=not session)
    url = serve(harden(app, settings=Settings(stream=EAGER.stream, adaptive=adaptive)))
    lines = _in_a_session(url) if session else headers()

    def kind(said: dict[str, str]) -> str:
        with streaming(url, CALL, said) as (reply, chunks):
            next(chunks)
            return str(reply.headers["content-type"])

    assert [kind(lines), kind(lines)] == ["text/event-stream", "text/event-stream"]
    ends = time.monotonic() + 20
    while session is False and kind(lines) != then:  # the server hears of a closed connection a little later
        assert time.monotonic() < ends
    assert kind(lines) == then
    assert kind(lines | {"User-Agent": "Claude-User"}) == "text/event-stream"
    tools.opened.set()


def _in_a_session(url: str) -> dict[str, str]:
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    lines = headers(Mcp_Session_Id=post(url, request("initialize", params)).headers["mcp-session-id"])
    post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, lines)
    return lines


class Stoppable:
    """A foreign endpoint whose end is called in its own loop."""

    def __init__(self, app: ASGIApp) -> None:
        self.endpoint = ForeignEndpoint(app, EAGER)
        self.stopped = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/mcp":
            {"/end-streams": self.endpoint.end_streams, "/stop-all": self.endpoint.traffic.stop_all}[scope["path"]]()
            await send(head(204, ()))
            await send(part(b"", more=False))
        elif scope["type"] == "http":
            await self.endpoint(scope, receive, send)
        else:
            await Script(_nothing)(scope, receive, send)


async def _nothing(_: Script, __: Receive, ___: Send) -> None: ...


def test_a_call_that_is_stopped_tells_its_client(serve: Serve, gate: Gate) -> None:
    """T-11: no half responses on shutdown; the client learns that the effect is unknown."""
    url = serve(Stoppable(answering_behind(gate)))
    with streaming(url, CALL) as (_, chunks):
        next(chunks)
        httpx2.post(f"{url}/end-streams")
        next(chunks)  # a call is no stream to be ended
        httpx2.post(f"{url}/stop-all")
        (error,) = messages(b"".join(chunks))

    assert error["id"] == 1
    assert (error["error"]["code"], error["error"]["data"]) == (19_503, {"retryAfterSeconds": 5})
    assert error["error"]["message"].startswith("The connector is being restarted and stopped this call.")


def test_a_stream_that_owes_nothing_ends_properly(serve: Serve, gate: Gate) -> None:
    """Issue 3, shutdown: open GET streams end with a proper last chunk."""

    async def play(_: Script, __: Receive, send: Send) -> None:
        await send(head(200, EVENTS))
        await gate.passed()

    url = serve(Stoppable(Script(play)))
    lines = {"Accept": "text/event-stream", "Mcp-Session-Id": "s1"}
    with httpx2.stream("GET", f"{url}/mcp", headers=lines, timeout=20) as reply:
        chunks = reply.iter_raw()
        next(chunks)
        httpx2.post(f"{url}/stop-all")
        next(chunks)  # nothing is owed on a stream
        httpx2.post(f"{url}/end-streams")
        rest = b"".join(chunks)

    assert rest.replace(BEAT, b"") == b""


def test_a_plain_sdk_call_that_is_stopped_leaves_its_session_usable(serve: Serve) -> None:
    """T-11: one request's end never cancels a sibling."""
    tools = Tools()
    app = contender("sdk", tools)
    stoppable = Stoppable(app)

    async def whole(scope: Scope, receive: Receive, send: Send) -> None:
        await (stoppable if scope["type"] == "http" else app)(scope, receive, send)

    url = serve(whole)
    lines = _in_a_session(url)
    with streaming(url, CALL, lines) as (_, chunks):
        next(chunks)
        httpx2.post(f"{url}/stop-all")
        (error,) = messages(b"".join(chunks))
    tools.opened.set()

    assert "stopped this call" in error["error"]["message"]
    assert messages(post(url, call("echo", {"text": "hi"}, id_=2), lines).content)[-1]["id"] == 2
