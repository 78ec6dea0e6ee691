"""What hosts were seen to need, end to end: probes, framing, pings, streams that are held, tools that block."""

import asyncio
import json
import random
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from connector import Call, Connector, Settings, StreamSettings, tool
from tests.loopback import Serve
from tests.wire import call, headers, messages, modern, post, request, streaming

EAGER = Settings(stream=StreamSettings(first_byte=0.05, interval=0.05))

OFFERED = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "openai-mcp", "version": "1"}}

ENGINES = pytest.mark.parametrize("sessions", ["none", "sticky"])


class Host(Connector):
    """Tools that hosts call."""

    name = "host"

    def __init__(self, **options: Any) -> None:
        super().__init__(settings=EAGER, **options)
        self.opened = threading.Event()
        self.blocked = threading.Semaphore(0)

    @tool(read_only=True)
    async def echo(self, text: str = "nothing") -> str:
        """Answer at once."""
        return text

    @tool(read_only=True)
    def block(self) -> str:
        """Block a thread until the test lets it go."""
        self.blocked.release()
        self.opened.wait(30)
        return "unblocked"

    @tool(read_only=True)
    async def described(self, call: Call) -> list[str]:
        """What came beside the arguments."""
        return sorted(call.meta)

    @tool(read_only=True)
    async def walk(self, call: Call) -> str:
        """Report progress, and wait a little."""
        await call.progress(1, 2)
        await asyncio.sleep(0.2)
        return "arrived"

    @tool(read_only=True)
    async def reshape(self, call: Call) -> str:
        """Say that the list of tools has changed."""
        await call.context.notify_tools_changed()
        return "reshaped"


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.opened.set()


def _handshake(url: str) -> dict[str, str]:
    """Open a session, or what is taken for one; gives the header lines of what follows."""
    opened = post(url, request("initialize", OFFERED))
    session = opened.headers.get("mcp-session-id")
    lines = headers() if session is None else headers(Mcp_Session_Id=session)
    assert post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, lines).status_code == 202
    return lines


def _result_of(reply: httpx2.Response) -> Any:
    is_json = reply.headers["content-type"] == "application/json"
    return (reply.json() if is_json else messages(reply.content)[-1])["result"]


@ENGINES
@pytest.mark.parametrize("method", ["server/discover", "zzz/unknown"])
def test_a_probe_before_the_handshake_is_answered_and_the_connection_goes_on(
    serve: Serve, sessions: str, method: str
) -> None:
    """CT-06, incident P-16: a server that dropped or hung on `server/discover` counted as unreachable."""
    said, body = modern(method, id_="probe")
    url = serve(Host(sessions=sessions))
    with httpx2.Client(limits=httpx2.Limits(max_connections=1), timeout=2) as client:
        probed = client.post(f"{url}/mcp", json=body, headers=said)
        opened = client.post(f"{url}/mcp", json=request("initialize", OFFERED), headers=headers(version=None))

    assert "connection" not in probed.headers or probed.headers["connection"] != "close"
    assert probed.json()["id"] == "probe"
    assert "2026-07-28" in probed.json()["result"]["supportedVersions"] if method == "server/discover" else True
    assert method == "server/discover" or probed.json()["error"]["code"] == -32601
    assert (opened.status_code, _result_of(opened)["protocolVersion"]) == (200, "2025-11-25")


def _mutated(number: int) -> dict[str, Any]:
    """One of the three requests with members and values nobody has heard of, the same for the same number."""
    dice = random.Random(number)  # a test's own choice
    bodies = [request("initialize", OFFERED), request("tools/list", {}), call("echo", {"text": "x"})]
    body: dict[str, Any] = json.loads(json.dumps(bodies[number % 3]))
    places = [body, body["params"], *(part for part in body["params"].values() if isinstance(part, dict))]
    for _ in range(dice.randint(1, 4)):
        odd = dice.choice([None, True, 0, -1.5, "x", [], [None], {}, {"a": {"b": [1]}}])
        place = dice.choice(places)
        place[dice.choice(["zzz", "_meta", "cursor", "capabilities", "task", *place])] = odd
    return body


def test_two_hundred_mutated_requests_are_answered_as_json_rpc_has_it(serve: Serve) -> None:
    """CT-08, incident P-37: only 200, 202 and a 400 that says why; nothing fails, and the next call is served."""
    url = serve(Host())
    with httpx2.Client() as client:
        replies = [client.post(f"{url}/mcp", json=_mutated(n), headers=headers()) for n in range(200)]
        strays = {n: reply.text for n, reply in enumerate(replies) if not _is_in_order(reply)}

    assert strays == {}
    assert _result_of(post(url, call("echo", {"text": "still here"})))["structuredContent"] == {"result": "still here"}


def _is_in_order(reply: httpx2.Response) -> bool:
    if reply.status_code == 400:
        return reply.json()["error"]["code"] in {-32600, -32602}
    return reply.status_code == 202 or (reply.status_code == 200 and reply.json()["jsonrpc"] == "2.0")


def test_what_vendors_add_survives_in_meta_and_nowhere_else(serve: Serve) -> None:
    """CT-09c: an unknown member of params reaches nobody, one of `_meta` reaches the tool."""
    body = call("described", {}, meta={"vendor.example/in": 1})
    body["params"]["vendor.example/out"] = 2

    assert _result_of(post(serve(Host()), body))["structuredContent"]["result"] == ["vendor.example/in"]


