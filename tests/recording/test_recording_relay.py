"""The recording proxy on real sockets: everything passes as it comes, and leaving is passed on both ways."""

import gzip
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from contract_tests import load_sessions
from tests.loopback import Serve, served
from tests.recording.recorded import Told, proxied, written

ASKED = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


class Echo(Told):
    """Answers with what the test wants."""

    def __init__(self, *answer: bytes, status: int = 200, **headers: str) -> None:
        super().__init__()
        self.pieces = answer
        self.status = status
        self.headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def answer(self, scope: Any, body: bytes, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self.status == 299:
            raise ConnectionAbortedError
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


def test_events_arrive_one_by_one(out: Path) -> None:
    """Issue 6, item 5: streams are never buffered. The server sends the next event when the client has read one."""
    server = Told()
    with (
        served(server) as origin,
        proxied(origin, out) as url,
        httpx2.stream("POST", f"{url}/mcp", content=ASKED, headers=JSON, timeout=20) as reply,
    ):
        assert reply.status_code == 200, "the head comes before any event does"
        pieces = reply.iter_raw()
        for number in range(3):
            server.go_on.release()
            assert f"n/{number}".encode() in next(pieces)
        assert list(pieces) == []

    (session,) = load_sessions(out, shipped=False)
    assert session.steps[0].expect.media == ("text/event-stream",)
    assert session.steps[0].expect.events_carry_messages


def test_a_client_that_leaves_takes_the_call_with_it(out: Path) -> None:
    """Wire facts, 2.6: hosts that give up only disconnect. It is written as cut."""
    server = Told()
    with served(server) as origin, proxied(origin, out) as url:
        with httpx2.stream("POST", f"{url}/mcp", content=ASKED, headers=JSON, timeout=20) as reply:
            server.go_on.release()
            assert next(reply.iter_raw())
        assert server.left.wait(20)

    (session,) = load_sessions(out, shipped=False)
    assert session.steps[0].cut_after is not None
    assert "cut" in session.steps[0].expect.ending


def test_a_target_that_breaks_off_is_not_made_complete(out: Path) -> None:
    """RFC 9112, section 8: an incomplete message must be seen to be incomplete."""
    server = Echo(b'{"jsonrpc"', status=299, content_type="application/json")
    with served(server) as origin, proxied(origin, out) as url, pytest.raises(httpx2.RemoteProtocolError):
        httpx2.post(f"{url}/mcp", content=ASKED, headers=JSON, timeout=20)

    (session,) = load_sessions(out, shipped=False)
    assert session.steps[0].expect.ending == ()


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "PUT", "PATCH"])
def test_every_method_passes(method: str, out: Path) -> None:
    """Issue 6, item 5."""
    server = Echo(b"" if method == "HEAD" else b"as it is", content_length="8", content_type="text/plain", x_odd="1")
    with served(server) as origin, proxied(origin, out) as url:
        reply = httpx2.request(method, f"{url}/any/where?one=1&two=%20", timeout=20)

    assert (reply.status_code, reply.headers["x-odd"]) == (200, "1")
    assert reply.headers["content-length"] == "8"
    assert reply.content == (b"" if method == "HEAD" else b"as it is")
    assert server.asked[0][:2] == (method, "/any/where")
    assert len(load_sessions(out, shipped=False)) == (0 if method == "PATCH" else 1)


def test_a_chunked_body_of_megabytes_passes_whole(out: Path) -> None:
    """Issue 6, item 5: large and chunked bodies. What is too long to be kept passes all the same."""
    server = Echo(b"x" * 3_000_000, content_type="application/octet-stream")
    pieces = [bytes([number]) * 1_000_000 for number in range(12)]
    with served(server) as origin, proxied(origin, out) as url:
        reply = httpx2.post(f"{url}/mcp", content=iter(pieces), headers=JSON, timeout=20)

    assert len(reply.content) == 3_000_000
    assert server.asked[0][2] == b"".join(pieces)
    assert server.asked[0][3]["transfer-encoding"] == "chunked"
    (session,) = load_sessions(out, shipped=False)
    assert "too long to keep" in session.steps[0].when.otherwise


def test_compressed_bytes_pass_as_they_are_and_are_read_all_the_same(out: Path) -> None:
    """Ours: the shape of a compressed reply is recorded."""
    body = gzip.compress(b'{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}')
    server = Echo(body, content_type="application/json", content_encoding="gzip")
    with (
        served(server) as origin,
        proxied(origin, out) as url,
        httpx2.stream("POST", f"{url}/mcp", content=ASKED, headers=JSON, timeout=20) as reply,
    ):
        assert b"".join(reply.iter_raw()) == body

    assert '"required":["tools"]' in written(out)


def test_headers_of_the_connection_are_not_passed_on(out: Path) -> None:
    """RFC 9110, section 7.6.1."""
    server = Echo(b"", status=204, connection="x-hop", x_hop="1", x_end="2")
    with served(server) as origin, proxied(origin, out) as url:
        asked = {"Connection": "x-mine", "X-Mine": "1", "X-Theirs": "2", "TE": "trailers"}
        reply = httpx2.get(f"{url}/mcp", headers=asked, timeout=20)

    seen = server.asked[0][3]
    assert "x-mine" not in seen
    assert "te" not in seen
    assert seen["x-theirs"] == "2"
    assert seen["host"] == urlsplit(url).netloc, "a server of this machine sees the name its clients use"
    assert ("x-hop" in reply.headers, reply.headers["x-end"]) == (False, "2")


def test_a_target_that_is_gone_is_said_and_not_recorded(out: Path, serve: Serve) -> None:
    """Ours: what the recorder says is no behaviour of the target."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with proxied(f"http://127.0.0.1:{port}", out) as url:
        reply = httpx2.post(f"{url}/mcp", content=ASKED, headers=JSON, timeout=20)

    assert (reply.status_code, reply.text) == (502, "The recorder could not reach its target.\n")
    assert written(out) == ""


def test_a_server_elsewhere_keeps_its_name_and_leads_back_to_the_recorder(out: Path) -> None:
    """RFC 9728: discovery names the origin, and a login that followed it would pass the recorder by."""
    server = Echo()
    with served(server) as origin, proxied(origin, out, keeps_host=False) as url:
        document = f'{{"resource":"{origin}/mcp","authorization_servers":["{origin}"]}}'.encode()
        server.pieces, server.headers = (document,), [(b"content-type", b"application/json")]
        found = httpx2.get(f"{url}/.well-known/oauth-protected-resource/mcp", timeout=20).json()
        server.headers = [(b"www-authenticate", f'Bearer resource_metadata="{origin}/.well-known/x"'.encode())]
        challenge = httpx2.post(f"{url}/mcp", content=ASKED, headers=JSON, timeout=20).headers["www-authenticate"]
        httpx2.get(f"{url}/authorize", params={"resource": f"{url}/mcp", "redirect_uri": "https://chatgpt.com/x"})
        httpx2.post(f"{url}/token", data={"resource": f"{url}/mcp", "code": "c"})

    assert found == {"resource": f"{url}/mcp", "authorization_servers": [url]}
    assert challenge == f'Bearer resource_metadata="{url}/.well-known/x"'
    hosts = {asked[3]["host"] for asked in server.asked}
    assert hosts == {urlsplit(origin).netloc}
    assert origin.replace(":", "%3A").replace("/", "%2F").encode() in server.asked[-1][2]
    assert '"resource":"${resource}"' in written(out), "what the document gave is what is sent in a replay"
