"""Incidents on a plain SDK app and on FastMCP 4, each before and after `harden`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import mcp_types as types
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connector import harden
from tests.hardening.contenders import KINDS, Tools, contender
from tests.hardening.scripts import BEAT, EAGER, PATIENT
from tests.loopback import Serve, served
from tests.wire import call, headers, messages, modern, post, request, streaming

ECHO = call("echo", {"text": "hi"})
ACCEPTS = {
    "": "text/event-stream",
    "application/json": "application/json",
    "text/event-stream": "text/event-stream",
    "application/*": "application/json",
    "text/html": "application/json",
    "application/json;q=0.5": "application/json",
}


@pytest.fixture
def tools() -> Iterator[Tools]:
    made = Tools()
    yield made
    made.opened.set()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Spy:
    """Stands before an app and notes each request's verb, session and status."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seen: list[tuple[str, str | None, int]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                session = dict(scope["headers"]).get(b"mcp-session-id", b"").decode()
                self.seen.append((scope["method"], session or None, message["status"]))
            await send(message)

        await self.app(scope, receive, note)


def said(reply: httpx2.Response) -> str:
    """The text of a tool's result, in whichever frame it came."""
    is_stream = reply.headers["content-type"].startswith("text/event-stream")
    message = messages(reply.content)[-1] if is_stream else reply.json()
    return str(message["result"]["content"][0]["text"])


def first_chunk(asked: Any) -> bytes:
    """The first bytes of a body."""
    with asked as (_, chunks):
        return bytes(next(chunks))


def handshake(url: str, **capabilities: Any) -> str:
    """Open a session as a client of 2025-11-25 does, and give its id."""
    client = {"name": "openai-mcp", "version": "1.0.0"}
    params = {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client}
    session = str(post(url, request("initialize", params)).headers["mcp-session-id"])
    post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, headers(Mcp_Session_Id=session))
    return session


def test_p41_no_accept_header_is_refused(serve: Serve, kind: str, tools: Tools) -> None:
    """Incident P-41: 406 unless both media types were named, which ElevenLabs and others do not."""
    before = serve(contender(kind, tools, stateless_http=True))
    after = serve(harden(contender(kind, tools, stateless_http=True), settings=PATIENT))

    assert [post(before, ECHO, headers(accept=accept)).status_code for accept in ACCEPTS] == [406] * len(ACCEPTS)
    for accept, media_type in ACCEPTS.items():
        reply = post(after, ECHO, headers(accept=accept))
        assert (reply.status_code, reply.headers["content-type"], said(reply)) == (200, media_type, "hi")


def test_p01_a_call_without_the_session_id_is_served(serve: Serve, kind: str, tools: Tools) -> None:
    """Incident P-01: ChatGPT initialises, gets an id, and calls tools without it."""
    before = serve(contender(kind, tools))
    after = serve(harden(contender(kind, tools), settings=PATIENT))
    for url in (before, after):
        handshake(url)

    assert post(before, ECHO).status_code == 400
    replies = [post(after, ECHO) for _ in range(3)]
    assert [(reply.status_code, said(reply)) for reply in replies] == [(200, "hi")] * 3
    assert [reply.headers.get("mcp-session-id") for reply in replies] == [None] * 3


def test_p01_a_lent_session_ends_with_its_answer(kind: str, tools: Tools) -> None:
    """Incident P-03: sessions that nobody ends are a leak."""
    spy = Spy(contender(kind, tools))
    with served(harden(spy, settings=PATIENT)) as url:
        for _ in range(3):
            post(url, ECHO)

    lent = [session for verb, session, _ in spy.seen if verb == "DELETE"]
    assert len(set(lent)) == 3
    assert [status for _, _, status in spy.seen].count(400) == 1  # the app is asked in vain only once
    assert None not in lent
    assert [status for verb, _, status in spy.seen if verb == "DELETE"] == [200] * 3
    assert [(verb, status) for verb, session, status in spy.seen if session == lent[0]] == [
        ("POST", 202),
        ("POST", 200),
        ("DELETE", 200),
    ]


