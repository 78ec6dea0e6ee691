"""What of a result goes out: text within the budget, files as links, and nothing lost or cut in silence."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import validate
from mcp.server.mcpserver.utilities.types import Image
from mcp_types import CallToolResult, EmbeddedResource, TextContent, TextResourceContents

from connector import Call, Connector, Page, Settings, ToolFailed, tool
from connector.http.request.surface import budget_for
from connector.patience import AnswerSettings
from connector.stores.memory import MemoryStore
from tests import wire
from tests.loopback import Serve
from tests.partial.works import CHAT, ask, rest, state_of, texts

PICTURE = bytes(range(256)) * 4
LINE = "A line of some words, and then one more.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A book."""

    number: int
    title: str


class Clock:
    """A store's clock that a test sets."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Library(Connector):
    """Answers of every size."""

    name = "library"

    def __init__(self, inline: int = 1024 * 1024, store: Any = "memory:") -> None:
        super().__init__(store=store, settings=Settings(answer=AnswerSettings(inline=inline)))
        self.books = [Book(number=number, title=f"Title {number} " + "x" * 80) for number in range(300)]

    @tool(read_only=True)
    def text(self, lines: int) -> str:
        """Give so many lines."""
        return LINE * lines

    @tool
    def write(self, lines: int) -> CallToolResult:
        """Write, and answer with text and data of its own."""
        return CallToolResult(content=[TextContent(text=LINE * lines)], structured_content={"lines": lines})

    @tool(read_only=True, budget=0)
    def whole(self, lines: int) -> str:
        """Give it all at once."""
        return LINE * lines

    @tool(read_only=True, partial=True)
    async def long(self, lines: int) -> str:
        """Give a long text, and maybe late."""
        return LINE * lines

    @tool(read_only=True)
    def picture(self) -> Image:
        """Give a picture."""
        return Image(data=PICTURE, format="png")

    @tool(read_only=True)
    def document(self, lines: int) -> EmbeddedResource:
        """Give a document."""
        return EmbeddedResource(
            resource=TextResourceContents(uri="file:///notes.md", mime_type="text/markdown", text=LINE * lines)
        )

    @tool(read_only=True)
    def browse(self, call: Call, cursor: str | None = None) -> Page[Book]:
        """Browse the shelves."""
        return Page.of(self.books, key=lambda book: book.number, cursor=cursor)


@pytest.fixture
def library(serve: Serve) -> str:
    return serve(Library())


def read(url: str, uri: str, **meta: Any) -> dict[str, Any]:
    """What `resources/read` answers, as the whole message."""
    said = {name: value for name, value in (CHAT | meta).items() if value is not None}
    message: dict[str, Any] = wire.post(url, wire.request("resources/read", {"uri": uri, "_meta": said})).json()
    return message


def blocks(result: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The blocks of one kind."""
    return [block for block in result["content"] if block["type"] == kind]


@pytest.mark.parametrize(("name", "more"), [("text", {"result": LINE * 1000}), ("write", {"lines": 1000})])
def test_text_beyond_the_budget_is_cut_in_words_and_structure_stays_whole(
    library: str, name: str, more: dict[str, Any]
) -> None:
    """CT-35c, incidents F-03 and F-06: 8 KB of text, and an output schema that holds."""
    result = ask(library, name, {"lines": 1000})

    assert sum(len(text.encode()) for text in texts({"content": blocks(result, "text")})) <= 8192
    assert f"of {len(LINE) * 1000} bytes" in texts({"content": blocks(result, "text")})[0]
    assert blocks(result, "text")[1]["text"].endswith("more.\n")
    assert result["structuredContent"] == more
    assert result["isError"] is False


def test_what_was_cut_can_be_read_as_a_resource_by_the_same_caller_only(library: str) -> None:
    """Issue 8 item 5: the rest remains readable."""
    (link,) = blocks(ask(library, "text", {"lines": 1000}), "resource_link")

    mine, others = read(library, link["uri"]), read(library, link["uri"], **{"openai/session": "v1/other"})

    assert mine["result"]["contents"][0]["text"] == LINE * 1000
    assert "error" in others
    assert "error" in read(library, "ballast://results/0123456789abcdef")


def test_what_was_kept_back_is_not_kept_long(serve: Serve) -> None:
    """Ours: every long result is stored, so it must not pile up."""
    clock = Clock()
    url = serve(Library(store=MemoryStore(clock=clock)))
    (link,) = blocks(ask(url, "text", {"lines": 1000}), "resource_link")
    clock.now += 299
    assert "result" in read(url, link["uri"])
    clock.now += 2
    assert "error" in read(url, link["uri"])


