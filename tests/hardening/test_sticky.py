"""The SDK's sessions behind our door: server-to-client requests for who keeps the id, an answer for who does not."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import mcp_types as types
import pytest
from mcp import Client
from mcp.client import ClientRequestContext

from connector import Call, Connector, Settings, tool
from connector.http.exchange import Exchange
from connector.server import Sessions
from tests.hardening.contenders import Size, Tools
from tests.hardening.scripts import BEAT, EAGER, PATIENT
from tests.loopback import Serve
from tests.wire import call, headers, messages, modern, post, request, streaming

ECHO = call("echo", {"text": "hi"})


class Shop(Connector):
    """Tools that need a session, and tools that do not."""

    name = "shop"
    version = "1"

    def __init__(self, tools: Tools, settings: Settings, sessions: Sessions = "sticky") -> None:
        self.entered: list[str] = []
        super().__init__(settings=settings, lifespan=self._live, sessions=sessions)
        self._tools = tools

    @contextlib.asynccontextmanager
    async def _live(self, _: Any) -> AsyncIterator[str]:
        self.entered.append("in")
        yield "the state"
        self.entered.append("out")

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Answer at once."""
        return text

    @tool(read_only=True)
    async def state(self, call: Call) -> str:
        """What the lifespan gave."""
        return str(call.context.request_context.lifespan_context)

    @tool(read_only=True)
    async def look(self, call: Call) -> str:
        """Report, wait, then answer."""
        await call.progress(1, 2)
        return await self._tools.look()

    @tool
    async def fit(self, call: Call) -> str:
        """Ask the client."""
        answer: Any = await call.context.elicit("Which size?", Size)
        return f"size {answer.data.size}"


@pytest.fixture
def tools() -> Iterator[Tools]:
    made = Tools()
    yield made
    made.opened.set()


def handshake(url: str, **said: str) -> httpx2.Response:
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    return post(url, request("initialize", params), headers(**said))


def in_session(url: str, **said: str) -> dict[str, str]:
    """Header lines of a client that has opened a session and keeps its id."""
    lines = headers(Mcp_Session_Id=handshake(url).headers["mcp-session-id"], **said)
    assert post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, lines).status_code == 202
    return lines


def text(message: dict[str, Any]) -> str:
    return str(message["result"]["content"][0]["text"])


