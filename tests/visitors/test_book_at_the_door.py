"""Every request is in the book, whoever sent it to whatever path, and nothing of what it carried."""

import asyncio
import base64
import hashlib
import logging
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from mcp.server.mcpserver import MCPServer

from connector import Connector, Settings, harden, tool
from connector.oauth import AuthorizationServer
from connector.recorder.reading import BookContents, read_book
from connector.settings import BookSettings
from connector.stores.memory import MemoryStore
from tests.loopback import served
from tests.wire import call, headers, modern, post, request, streaming

SECRET = "s3cr3t-Zx81Qm-ann.miller@example.org"


class Shop(Connector):
    """Sells things."""

    name = "shop"
    version = "1.4.0"

    @tool(read_only=True)
    async def find(self, what: str) -> str:
        """Find something."""
        return f"found {what}"

    @tool(read_only=True)
    async def fail(self, what: str) -> str:
        """Fail."""
        raise ValueError(what)


def read(store: MemoryStore) -> BookContents:
    """What is in the book."""
    return asyncio.run(read_book(store))


def rows(store: MemoryStore) -> bytes:
    """Everything the store has, but for what OAuth and the desk keep."""

    async def all_rows() -> bytes:
        kinds = ("shape", "cadence", "deploy", "first-sight")
        return b"".join([row.key.encode() + row.value for kind in kinds for row in await store.page(kind, limit=1000)])

    return asyncio.run(all_rows())


def counts(contents: BookContents) -> dict[tuple[str, str], int]:
    """How often each method of each surface was counted."""
    return {(each.surface, each.method): each.count for each in contents.cadences}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_requests_of_every_kind_are_counted_once_the_app_has_ended(store: MemoryStore) -> None:
    """Issue 7 item 1: every inbound request."""
    with served(Shop(store=store).app()) as url:
        for number in range(3):
            assert post(url, call("find", {"what": f"{SECRET}{number}"}, id_=number)).is_success
        lines, body = modern("tools/list")
        post(url, body, lines)
        post(url, b"{}")
        post(url, call("fail", {"what": SECRET}))
        httpx2.get(f"{url}/.well-known/oauth-protected-resource/mcp")
        httpx2.get(f"{url}/health", headers={"user-agent": "kube-probe/1.29"})
        httpx2.get(f"{url}/{SECRET}")
        httpx2.post(f"{url}/mcp", content=SECRET, headers=headers(Host="stranger.example"))

    contents = read(store)

    assert counts(contents) == {
        ("chatgpt", "tools/call"): 4,
        ("chatgpt", "tools/list"): 1,
        ("chatgpt", "(none)"): 1,
        ("chatgpt", "(unread)"): 1,
        ("unknown:kube-probe", "GET /health"): 1,
        ("unknown:python-httpx2", "GET /.well-known/oauth-protected-resource/mcp"): 1,
        ("unknown:python-httpx2", "GET /{}"): 1,
    }
    assert {(each.kind, each.count) for each in contents.failures if each.surface == "chatgpt"} == {
        ("status 421", 1),
        ("tool error", 1),
    }
    assert [(each.connector, each.build, each.version) for each in contents.deploys] == [("shop", "1.4.0", "1.4.0")]
    assert SECRET.encode() not in rows(store)


def test_one_shape_counts_all_calls_of_its_kind(store: MemoryStore) -> None:
    """Issue 7 item 1: first sight, last sight, count, a redacted sample."""
    with served(Shop(store=store).app()) as url:
        for number in range(5):
            post(url, call("find", {"what": SECRET}, id_=number, meta={"openai/subject": f"{SECRET}{number % 2}"}))

    (sighting,) = read(store).sightings

    assert (sighting.count, sighting.subjects, sighting.shape.method) == (5, 2, "tools/call")
    assert sighting.first_seen <= sighting.last_seen
    assert sighting.sample["json"]["params"]["arguments"] == {"what": "<text-1>"}
    assert SECRET.encode() not in rows(store)


