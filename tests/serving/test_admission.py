"""Who may come in, and which paths there are."""

import httpx2
import pytest

from connector import AccessSettings, Connector, Settings, tool
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
    """CT-18, incident T-10: a redirect dropped Authorization."""
    url = serve(Small())
    replies = [httpx2.post(url + path, json=request("ping"), headers=headers()) for path in ("/mcp", "/mcp/")]

    assert [(reply.status_code, reply.json()["result"]) for reply in replies] == [(200, {}), (200, {})]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_other_verbs_are_told_what_is_allowed(serve: Serve, method: str) -> None:
    """CT-14, incident P-23: 404 on GET was read as an expired session."""
    reply = httpx2.request(method, serve(Small()) + "/mcp", headers={"Accept": "text/event-stream"})

    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


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
