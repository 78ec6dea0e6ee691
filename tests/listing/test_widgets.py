"""What hosts read of a widget, on the wire."""

from pathlib import Path
from typing import Any

import pytest

from connector import Connector, DeclarationError, Widget, tool
from examples.gallery import Gallery
from tests import wire
from tests.loopback import Serve

BOARD = Widget(
    uri="ui://board/board.html",
    html="<!doctype html><title>Board</title>",
    description="A board",
    connect_domains=["https://api.example.com"],
    resource_domains=["https://cdn.example.com"],
    frame_domains=["https://maps.example.com"],
    redirect_domains=["https://shop.example.com"],
    domain="https://board.example.com",
    prefers_border=True,
    earlier=["ui://board/board-1.html"],
    earlier_skybridge=["ui://widget/board.html"],
)


class Board(Connector):
    """A board."""

    name = "board"
    version = "1"

    @tool(read_only=True, widget=BOARD, visibility=["model"], invoking="Setting up", invoked="Set up")
    def show(self) -> str:
        """Show the board."""
        return "e4 e5"

    @tool(widget=BOARD, visibility=["app"])
    def move(self, to: str) -> str:
        """Move."""
        return to


def result(url: str, method: str, **params: Any) -> dict[str, Any]:
    reply: dict[str, Any] = wire.post(url, wire.request(method, params)).json()
    assert "result" in reply, reply
    found: dict[str, Any] = reply["result"]
    return found


def test_a_tool_names_its_page_in_both_dialects(serve: Serve) -> None:
    """Incident P-14; the members of ChatGPT's descriptor reference, 2026-08-19."""
    show, move = result(serve(Board(store="memory:")), "tools/list")["tools"]

    assert show["_meta"] == {
        "ui": {"resourceUri": "ui://board/board.html", "visibility": ["model"]},
        "openai/outputTemplate": "ui://board/board.skybridge.html",
        "openai/visibility": "public",
        "openai/widgetAccessible": False,
        "openai/toolInvocation/invoking": "Setting up",
        "openai/toolInvocation/invoked": "Set up",
    }
    assert move["_meta"]["ui"]["visibility"] == ["app"]
    assert (move["_meta"]["openai/visibility"], move["_meta"]["openai/widgetAccessible"]) == ("private", True)


@pytest.mark.parametrize(
    ("uri", "mime"),
    [
        ("ui://board/board.html", "text/html;profile=mcp-app"),
        ("ui://board/board-1.html", "text/html;profile=mcp-app"),
        ("ui://board/board.skybridge.html", "text/html+skybridge"),
        ("ui://widget/board.html", "text/html+skybridge"),
    ],
)
def test_every_address_ever_published_is_readable(serve: Serve, uri: str, mime: str) -> None:
    """CT-36, CT-36b, incident P-15."""
    [page] = result(serve(Board(store="memory:")), "resources/read", uri=uri)["contents"]

    assert page == {
        "uri": uri,
        "mimeType": mime,
        "text": "<!doctype html><title>Board</title>",
        "_meta": {
            "ui": {
                "csp": {
                    "connectDomains": ["https://api.example.com"],
                    "resourceDomains": ["https://cdn.example.com"],
                    "frameDomains": ["https://maps.example.com"],
                },
                "domain": "https://board.example.com",
                "prefersBorder": True,
            },
            "openai/widgetCSP": {
                "connect_domains": ["https://api.example.com"],
                "resource_domains": ["https://cdn.example.com"],
                "frame_domains": ["https://maps.example.com"],
                "redirect_domains": ["https://shop.example.com"],
            },
            "openai/widgetDomain": "https://board.example.com",
            "openai/widgetPrefersBorder": True,
            "openai/widgetDescription": "A board",
        },
    }


def test_a_page_in_a_file_is_read_when_it_is_asked_for(serve: Serve, tmp_path: Path) -> None:
    """facts section 2.4: what is behind an address that stays stays live."""
    page = tmp_path / "page.html"
    page.write_text("before")

    class Filed(Connector):
        name = "filed"

        @tool(read_only=True, widget=Widget(uri="ui://filed/page.html", html=page))
        def show(self) -> str:
            return "shown"

    url = serve(Filed(store="memory:"))
    page.write_text("after")

    assert result(url, "resources/read", uri="ui://filed/page.html")["contents"][0]["text"] == "after"


def test_a_server_with_widgets_says_so(serve: Serve) -> None:
    """MCP Apps: the extension is negotiated."""
    head, body = wire.modern("server/discover")
    capabilities = wire.post(serve(Gallery(store="memory:")), body, head).json()["result"]["capabilities"]

    assert capabilities["extensions"] == {"io.modelcontextprotocol/ui": {}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"uri": "https://a.example/page.html"}, "needs an address such as 'ui://board/board.html'"),
        ({"uri": "ui://"}, "needs an address"),
        ({"connect_domains": "https://a.example"}, "write a list, e.g. connect_domains="),
        ({"resource_domains": ["a.example"]}, "write scheme and host"),
        ({"frame_domains": ["https://a.example/maps"]}, "write scheme and host"),
        ({"domain": "example.com"}, "write scheme and host"),
        ({"html": Path("absent.html")}, "there is no such file"),
        ({"earlier": ["ui://a/a.html"]}, "has the address ui://a/a.html twice"),
        ({"earlier_skybridge": "ui://a/b.html"}, "write a list"),
    ],
)
def test_a_widget_that_hosts_could_not_show_is_refused(wrong: dict[str, Any], said: str) -> None:
    """Ours: a wrong declaration fails before any request, and says what to change."""
    with pytest.raises(DeclarationError, match=said):
        Widget(**{"uri": "ui://a/a.html", "html": "<p>", **wrong})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"invoking": "x" * 65}, "65 characters: ChatGPT takes 1 to 64"),
        ({"invoked": ""}, "0 characters"),
        ({"visibility": ["person"]}, "must name 'model', 'app' or both"),
        ({"visibility": []}, "must name"),
        ({"visibility": "app"}, "write a list"),
        ({"widget": BOARD, "meta": {"openai/outputTemplate": "ui://other"}}, "drop it from meta="),
    ],
)
def test_a_tool_that_shows_a_page_wrongly_is_refused(wrong: dict[str, Any], said: str) -> None:
    """Issue 8 item 6: lengths, and no two declarations of one thing."""
    with pytest.raises(DeclarationError, match=said):
        tool(**wrong)


def test_two_widgets_cannot_share_an_address() -> None:
    """Hosts cache by address."""

    class Two(Connector):
        name = "two"

        @tool(read_only=True, widget=Widget(uri="ui://a/a.html", html="one"))
        def one(self) -> str:
            return ""

        @tool(read_only=True, widget=Widget(uri="ui://a/a.html", html="two"))
        def two(self) -> str:
            return ""

    with pytest.raises(DeclarationError, match=r"two widgets claim ui://a/a\.html"):
        Two(store="memory:")
