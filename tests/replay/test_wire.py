"""What goes over the socket, byte for byte, and what is noted of what comes back."""

import json
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import pytest

from contract_tests import open_target
from contract_tests.notation.session import FormBody, JsonBody, RawBody
from contract_tests.outcome import Ending, Received
from contract_tests.replay.wire import Request, Wire, encode
from tests.replay.literal import Script, literal, reply
from tests.replay.replaying import play
from tests.replay.servers import Tolerant

T = TypeVar("T")


def run(function: Callable[[], Awaitable[T]]) -> T:
    return anyio.run(function)


def exchange(url: str, **members: object) -> Received:
    request = Request(**{"method": "POST", "url": url, "headers": (), "body": b"{}", **members})  # type: ignore[arg-type]

    async def once() -> Received:
        async with Wire() as wire:
            return await wire.exchange(request)

    return run(once)


def test_a_request_carries_the_given_headers_and_nothing_of_a_client_library() -> None:
    """Facts, section 1.3: the header set is what is tested; Host and the length belong to HTTP."""
    headers = (("User-Agent", "openai-mcp/1.0.0 (Codex)"), ("X-Openai-Session", "v1/é"), ("Mcp-Name", "search"))
    with literal(reply()) as target:
        exchange(target.url, headers=headers, body='{"q":"é"}'.encode())

    host = target.url.split("/")[2]
    assert target.requests == [
        (
            f"POST /mcp HTTP/1.1\r\nHost: {host}\r\nUser-Agent: openai-mcp/1.0.0 (Codex)\r\n"
            'X-Openai-Session: v1/é\r\nMcp-Name: search\r\nContent-Length: 10\r\n\r\n{"q":"é"}'
        ).encode()
    ]


def test_a_body_can_be_sent_in_pieces() -> None:
    """Issue 6: slower sending; its length is said beforehand, so that a server knows what is to come."""
    pieces: list[bytes] = []

    async def server(scope: Any, receive: Any, send: Any) -> None:
        more = scope["type"] == "http"
        while more:
            message = await receive()
            pieces.append(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["http_version"].encode()})

    with open_target(server) as target:
        received = exchange(target.url, body=b'{"jsonrpc":"2.0"}', send_over=0.2)

    assert (received.status, received.body) == (200, "1.1")
    assert [piece for piece in pieces if piece] == [b'{"jso', b'nrpc"', b':"2.0', b'"}']


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (JsonBody(value={"b": 1, "a": [1.5, True, None, "é"], "c": {}}), '{"b":1,"a":[1.5,true,null,"é"],"c":{}}'),
        (RawBody(text=" []\n"), " []\n"),
        (FormBody(fields={"code": "a b&c", "resource": "https://x/y"}), "code=a+b%26c&resource=https%3A%2F%2Fx%2Fy"),
    ],
)
def test_bodies_keep_their_order_and_gain_no_space(body: JsonBody | RawBody | FormBody, expected: str) -> None:
    """Ours: literal bodies are the point of a recording."""
    assert encode(body) == expected.encode()


def test_the_discover_of_a_shipped_session_is_the_recorded_one_byte_for_byte() -> None:
    """Facts, section 2.1 A, as compact JSON."""
    server = Tolerant()
    play(server, "create-noauth-modern")

    bodies = [asked.body.decode() for asked in server.asked if asked.kind == "server/discover"]
    assert bodies == [
        (
            '{"jsonrpc":"2.0","id":"openai-mcp-discover","method":"server/discover","params":{"_meta":{'
            '"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
            '"io.modelcontextprotocol/clientInfo":{"name":"openai-mcp","version":"1.0.0"},'
            '"io.modelcontextprotocol/clientCapabilities":{"experimental":{"openai/visibility":{"enabled":true}},'
            '"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}}}}'
        )
    ]


def test_the_meta_of_a_model_call_has_the_members_of_production_in_their_order() -> None:
    """Facts, section 2.5: coordinates are texts, the time zone comes twice."""
    server = Tolerant()
    play(server, "call-model")

    mac = [asked for asked in server.asked if asked.kind == "tools/call"][1]
    assert list(mac.message["params"]["_meta"]) == [
        "timezone",
        "openai/locale",
        "openai/session",
        "openai/subject",
        "openai/userAgent",
        "openai/organization",
        "openai/userLocation",
        "io.modelcontextprotocol/clientInfo",
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
    ]
    assert mac.message["params"]["_meta"]["openai/userLocation"]["latitude"] == "37.79535"
    assert mac.message["params"]["arguments"] == {"query": "example"}
    assert (mac.headers["mcp-method"], mac.headers["mcp-name"]) == ("tools/call", "find")
    assert mac.headers["user-agent"] == "openai-mcp/1.0.0 (Codex)"
    assert mac.headers["x-openai-session"] == mac.message["params"]["_meta"]["openai/session"]