def test_a_login_is_counted_from_the_question_to_the_token(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Issue 7 item 1: codes issued and redeemed; and the first sights of OAuth."""
    caplog.set_level(logging.DEBUG)
    verifier = SECRET.replace("@", "-") * 2
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    redirect = "https://chatgpt.com/connector/oauth/FLLrQdlez6Uf"
    shop = Shop(store=store, public_url="http://127.0.0.1:8000", auth=AuthorizationServer(approve="everyone"))
    with served(shop.app()) as url, httpx2.Client(base_url=url, headers={"host": "127.0.0.1:8000"}) as client:
        client.post("/mcp", json=request("tools/list"))
        registered = client.post(
            "/register",
            json={
                "redirect_uris": [redirect],
                "client_name": "ChatGPT",
                "token_endpoint_auth_method": "none",
                "new_thing": 1,
            },
        ).json()
        asked = {
            "response_type": "code", "client_id": registered["client_id"], "redirect_uri": redirect, "state": SECRET,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        sent = client.get("/authorize", params=asked).headers["location"]
        code = httpx2.URL(sent).params["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        tokens = client.post("/token", data={**form, "client_id": registered["client_id"]}).json()
        client.post("/mcp", json=request("tools/list"), headers={"authorization": f"Bearer {tokens['access_token']}"})

    contents, said = read(store), rows(store).decode()
    logged = "".join(each.getMessage() for each in caplog.records if each.name.startswith("ballast"))

    assert sum(each.codes_issued for each in contents.cadences) == 1
    assert sum(each.codes_redeemed for each in contents.cadences) == 1
    assert {each.shape.method for each in contents.sightings if each.shape.channel == "oauth"} == {
        "POST /register", "GET /authorize", "POST /token",
    }  # fmt: skip
    assert [(each.where, each.name) for each in contents.first_sights] == [("registration", "new_thing")]
    for secret in (SECRET, code, tokens["access_token"], tokens["refresh_token"], registered["client_id"], verifier):
        assert secret not in said
        assert secret not in logged


def test_a_client_that_leaves_is_counted_as_cut_and_its_return_as_a_retry(store: MemoryStore) -> None:
    """Issue 7 item 1: retries, time until the client cuts (facts on the wire, section 1.6)."""
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Connector):
        name = "slow"

        @tool(read_only=True)
        def wait(self, what: str) -> str:
            """Wait."""
            begun.set()
            go_on.wait(20)
            return what

    settings = Settings.from_environment()
    settings = replace(settings, stream=replace(settings.stream, first_byte=0.05, interval=0.05))
    slow = Slow(store=store, settings=settings)
    with served(slow.app()) as url:
        with streaming(url, call("wait", {"what": SECRET}, id_=1)) as (_, chunks):
            assert begun.wait(10)
            next(chunks)
        book = slow._book
        assert book is not None
        while not any(hour.failures for hour in book._register._hours.values()):  # until its leaving was read
            with suppress(httpx2.TransportError):
                httpx2.get(f"{url}/health")
        go_on.set()
        post(url, call("wait", {"what": SECRET}, id_=2))
        post(url, call("wait", {"what": "something else"}, id_=3))

    contents = read(store)
    (waited,) = [each for each in contents.cadences if each.method == "tools/call"]

    assert (waited.count, waited.retries, sum(waited.cut_after.values())) == (3, 1, 1)
    assert [(each.kind, each.count) for each in contents.failures if each.surface == "chatgpt"] == [("cut", 1)]


def foreign() -> Any:
    """Another app's tools."""
    server = MCPServer("foreign")

    @server.tool()
    def find(what: str) -> str:
        return what

    return server.streamable_http_app(stateless_http=True, json_response=True)


def test_other_engines_have_the_same_book(store: MemoryStore) -> None:
    """Issue 7 item 1: a connector, a hardened app, sticky sessions."""
    for app in (harden(foreign(), store=store, name="shop"), Shop(store=store, sessions="sticky").app()):
        with served(app) as url:
            assert post(url, call("find", {"what": SECRET})).is_success
            httpx2.get(f"{url}/nothing")

    assert counts(read(store)) == {
        ("chatgpt", "tools/call"): 2,
        ("unknown:python-httpx2", "GET /{}"): 2,
    }
    assert SECRET.encode() not in rows(store)


def test_a_book_that_is_switched_off_writes_nothing(store: MemoryStore) -> None:
    """Ours: BALLAST_BOOK=off."""
    settings = Settings.from_environment({"BALLAST_BOOK": "off"})
    with served(Shop(store=store, settings=settings).app()) as url:
        post(url, call("find", {"what": "x"}))

    assert rows(store) == b""


def test_a_build_is_what_the_environment_says(store: MemoryStore) -> None:
    """Issue 7 item 5: build id and deploy times are recorded."""
    for build in ("a1b2c3", "a1b2c3", "d4e5f6", "a1b2c3"):
        settings = replace(Settings.from_environment(), book=BookSettings(build=build))
        with served(Shop(store=store, settings=settings).app()):
            pass

    deploys = read(store).deploys

    assert [each.build for each in deploys] == ["a1b2c3", "d4e5f6", "a1b2c3"]  # a rollback is a deploy
    assert [each.at for each in deploys] == sorted(each.at for each in deploys)