def test_what_was_cut_can_be_continued_where_that_is_listed(library: str) -> None:
    """Issue 8 item 5: page by page, every byte once; the schema of the tool holds for its own answer."""
    tools = wire.post(library, wire.request("tools/list")).json()["result"]["tools"]
    schema = next(each["outputSchema"] for each in tools if each["name"] == "long")
    answer = ask(library, "long", {"lines": 500})
    validate(answer["structuredContent"], schema)
    whole = texts({"content": blocks(answer, "text")})[1]
    for _ in range(9):
        if "after" not in state_of(answer):
            break
        answer = rest(library, answer)
        assert sum(len(text.encode()) for text in texts(answer)) <= 8192
        whole += texts(answer)[-1]

    assert whole == LINE * 500
    assert answer["structuredContent"]["status"] == "done"


@pytest.mark.parametrize(("name", "lines"), [("text", 100), ("whole", 1000)])
def test_what_fits_or_is_wanted_whole_is_left_alone(library: str, name: str, lines: int) -> None:
    """Ours."""
    result = ask(library, name, {"lines": lines})

    assert texts(result) == [LINE * lines]
    assert "_meta" not in result


@pytest.mark.parametrize(("agent", "least"), [("openai-mcp/1.0.0", 8192), ("curl/8", 8192), ("Claude-User", 96 * 1024)])
def test_hosts_that_read_more_get_more(agent: str, least: int) -> None:
    """facts on the wire, section 6: Claude keeps about 150,000 characters of a result."""
    assert budget_for(AnswerSettings(), agent) == least
    assert budget_for(AnswerSettings(budgets={"chatgpt": 2048, "claude": 2048, "other": 2048}), agent) == 2048


def test_a_small_file_says_how_large_it_is_and_what_it_hashes_to(library: str) -> None:
    """Incident F-01: base64 that was cut on the way is noticed."""
    (image,) = blocks(ask(library, "picture"), "image")

    raw = base64.b64decode(image["data"])
    assert image["_meta"]["ballast/integrity"] == {"size": 1024, "sha256": hashlib.sha256(PICTURE).hexdigest()}
    assert raw == PICTURE


def test_a_large_file_becomes_a_link(serve: Serve) -> None:
    """Incident F-02, CT-35b: files of megabytes fail on the way without a word."""
    url = serve(Library(inline=1000))
    result = ask(url, "picture")

    (link,) = blocks(result, "resource_link")
    (content,) = read(url, link["uri"])["result"]["contents"]
    assert blocks(result, "image") == []
    assert (link["mimeType"], link["size"]) == ("image/png", 1024)
    assert link["_meta"]["ballast/integrity"]["sha256"] == hashlib.sha256(PICTURE).hexdigest()
    assert base64.b64decode(content["blob"]) == PICTURE
    assert content["mimeType"] == "image/png"


def test_a_long_document_becomes_a_link(library: str) -> None:
    """Issue 8 item 5: embedded text counts as text."""
    (link,) = blocks(ask(library, "document", {"lines": 1000}), "resource_link")

    assert (link["name"], link["mimeType"]) == ("notes.md", "text/markdown")
    assert read(library, link["uri"])["result"]["contents"][0]["text"] == LINE * 1000
    assert blocks(ask(library, "document", {"lines": 10}), "resource")[0]["resource"]["text"] == LINE * 10


def test_a_list_comes_in_pages(library: str) -> None:
    """Issue 8 item 5, CT-35c: every book once, in order, in answers that hosts let through."""
    seen, cursor, pages = [], None, 0
    while pages < 50:
        result = ask(library, "browse", {} if cursor is None else {"cursor": cursor})
        assert len(texts(result)[0].encode()) <= 8192
        page = result["structuredContent"]
        seen += [book["number"] for book in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
        if cursor is None:
            break

    assert seen == list(range(300))
    assert 2 < pages < 50
    assert page["total"] == 300


@given(st.sets(st.integers(0, 200)), st.sets(st.integers(0, 200)), st.integers(1, 60))
def test_a_cursor_holds_while_the_list_changes(first: set[int], then: set[int], budget: int) -> None:
    """Ours: what is there all the time is given exactly once, whatever comes and goes."""
    given_, cursor, items = [], None, first
    for _ in range(500):
        page = Page.of(items, key=lambda item: item, cursor=cursor, budget=budget)
        given_ += page.items
        cursor, items = page.next_cursor, then
        if cursor is None:
            break

    assert len(given_) == len(set(given_))
    assert first & then <= set(given_)


@pytest.mark.parametrize("cursor", ["x", "%%%", "bnVsbA", "W10", "WyJ0ZXh0Il0", "9" * 500])
def test_a_cursor_that_is_none_is_refused_in_words(cursor: str) -> None:
    """Ours: models make up arguments. The last but one is a cursor of another list."""
    with pytest.raises(ToolFailed, match="Leave it out"):
        Page.of([1, 2, 3], key=lambda item: item, cursor=cursor)


def test_keys_may_have_several_parts() -> None:
    """Ours: a date and a number, say."""
    items = [("b", 1), ("a", 2), ("a", 1)]
    first = Page.of(items, key=lambda item: item, budget=1)
    second = Page.of(items, key=lambda item: item, cursor=first.next_cursor, budget=1000)

    assert (first.items, second.items, second.next_cursor) == ([("a", 1)], [("a", 2), ("b", 1)], None)