def in_chunks(*pieces: bytes, media: str, between: threading.Event | None = None) -> Script:
    def script(connection: socket.socket, _: int) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for piece in pieces:
            if between:
                between.wait(0.2)
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        connection.sendall(b"0\r\n\r\n")

    return script


def test_every_chunk_has_its_moment_and_heartbeats_are_told_from_news() -> None:
    """CT-15: silence is measured between bytes; a comment ends it."""
    pieces = (b": ping\n\n", b": ping\r\n", b"data: {}\n\n")
    with literal(in_chunks(*pieces, media="text/event-stream", between=threading.Event())) as target:
        received = exchange(target.url)

    assert [chunk.is_heartbeat for chunk in received.chunks] == [True, True, False]
    assert [chunk.size for chunk in received.chunks] == [8, 8, 10]
    moments = [chunk.at for chunk in received.chunks]
    assert moments == sorted(moments)
    assert received.first_byte == moments[0]
    assert 0.1 < received.longest_gap < received.duration


def test_white_space_before_json_is_a_heartbeat() -> None:
    """Design, section 4: a client that takes only JSON is kept waiting with white space."""
    with literal(in_chunks(b" ", b'{"a":1}', media="application/json")) as target:
        received = exchange(target.url)

    assert [chunk.is_heartbeat for chunk in received.chunks] == [True, False]
    assert received.body == ' {"a":1}'


def test_a_client_that_leaves_closes_the_connection_and_keeps_what_came() -> None:
    """Facts, section 2.6: on give-up the client disconnects."""
    gone = threading.Event()

    def script(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")
        assert connection.recv(1) == b""
        gone.set()

    with literal(script) as target:
        received = exchange(target.url, cut_after=0.2)
        assert gone.wait(5)

    assert (received.ending, received.body, received.trouble) == (Ending.CUT_BY_CLIENT, "half", "")


def test_the_limit_is_no_cut_of_the_host_and_says_so() -> None:
    """Ours: nothing may hang for ever."""
    with literal(lambda connection, _: connection.recv(1)) as target:  # type: ignore[arg-type]
        received = exchange(target.url, limit=0.2)

    assert received.ending is Ending.CUT_BY_CLIENT
    assert received.trouble == "no end of the reply within the limit of 0.2 s"
    assert received.status is None


def test_a_target_that_breaks_off_is_told_from_one_that_is_not_there() -> None:
    """Ours: a finding on one hand, exit code 2 on the other."""
    with literal(lambda connection, _: connection.close()) as target:
        broken = exchange(target.url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    absent = exchange(f"http://127.0.0.1:{free}/mcp")

    assert broken.ending is Ending.BROKEN
    assert absent.ending is Ending.UNREACHABLE
    assert absent.trouble


def two_exchanges(url: str, between: Callable[[], None] = lambda: None) -> list[Received]:
    request = Request(method="POST", url=url, headers=(), body=b"{}")

    async def both() -> list[Received]:
        async with Wire() as wire:
            first = await wire.exchange(request)
            await anyio.to_thread.run_sync(between)
            return [first, await wire.exchange(request)]

    return run(both)


def test_connections_are_kept_alive_between_steps() -> None:
    """Facts, CT-06: discover and initialize come over one connection."""
    with literal(reply()) as target:
        two_exchanges(target.url)

    assert [len(requests) for requests in target.connections] == [2]


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    """RFC 9112, 9.3.1: servers close idle connections, uvicorn after 5 s."""
    closed = threading.Event()

    def script(connection: socket.socket, number: int) -> None:
        reply()(connection, number)
        if number == 0:
            connection.shutdown(socket.SHUT_RDWR)
            closed.set()

    with literal(script) as target:
        received = two_exchanges(target.url, lambda: assert_set(closed))

    assert [one.status for one in received] == [200, 200]
    assert [len(requests) for requests in target.connections] == [1, 1]


def assert_set(event: threading.Event) -> None:
    assert event.wait(5)


def test_a_reply_cut_short_in_its_body_keeps_status_and_beginning() -> None:
    """P-05: what was delivered is the evidence."""

    def script(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")
        connection.close()

    with literal(script) as target:
        received = exchange(target.url)

    assert (received.status, received.body, received.ending) == (200, "half", Ending.BROKEN)
    assert json.dumps(received.trouble) != '""'