def test_p01_a_session_that_was_lent_outlives_a_client_that_left(kind: str, tools: Tools) -> None:
    """MCP 2025-11-25: a disconnect is no cancellation, so the tool runs on."""
    spy = Spy(contender(kind, tools))
    with served(harden(spy, settings=EAGER)) as url:
        with streaming(url, call("look", {})) as (_, chunks):
            next(chunks)
        post(url, ECHO)
        tools.opened.set()
        assert tools.noticed.wait(10)

    assert tools.seen == ["looked"]
    assert len([verb for verb, _, _ in spy.seen if verb == "DELETE"]) == 1  # the echo's


def test_p22_an_unknown_session_is_a_404_that_a_host_understands(serve: Serve, kind: str, tools: Tools) -> None:
    """Incident P-22: hosts open a new session on 404 only (2025-11-25, "Session Management")."""
    reply = post(serve(harden(contender(kind, tools), settings=PATIENT)), ECHO, headers(Mcp_Session_Id="gone"))

    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == "Session not found"


@pytest.mark.parametrize("era", ["without a session", "in a session", "envelope"])
def test_t03_a_silent_call_sends_its_first_byte_early(serve: Serve, kind: str, tools: Tools, era: str) -> None:
    """Incidents T-01, T-03: nothing came before the answer, or before 15 s, and proxies cut sooner."""
    before, after = serve(contender(kind, tools)), serve(harden(contender(kind, tools), settings=EAGER))

    def asked(url: str, *, with_session: bool) -> Any:
        if era == "envelope":
            lines, body = modern("tools/call", {"name": "look"})
            return streaming(url, body, lines)
        return streaming(url, call("look", {}), headers(**({"Mcp_Session_Id": handshake(url)} if with_session else {})))

    with ThreadPoolExecutor() as threads:
        plain = threads.submit(first_chunk, asked(before, with_session=True))
        assert tools.entered.wait(10)
        with asked(after, with_session=era == "in a session") as (_, chunks):
            beats = [next(chunks) for _ in range(3)]
            tools.opened.set()
            rest = b"".join(chunks)

    assert beats == [BEAT] * 3
    assert messages(rest)[-1]["result"]["content"][0]["text"] == "looked"
    assert b"looked" in plain.result()  # its first byte is the answer's, though it was asked before ours


def test_t10_both_spellings_are_served_without_a_redirect(serve: Serve, kind: str, tools: Tools) -> None:
    """Incident T-10: a redirect to the other spelling drops Authorization."""
    before = serve(contender(kind, tools, stateless_http=True))
    after = serve(harden(contender(kind, tools, stateless_http=True), settings=PATIENT))

    assert httpx2.post(f"{before}/mcp/", json=ECHO, headers=headers()).status_code == 307
    assert said(httpx2.post(f"{after}/mcp/", json=ECHO, headers=headers())) == "hi"


def test_g02_the_public_name_is_served_though_the_app_was_never_told(serve: Serve, kind: str, tools: Tools) -> None:
    """Incident G-02: a guard that knows no public name refused every request of a deployment with 421."""
    options = {"stateless_http": True} | ({"host_origin_protection": True} if kind == "fastmcp" else {})
    lines = headers(Host="x.example", Origin="https://chatgpt.com")
    before = serve(contender(kind, tools, **options))
    spy = Spy(contender(kind, tools, **options))
    after = serve(harden(spy, settings=PATIENT, public_url="https://x.example"))

    assert post(before, ECHO, lines).status_code == 421
    assert [said(post(after, ECHO, lines)) for _ in range(3)] == ["hi"] * 3
    assert [status for verb, _, status in spy.seen] == [421, 200, 200, 200]


def test_p36_a_notification_is_always_acknowledged(serve: Serve, kind: str, tools: Tools) -> None:
    """Incident P-36: an error or a body after `notifications/initialized` made strict hosts abort."""
    told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    before = post(serve(contender(kind, tools)), told)
    after = post(serve(harden(contender(kind, tools), settings=PATIENT)), told)

    assert before.status_code == 400
    assert (after.status_code, after.content, after.headers.get("content-type")) == (202, b"", None)


