"""Bodies that came packed, and bodies that were lost on the way."""

import asyncio
import gzip
import json
import zlib

import httpx2
import pytest

from connector import Connector, LimitSettings, Settings, harden, tool
from connector.recorder.reading import read_book
from connector.stores.memory import MemoryStore
from tests.hardening.scripts import ANSWERED, PATIENT, head, part, saying
from tests.loopback import Serve, served
from tests.wire import call, headers, post

SMALL = Settings(limits=LimitSettings(max_body=10_000))


class Echo(Connector):
    """Says what it was told."""

    name = "echo"

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Answer at once."""
        return text


CALL = json.dumps(call("echo", {"text": "tea"})).encode()


def bare(body: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(body) + packing.flush()


def sent(url: str, body: bytes, coding: str) -> httpx2.Response:
    return post(url, body, headers(Content_Encoding=coding))


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(CALL)),
        ("GZip", gzip.compress(CALL)),
        ("x-gzip", gzip.compress(CALL)),
        ("gzip", gzip.compress(CALL[:20]) + gzip.compress(CALL[20:])),
        ("deflate", zlib.compress(CALL)),
        ("deflate", bare(CALL)),
        ("identity", CALL),
        ("", CALL),
    ],
    ids=["gzip", "in capitals", "x-gzip", "several members", "deflate", "deflate, bare", "identity", "nothing"],
)
def test_a_packed_body_is_read(serve: Serve, coding: str, body: bytes) -> None:
    """RFC 9110, section 8.4: a platform that begins to pack its requests breaks nothing."""
    assert sent(serve(Echo()), body, coding).json()["result"]["structuredContent"] == {"result": "tea"}


@pytest.mark.parametrize(
    ("coding", "body", "status", "says"),
    [
        ("br", b"\x8b", 415, "Content-Encoding 'br' is not served here: send the body as it is, or as 'gzip'"),
        ("gzip, br", gzip.compress(CALL), 415, "'gzip, br' is not served here"),
        ("gzip", CALL, 400, "the body is not 'gzip', as Content-Encoding says"),
        ("gzip", gzip.compress(CALL)[:-9], 400, "the body is not 'gzip', as Content-Encoding says"),
        (
            "gzip",
            gzip.compress(b"") * 400 + gzip.compress(CALL),
            400,
            "the body is not 'gzip', as Content-Encoding says",
        ),
        ("deflate", CALL, 400, "the body is not 'deflate', as Content-Encoding says"),
        ("gzip", gzip.compress(b" " * 50_000_000), 413, "The body is larger than the 10000 bytes"),
        ("deflate", bare(b" " * 50_000_000), 413, "The body is larger than the 10000 bytes"),
    ],
    ids=["br", "two", "no gzip", "half", "members without end", "no deflate", "a bomb", "a bare bomb"],
)
def test_what_cannot_be_unpacked_is_refused_and_says_why(
    serve: Serve, coding: str, body: bytes, status: int, says: str
) -> None:
    """RFC 9110, sections 12.5.3 and 15.5.16: 415 names the codings that are taken, and only then."""
    reply = sent(serve(Echo(settings=SMALL)), body, coding)

    assert (reply.status_code, reply.headers.get("accept-encoding")) == (
        status,
        "gzip, deflate" if status == 415 else None,
    )
    assert says in reply.json()["error"]["message"]


def test_an_empty_body_is_a_probe_in_whatever_it_came_packed(serve: Serve) -> None:
    """ChatGPT's probes of 2026-08-11."""
    assert sent(serve(Echo()), b"", "gzip").status_code == 202


def test_a_hardened_app_gets_the_body_unpacked(serve: Serve) -> None:
    """Ours: with a length that is right, and without the header."""
    app = saying(head(), part(ANSWERED, more=False))

    assert sent(serve(harden(app, settings=PATIENT)), gzip.compress(CALL), "gzip").status_code == 200
    assert app.bodies == [CALL]
    assert (app.headers.get("content-encoding"), app.headers["content-length"]) == (None, str(len(CALL)))


def test_sessions_of_the_sdk_take_packed_bodies_too(serve: Serve) -> None:
    """Ours: `sessions="sticky"` reads a body once and hands it on to one of two engines."""
    url = serve(Echo(sessions="sticky"))
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    opening = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}).encode()

    assert sent(url, gzip.compress(opening), "gzip").headers["mcp-session-id"]
    assert sent(url, gzip.compress(CALL), "gzip").json()["result"]["structuredContent"] == {"result": "tea"}


def test_the_book_reads_what_came_packed() -> None:
    """Ours: a platform that begins to pack is one new header, and no unread request."""
    store = MemoryStore()
    with served(Echo(store=store).app()) as url:
        post(url, CALL)
        sent(url, gzip.compress(CALL), "gzip")

    contents = asyncio.run(read_book(store))

    assert [(each.method, each.count) for each in contents.cadences] == [("tools/call", 2)]


def test_a_body_that_a_server_lost_is_not_taken_for_a_probe(serve: Serve) -> None:
    """Ours: Java's HttpClient asks for h2c with its first POST; httptools stops there, and the call would be lost
    behind a 202.
    """
    lines = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"}
    reply = post(serve(Echo()), CALL, headers() | lines)

    assert reply.status_code == 400
    assert reply.json()["error"]["message"].endswith("the body did not arrive. Send it without the Upgrade header")
