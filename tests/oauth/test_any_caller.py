"""Nobody is treated differently for how they call themselves, or for what their arguments look like."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from connector import Connector, tool
from connector.oauth import AuthorizationServer
from tests import wire
from tests.loopback import served
from tests.proxies.processes import free_ports

AGENTS = ("openai-mcp/1.0.0", "Claude-User", "python-httpx/0.28.1", "node", "curl/8.5.0", "")
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}


class Diary(Connector):
    """A diary that anybody may look up words in."""

    name = "diary"

    @tool(read_only=True, anonymous=True)
    def look_up(self, word: str) -> str:
        """Say a word again."""
        return word


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    port = free_ports(1)[0]
    lock = AuthorizationServer(approve="everyone", anonymous_listing=True)
    made = Diary(public_url=f"http://127.0.0.1:{port}", store="memory:", auth=lock)
    with served(made.app(), port=port) as origin:
        yield origin


def kind_of(reply: httpx2.Response) -> tuple[int, str]:
    return reply.status_code, reply.headers["content-type"].partition(";")[0]


@pytest.mark.parametrize("agent", AGENTS)
def test_every_user_agent_gets_the_same_kind_of_answer(url: str, agent: str) -> None:
    """CT-40, its local half; incidents P-19 and P-16: an edge that let one client in and not the other."""
    said = wire.headers(User_Agent=agent)
    registration = {"redirect_uris": ["https://chatgpt.com/connector/oauth/AbC123xyz"], "client_name": "ChatGPT"}

    assert kind_of(wire.post(url, wire.request("initialize", HELLO), said)) == (200, "application/json")
    assert kind_of(httpx2.post(f"{url}/register", json=registration, headers={"User-Agent": agent})) == (
        201,
        "application/json",
    )
    assert kind_of(httpx2.post(f"{url}/token", data={"grant_type": "x"}, headers={"User-Agent": agent})) == (
        400,
        "application/json",
    )
    metadata = f"{url}/.well-known/oauth-protected-resource/mcp"
    assert kind_of(httpx2.get(metadata, headers={"User-Agent": agent})) == (200, "application/json")


@pytest.mark.parametrize(
    "word", ["; rm -rf /", "<script>alert(1)</script>", "' OR 1=1 --", "../../etc/passwd", "${jndi:x}"]
)
def test_arguments_that_look_like_an_attack_are_only_words(url: str, word: str) -> None:
    """CT-40, its local half: what a firewall in front would refuse, the connector itself answers."""
    reply: Any = wire.post(url, wire.call("look_up", {"word": word}))

    assert kind_of(reply) == (200, "application/json")
    assert reply.json()["result"]["structuredContent"] == {"result": word}