@pytest.mark.asyncio
async def test_a_tool_asks_its_client(serve: Serve, tools: Tools) -> None:
    """2025-11-25, elicitation, which the default engine cannot carry."""

    async def answer(context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        return types.ElicitResult(action="accept", content={"size": len(params.message)})

    url = serve(Shop(tools, EAGER))
    async with Client(f"{url}/mcp", mode="legacy", elicitation_callback=answer) as client:
        result = await client.call_tool("fit", {})

    assert [block.text for block in result.content if isinstance(block, types.TextContent)] == ["size 11"]


def test_p01_calls_without_the_id_are_served_by_the_default_engine(serve: Serve, tools: Tools) -> None:
    """Incident P-01: ChatGPT initialises, gets an id, and calls tools without it."""
    url = serve(Shop(tools, PATIENT))
    in_session(url)
    reply = post(url, ECHO)

    assert (reply.status_code, reply.headers["content-type"], text(reply.json())) == (200, "application/json", "hi")
    assert "mcp-session-id" not in reply.headers
    assert post(url, request("tools/list")).json()["result"]["tools"][0]["name"] == "echo"


def test_envelopes_are_served_without_a_session_even_if_they_name_one(serve: Serve, tools: Tools) -> None:
    """MCP 2026-07-28 has no sessions; a server ignores the header."""
    url = serve(Shop(tools, PATIENT))
    lines, body = modern("tools/call", {"name": "echo", "arguments": {"text": "hi"}})

    assert text(post(url, body, lines | {"Mcp-Session-Id": "gone"}).json()) == "hi"


@pytest.mark.parametrize("verb", ["POST", "GET", "DELETE"])
def test_p22_an_unknown_id_is_404(serve: Serve, tools: Tools, verb: str) -> None:
    """Incident P-22: hosts open a new session on 404 only (2025-11-25, "Session Management")."""
    url = serve(Shop(tools, PATIENT))
    reply = httpx2.request(verb, f"{url}/mcp", json=ECHO, headers=headers(Mcp_Session_Id="gone"))

    assert (reply.status_code, reply.json()["error"]["message"]) == (404, "Session not found")


def test_a_session_ends_when_its_client_says_so(serve: Serve, tools: Tools) -> None:
    """2025-11-25, "Session Management": DELETE, and 404 from then on."""
    url = serve(Shop(tools, PATIENT))
    lines = in_session(url)
    served = post(url, ECHO, lines)
    ended = httpx2.delete(f"{url}/mcp", headers=lines)
    gone = post(url, ECHO, lines)

    assert [served.status_code, ended.status_code, gone.status_code] == [200, 200, 404]


def test_a_handshake_is_json_and_brings_the_id_whatever_its_header_claims(serve: Serve, tools: Tools) -> None:
    """P-37: `initialize` never fails on a version; the SDK alone believes the header of another revision."""
    url = serve(Shop(tools, PATIENT))
    for said in ({}, {"version": "2026-07-28"}, {"accept": "*/*"}):
        reply = handshake(url, **said)
        assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
        assert len(reply.headers["mcp-session-id"]) == 32


def test_both_engines_share_one_lifespan(serve: Serve, tools: Tools) -> None:
    """Ours: a pool of connections must not be opened twice."""
    shop = Shop(tools, PATIENT)
    url = serve(shop)
    asked = call("state", {})

    assert text(post(url, asked).json()) == "the state"
    assert text(messages(post(url, asked, in_session(url)).content)[-1]) == "the state"
    assert shop.entered == ["in"]


def test_a_call_in_a_session_is_kept_warm(serve: Serve, tools: Tools) -> None:
    """Incident T-03, for the SDK's sessions: its own first byte comes after 15 s."""
    url, counted = serve(Shop(tools, EAGER)), Exchange.heartbeats
    with streaming(url, call("look", {}, meta={"progressToken": "p"}), in_session(url)) as (reply, chunks):
        first = next(chunks)
        beats = [next(chunks) for _ in range(3)]
        tools.opened.set()
        rest = b"".join(chunks)

    assert reply.headers["x-accel-buffering"] == "no"
    assert messages(first)[0]["params"] == {"progressToken": "p", "progress": 1, "total": 2}
    assert beats == [BEAT] * 3
    assert text(messages(rest)[-1]) == "looked"
    assert Exchange.heartbeats - counted >= 3  # the meter `ballast.heartbeats` reads this


def test_a_client_without_a_session_that_goes_away_ends_what_it_read(serve: Serve, tools: Tools) -> None:
    """DESIGN section 4: on the default engine a read-only call ends with its client."""
    with streaming(serve(Shop(tools, EAGER)), call("look", {})) as (_, chunks):
        next(chunks)

    assert tools.noticed.wait(10)
    assert tools.seen == ["cancelled"]


def test_a_client_of_json_is_served_in_a_session_too(serve: Serve, tools: Tools) -> None:
    """Incident P-41."""
    url = serve(Shop(tools, EAGER))
    with streaming(url, call("look", {}), in_session(url, accept="application/json")) as (reply, chunks):
        beats = [next(chunks) for _ in range(2)]
        tools.opened.set()
        rest = b"".join(chunks)

    assert (reply.headers["content-type"], beats) == ("application/json", [b" ", b" "])
    assert text(httpx2.Response(200, content=rest).json()) == "looked"


def test_what_needs_no_session_is_as_on_the_default_engine(serve: Serve, tools: Tools) -> None:
    """Ours: probes, verbs and refusals do not change with `sessions="sticky"`."""
    plain, sticky = serve(Shop(tools, PATIENT, "none")), serve(Shop(tools, PATIENT))
    for url in (plain, sticky):
        assert [post(url, body).status_code for body in (b"", b"{}", b"[]", b"nope")] == [202, 202, 202, 400]
        assert post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}).status_code == 202
        assert httpx2.delete(f"{url}/mcp").status_code == 405
        assert httpx2.get(f"{url}/mcp", headers={"Accept": "*/*"}).status_code == 405
        assert post(url, ECHO, headers(Host="evil.example")).status_code == 421
        assert post(url, request("nothing/known")).json()["error"]["code"] == -32601
