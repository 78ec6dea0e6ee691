"""Who may come in, and which paths there are."""

import httpx2
import pytest

from connector import AccessSettings, CapacitySettings, Connector, Settings, StreamSettings, tool
from tests.loopback import Serve
from tests.wire import headers, post, request


class Small(Connector):
    """One tool."""

    name = "small"

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Answer at once."""
        return text


PUBLIC = Settings(
    access=AccessSettings(public_url="https://small.example.com", allowed_hosts=("small.internal", "10.1.2.3:8000"))
)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("small.example.com", 200),
        ("small.example.com:443", 200),
        ("SMALL.example.com", 200),
        ("small.internal:9000", 200),
        ("10.1.2.3", 200),
        ("localhost:1234", 200),
        ("[::1]:8000", 200),
        ("evil.example.com", 421),
        ("small.example.com.evil.test", 421),
    ],
)
def test_a_connector_answers_to_its_names_with_and_without_port(serve: Serve, host: str, status: int) -> None:
    """CT-19, incident G-02; anything else could be a rebound DNS name."""
    reply = post(serve(Small(settings=PUBLIC)), request("ping"), headers() | {"Host": host})

    assert reply.status_code == status
    if status == 421:
        assert host in reply.json()["error"]["message"]
        assert "BALLAST_ALLOWED_HOSTS" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://small.example.com", 200),
        ("https://small.example.com:443", 200),
        ("https://chatgpt.com", 200),
        ("https://chat.openai.com", 200),
        ("http://localhost:6274", 200),
        ("https://evil.example.com", 403),
        ("https://chatgpt.com.evil.test", 403),
        ("http://chatgpt.com", 403),
        ("null", 403),
    ],
)
def test_a_browser_comes_in_only_from_a_known_origin(serve: Serve, origin: str, status: int) -> None:
    """MCP, transports, security warning: servers MUST validate Origin."""
    assert post(serve(Small(settings=PUBLIC)), request("ping"), headers(Origin=origin)).status_code == status


def test_both_spellings_of_the_path_are_served_without_a_redirect(serve: Serve) -> None:
    """CT-18, incident T-10: a redirect dropped Authorization. What the proxy in front says changes nothing."""
    url = serve(Small(settings=PUBLIC))
    forwarded = headers() | {"Host": "small.example.com", "X-Forwarded-Proto": "https", "Authorization": "Bearer x"}
    replies = [
        httpx2.post(url + path, json=request("ping"), headers=said)
        for path in ("/mcp", "/mcp/")
        for said in (headers(), forwarded)
    ]

    assert [(reply.status_code, reply.json()["result"]) for reply in replies] == [(200, {})] * 4


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("GET", {"Accept": "*/*"}),
        ("GET", {"Accept": "application/json"}),
        ("GET", {"Accept": "text/event-stream", "MCP-Protocol-Version": "2026-07-28"}),
        ("HEAD", {"Accept": "text/event-stream"}),
        ("DELETE", {"Mcp-Session-Id": "abc"}),
        ("PUT", {}),
    ],
)
def test_other_verbs_are_told_what_is_allowed(serve: Serve, method: str, said: dict[str, str]) -> None:
    """CT-14, incident P-23: 404 on GET was read as an expired session."""
    reply = httpx2.request(method, serve(Small()) + "/mcp", headers=said)

    assert (reply.status_code, reply.headers["allow"]) == (405, "POST, OPTIONS")


def test_a_page_may_ask_first_and_then_read_the_reply(serve: Serve) -> None:
    """WHATWG Fetch: browser tools send a preflight because of Content-Type and Authorization."""
    url, origin = serve(Small()), "http://localhost:6274"
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-mine"}
    preflight = httpx2.options(f"{url}/mcp", headers=asked)
    reply = post(url, request("ping"), headers(Origin=origin))

    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == reply.headers["access-control-allow-origin"] == origin
    assert preflight.headers["access-control-allow-headers"] == "x-mine"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "Mcp-Session-Id" in reply.headers["access-control-expose-headers"]


def test_a_page_of_a_strange_origin_may_not_even_ask(serve: Serve) -> None:
    """MCP, transports, security warning."""
    reply = httpx2.options(serve(Small()) + "/mcp", headers={"Origin": "https://evil.example.com"})

    assert reply.status_code == 403
    assert "access-control-allow-origin" not in reply.headers


def test_a_stream_with_nothing_to_say_opens_at_once_and_is_kept_warm(serve: Serve) -> None:
    """CT-14c and CT-33, incidents P-07 and P-08: a silent GET was waited on until it failed the connector."""
    url = serve(Small(settings=Settings(stream=StreamSettings(interval=0.05))))
    with httpx2.stream("GET", f"{url}/mcp", headers={"Accept": "text/event-stream"}) as reply:
        chunks = reply.iter_raw()
        heard = [next(chunks) for _ in range(3)]

    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/event-stream")
    assert reply.headers["x-accel-buffering"] == "no"
    assert heard == [b": open\n\n", b": still working\n\n", b": still working\n\n"]


def test_one_idle_stream_too_many_is_told_there_is_none(serve: Serve) -> None:
    """Issue 3 item 5: caps on open streams; 405 is what clients read as "no stream here"."""
    url = serve(Small(settings=Settings(capacity=CapacitySettings(streams=1))))
    said = {"Accept": "text/event-stream"}
    with httpx2.stream("GET", f"{url}/mcp", headers=said) as reply:
        chunks = reply.iter_raw()  # held, because dropping it would close the stream
        next(chunks)
        assert httpx2.get(f"{url}/mcp", headers=said).status_code == 405
        assert post(url, request("ping")).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_transport_of_2024_says_where_to_go(serve: Serve, method: str) -> None:
    """CT-43, incident P-30."""
    private, public = serve(Small()), serve(Small(settings=PUBLIC))
    replies = [httpx2.request(method, f"{url}/sse") for url in (private, public)]

    assert [reply.status_code for reply in replies] == [410, 410]
    assert replies[0].json()["endpoint"] == f"{private}/mcp"
    assert replies[1].json()["endpoint"] == "https://small.example.com/mcp"


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/.well-known/oauth-protected-resource", "/.well-known/openid-configuration", "/mcp/x"]
)
def test_an_unknown_path_is_a_json_404(serve: Serve, path: str) -> None:
    """CT-20a, incidents O-13 and P-17: a page there made hosts believe in OAuth."""
    reply = httpx2.get(serve(Small()) + path)

    assert (reply.status_code, reply.json()) == (404, {"error": "not found", "endpoint": "/mcp"})


def test_the_path_of_the_endpoint_can_be_chosen(serve: Serve) -> None:
    """Ours: BALLAST_PATH."""
    url = serve(Small(settings=Settings(access=AccessSettings(path="/public/tools"))))
    reply = httpx2.post(f"{url}/public/tools", json=request("ping"), headers=headers())

    assert (reply.status_code, httpx2.get(f"{url}/health").json()) == (200, {"status": "ok"})
    assert httpx2.get(f"{url}/ready").json() == {"status": "ready"}
