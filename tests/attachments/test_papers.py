"""The example that reads attached PDFs, through HTTP."""

from typing import Any

import pytest

from connector import FileSettings, Settings
from examples.papers import Papers
from tests import wire
from tests.attachments import zoo
from tests.attachments.blobs import Blobs
from tests.loopback import Serve


@pytest.fixture
def url(serve: Serve) -> str:
    """The example, which may ask this machine for files."""
    return serve(Papers(store="memory:", settings=Settings(files=FileSettings(loopback=True))))


def read(url: str, name: str, **arguments: Any) -> Any:
    """The structured content of a call that succeeds."""
    reply = wire.post(url, wire.call(name, arguments))
    is_stream = reply.headers["content-type"].startswith("text/event-stream")
    result = (wire.messages(reply.content)[-1] if is_stream else reply.json())["result"]
    assert not result.get("isError"), result
    return result["structuredContent"]


def test_a_paper_is_read_five_pages_at_a_time(url: str, store: Blobs) -> None:
    """Each answer says where to go on; the last one says that there is no more."""
    paper = store.put("/paper.pdf", zoo.pdf(7))

    begin, end = read(url, "read_paper", paper=paper), read(url, "read_paper", paper=paper, first=6)

    assert [page["number"] for page in begin["pages"]] == [1, 2, 3, 4, 5]
    assert begin["pages"][4]["text"] == "Page 5 of the report"
    assert (begin["total"], begin["more_from"]) == (7, 6)
    assert [page["number"] for page in end["pages"]] == [6, 7]
    assert end["more_from"] is None


def test_words_are_found_with_what_is_around_them(url: str, store: Blobs) -> None:
    """The whole paper is gone through, a part of it at a time."""
    paper = store.put("/paper.pdf", zoo.pdf(60, words="Chapter {0} tells of {0} badgers".format))

    found = read(url, "search_paper", paper=paper, words="tells of 42")

    assert found == {"total": 60, "places": [{"number": 42, "text": "Chapter 42 tells of 42 badgers"}]}