def test_p23_there_is_no_stream_without_a_session(serve: Serve, kind: str, tools: Tools) -> None:
    """CT-14a: GET is answered 405 with Allow, or with a stream."""
    lines = {"Accept": "text/event-stream"}
    before = httpx2.get(f"{serve(contender(kind, tools))}/mcp", headers=lines)
    after = httpx2.get(f"{serve(harden(contender(kind, tools), settings=PATIENT))}/mcp", headers=lines)

    assert before.status_code == 400
    assert (after.status_code, after.headers["allow"]) == (405, "POST")


def test_t01_the_stream_of_a_session_begins_at_once(serve: Serve, kind: str, tools: Tools) -> None:
    """Incident T-01: an idle GET stream had no byte for 15 s, and was cut after 125 s."""
    url = serve(harden(contender(kind, tools), settings=EAGER))
    lines = {"Accept": "*/*", "Mcp-Session-Id": handshake(url)}
    with httpx2.stream("GET", f"{url}/mcp", headers=lines, timeout=20) as reply:
        chunks = reply.iter_raw()
        beats = [next(chunks) for _ in range(3)]

    assert reply.headers["content-type"].startswith("text/event-stream")
    assert beats == [BEAT] * 3


@pytest.mark.parametrize("json_response", [True, False])
def test_progress_is_relayed_in_order_before_the_answer(
    serve: Serve, kind: str, tools: Tools, json_response: bool
) -> None:
    """MCP, progress: values increase; an app in JSON mode sends none."""
    url = serve(harden(contender(kind, tools, stateless_http=True, json_response=json_response), settings=PATIENT))
    reply = post(url, call("walk", {}, meta={"progressToken": "p"}))
    *told, answer = [reply.json()] if json_response else messages(reply.content)

    assert [message["params"]["progress"] for message in told] == ([] if json_response else [1, 2, 3])
    assert answer["result"]["content"][0]["text"] == "arrived"


def test_a_client_of_json_gets_the_answer_of_a_tool_that_reports_progress(
    serve: Serve, kind: str, tools: Tools
) -> None:
    """Incident P-41: where the app streams, a client that reads JSON gets the answer out of the stream."""
    url = serve(harden(contender(kind, tools, stateless_http=True), settings=PATIENT))
    reply = post(url, call("walk", {}, meta={"progressToken": "p"}), headers(accept="application/json"))

    assert (reply.headers["content-type"], said(reply)) == ("application/json", "arrived")


def test_an_envelope_is_served_in_either_shape_of_headers(serve: Serve, kind: str, tools: Tools) -> None:
    """Ours: a proxy that drops the routing headers takes nothing away that the body does not say."""
    url = serve(harden(contender(kind, tools), settings=PATIENT))
    lines, body = modern("tools/call", {"name": "echo", "arguments": {"text": "hi"}})

    assert said(post(url, body, lines)) == "hi"
    assert said(post(url, body, headers(version=None))) == "hi"


def test_a_client_that_goes_away_ends_a_call_as_its_revision_says(serve: Serve, kind: str, tools: Tools) -> None:
    """MCP 2026-07-28: a disconnect is a cancellation; the app hears of it through the relay."""
    lines, body = modern("tools/call", {"name": "look"})
    with streaming(serve(harden(contender(kind, tools), settings=EAGER)), body, lines) as (_, chunks):
        next(chunks)

    assert tools.noticed.wait(10)
    assert tools.seen == ["cancelled"]


@pytest.mark.asyncio
async def test_a_server_asks_its_client_through_the_relay(serve: Serve, kind: str, tools: Tools) -> None:
    """2025-11-25, elicitation: a request of the server on the stream of the call, its answer in a POST of its own."""

    async def answer(context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        assert params.message == "Which size?"
        return types.ElicitResult(action="accept", content={"size": 7})

    url = serve(harden(contender(kind, tools), settings=EAGER))
    async with Client(f"{url}/mcp", mode="legacy", elicitation_callback=answer) as client:
        result = await client.call_tool("fit", {})

    assert [block.text for block in result.content if isinstance(block, types.TextContent)] == ["size 7"]
