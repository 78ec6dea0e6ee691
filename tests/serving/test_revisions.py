"""A client is sent the members of the revision it speaks, and no newer ones."""

from typing import Any

import pytest
from mcp_types import AudioContent, Icon, ResourceLink, TextContent, ToolAnnotations

from connector import Connector
from tests.loopback import Serve
from tests.wire import call, headers, post, request

REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]


class Rich(Connector):
    """Uses every member there is."""

    name = "rich"
    version = "1"
    title = "Rich"
    description = "Everything"
    website_url = "https://rich.example.com"
    icons = [Icon(src="https://rich.example.com/i.png")]  # noqa: RUF012  # as the SDK takes it


@pytest.fixture
def url(serve: Serve) -> str:
    made = Rich()
    icons = [Icon(src="https://rich.example.com/t.png")]

    @made.tool(title="T", annotations=ToolAnnotations(read_only_hint=True), icons=icons, meta={"a": 1})
    def number() -> int:
        return 7

    @made.tool(structured_output=False)
    def blocks() -> list[Any]:
        return [
            TextContent(text="words", _meta={"a": 1}),
            AudioContent(data="AAAA", mime_type="audio/wav"),
            ResourceLink(name="link", uri="https://rich.example.com/r"),
        ]

    @made.resource("text://a", title="R", icons=icons, meta={"a": 1})
    def text() -> str:
        return "a"

    @made.prompt(title="P", icons=icons)
    def ask(what: str) -> str:
        return what

    return serve(made)


def _result(url: str, version: str, method: str, params: Any = None) -> dict[str, Any]:
    return dict(post(url, request(method, params), headers(version=version)).json()["result"])


@pytest.mark.parametrize(
    ("version", "tool", "resource", "prompt"),
    [
        (
            "2024-11-05",
            {"name", "description", "inputSchema"},
            {"name", "uri", "mimeType", "description"},
            {"name", "description", "arguments"},
        ),
        ("2025-03-26", {"annotations"}, set(), set()),
        ("2025-06-18", {"title", "outputSchema", "_meta"}, {"title", "_meta"}, {"title"}),
        ("2025-11-25", {"icons"}, {"icons"}, {"icons"}),
    ],
)
def test_descriptors_grow_with_the_revision(
    url: str, version: str, tool: set[str], resource: set[str], prompt: set[str]
) -> None:
    """CT-34: each line names what its revision adds to the one before."""
    before = REVISIONS[: REVISIONS.index(version)]

    def added(method: str, key: str) -> set[str]:
        now = set(_result(url, version, method)[key][0])
        return now - {name for older in before for name in _result(url, older, method)[key][0]}

    assert added("tools/list", "tools") == tool
    assert added("resources/list", "resources") == resource
    assert added("prompts/list", "prompts") == prompt


@pytest.mark.parametrize(
    ("version", "members"),
    [
        ("2024-11-05", {"name", "version"}),
        ("2025-03-26", {"name", "version"}),
        ("2025-06-18", {"name", "version", "title"}),
        ("2025-11-25", {"name", "version", "title", "description", "websiteUrl", "icons"}),
    ],
)
def test_the_handshake_describes_the_server_in_the_negotiated_revision(
    url: str, version: str, members: set[str]
) -> None:
    """CT-34: the revision is what initialize negotiates, not what a header says."""
    offered = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}

    assert set(_result(url, "2025-11-25", "initialize", offered)["serverInfo"]) == members


@pytest.mark.parametrize(("version", "has_structure"), [*zip(REVISIONS, [False, False, True, True], strict=True)])
def test_structured_content_came_with_2025_06_18(url: str, version: str, *, has_structure: bool) -> None:
    """CT-34; the text says the same to older clients."""
    result = _result(url, version, "tools/call", {"name": "number", "arguments": {}})

    assert result["content"] == [{"type": "text", "text": "7"}]
    assert ("structuredContent" in result) is has_structure


@pytest.mark.parametrize(
    ("version", "types"),
    [
        ("2024-11-05", ["text", "text", "text"]),
        ("2025-03-26", ["text", "audio", "text"]),
        ("2025-06-18", ["text", "audio", "resource_link"]),
        ("2025-11-25", ["text", "audio", "resource_link"]),
    ],
)
def test_a_block_the_revision_lacks_is_told_in_words(url: str, version: str, types: list[str]) -> None:
    """CT-34, incident P-06: a typed client rejects what it does not know."""
    content = _result(url, version, "tools/call", {"name": "blocks", "arguments": {}})["content"]

    assert [block["type"] for block in content] == types
    if version == "2024-11-05":
        assert content[1]["text"] == "[audio; revision 2024-11-05 cannot carry it]"
        assert content[2]["text"] == "[link: https://rich.example.com/r; revision 2024-11-05 cannot carry it]"
        assert "_meta" not in content[0]


def test_a_client_that_names_no_revision_is_sent_everything(url: str) -> None:
    """Ours: hosts without the header read structured content all the same."""
    result = post(url, call("number", {}), headers(version=None)).json()["result"]

    assert result["structuredContent"] == {"result": 7}