def test_a_stream_that_is_held_stays_open_until_its_client_closes_it(serve: Serve) -> None:
    """CT-14d, incident T-16: clients reconnected in a loop. 60 heartbeats stand for the minute, and then for more."""
    with httpx2.stream("GET", f"{serve(Host())}/mcp", headers={"Accept": "text/event-stream"}, timeout=10) as reply:
        chunks = reply.iter_raw()
        heard = b"".join(next(chunks) for _ in range(61))

    assert heard.count(b": still working\n\n") >= 60


@ENGINES
@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
def test_every_event_carries_a_message(serve: Serve, sessions: str, version: str) -> None:
    """CT-17, incident T-09: a priming event, an id with empty data, made older clients fail to parse."""
    url = serve(Host(sessions=sessions))
    opened = post(url, request("initialize", OFFERED | {"protocolVersion": version}), headers(version=version))
    session = opened.headers.get("mcp-session-id")
    lines = headers(version=version) | ({} if session is None else {"Mcp-Session-Id": session})
    with streaming(url, call("walk", {}, meta={"progressToken": "p"}), lines) as (_, chunks):
        events = [event for event in b"".join(chunks).decode().replace("\r\n", "\n").split("\n\n") if event]
    data = [[line[5:] for line in event.split("\n") if line.startswith("data:")] for event in events if event[0] != ":"]

    assert [sorted(json.loads("".join(each))) for each in data] == [
        ["jsonrpc", "method", "params"], ["id", "jsonrpc", "result"]
    ]  # fmt: skip


def test_health_answers_while_tools_block_their_threads(serve: Serve, host: Host) -> None:
    """CT-31c, incident L-03: one slow synchronous tool froze health checks and every other call."""
    url = serve(host)
    callers = [threading.Thread(target=post, args=(url, call("block", {}))) for _ in range(20)]
    for caller in callers:
        caller.start()
    for _ in callers:
        assert host.blocked.acquire(timeout=20)
    healthy = [httpx2.get(f"{url}/health").status_code for _ in range(20)]
    quick = post(url, call("echo", {"text": "x"}))
    still_blocked = sum(caller.is_alive() for caller in callers)
    host.opened.set()
    for caller in callers:
        caller.join(20)

    assert (healthy, quick.status_code, still_blocked) == ([200] * 20, 200, 20)


@ENGINES
def test_a_change_of_tools_is_claimed_only_where_it_is_told(serve: Serve, sessions: str) -> None:
    """CT-33, incident P-07: listChanged was claimed, and the GET stream that should have told it stayed silent."""
    url = serve(Host(sessions=sessions))
    claimed = post(url, request("initialize", OFFERED)).json()["result"]["capabilities"]["tools"]
    refused = httpx2.get(f"{url}/mcp", headers={"Accept": "*/*"})
    said, body = modern("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, id_="l")
    discovered = post(url, *reversed(modern("server/discover"))).json()["result"]["capabilities"]["tools"]
    with streaming(url, body, said) as (_, chunks):
        heard = next(chunks)
        lines, change = modern("tools/call", {"name": "reshape", "arguments": {}})
        assert post(url, change, lines).status_code == 200
        while b"list_changed" not in heard:
            heard += next(chunks)

    assert (claimed["listChanged"], refused.status_code, refused.headers["allow"][:4]) == (False, 405, "POST")
    assert discovered["listChanged"] is True
    assert messages(heard)[-1]["method"] == "notifications/tools/list_changed"


def _raw_reply(url: str, body: dict[str, Any], said: dict[str, str]) -> bytes:
    """Everything the server sends until it is through, as bytes."""
    content = json.dumps(body).encode()
    parts = urlsplit(url)
    lines = said | {"Host": parts.netloc, "Content-Length": str(len(content)), "Connection": "close"}
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(
            b"POST /mcp HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()).encode() + b"\r\n" + content
        )
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("method", ["server/discover", "tools/list"])
def test_json_and_a_completed_stream_carry_the_same_message_to_the_last_byte(serve: Serve, method: str) -> None:
    """CT-41, incident P-05: "Error in message stream", though the server had returned."""
    url = serve(Host())
    said, body = modern(method)
    replies = [_raw_reply(url, body, said | {"Accept": kind}) for kind in ("application/json", "text/event-stream")]
    (head, plain), (stream_head, chunked) = (reply.split(b"\r\n\r\n", 1) for reply in replies)

    assert b"content-length: %d" % len(plain) in head.lower()
    assert b"transfer-encoding: chunked" in stream_head.lower()
    assert chunked.endswith(b"\r\n0\r\n\r\n")
    assert messages(chunked) == [json.loads(plain)]


@ENGINES
def test_no_ping_is_sent_and_none_can_end_a_session(serve: Serve, sessions: str) -> None:
    """CT-42, incident T-05: the server pinged, heard nothing or -32601, and closed the session."""
    url = serve(Host(sessions=sessions))
    lines = _handshake(url)
    unknown = {"jsonrpc": "2.0", "id": "ping-1", "error": {"code": -32601, "message": "Method not found"}}
    with httpx2.stream("GET", f"{url}/mcp", headers={**lines, "Accept": "text/event-stream"}, timeout=10) as reply:
        chunks = reply.iter_raw()
        heard = b"".join(next(chunks) for _ in range(40))
        answered = post(url, unknown, lines)
        after = post(url, call("echo", {"text": "x"}), lines)

    assert (reply.status_code, messages(heard)) == (200, [])
    assert answered.status_code == 202
    assert (after.status_code, _result_of(after)["structuredContent"]) == (200, {"result": "x"})
