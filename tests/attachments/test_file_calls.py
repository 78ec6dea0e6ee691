"""Attachments end to end: a host calls over HTTP, files come from a store on loopback, the stream stays warm."""

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import anyio
import anyio.from_thread
import httpx2
import pytest

from connector import Call, Connector, File, FileSettings, Settings, StreamSettings, ToolFailed, accepts, tool
from tests import wire
from tests.attachments import zoo
from tests.attachments.blobs import Answering, Blobs, status, whole
from tests.loopback import Serve

BEAT = b": "


class Papers(Connector):
    """Reads papers."""

    name = "papers"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.filed: list[str] = []
        self.paths: list[Path] = []
        self.entered = threading.Event()

    @tool(read_only=True)
    async def read_pages(self, paper: Annotated[File, accepts("application/pdf")], first: int = 1) -> list[str]:
        """The pages of a paper."""
        return [page.text async for page in paper.pages(first, first + 1)]

    @tool(read_only=True)
    async def describe(self, files: list[File]) -> list[dict[str, Any]]:
        """What they are."""
        self.paths = [file.path for file in files]
        return [
            {"name": f.name, "kind": f.media_type, "said": f.said_type, "size": f.size, "sha256": f.sha256, "id": f.id,
             "same": hashlib.sha256(f.path.read_bytes()).hexdigest() == f.sha256, "suffix": f.path.suffix}
            for f in files
        ]  # fmt: skip

    @tool(read_only=True)
    def read_in_a_thread(self, paper: File | None = None) -> str:
        """All of it."""
        return "nothing" if paper is None else anyio.from_thread.run(paper.text)

    @tool(read_only=True)
    async def break_off(self, paper: File) -> str:
        """Fail."""
        self.paths = [paper.path]
        raise ToolFailed("I do not like it.")

    @tool(read_only=True)
    async def take_for_ever(self, paper: File) -> str:
        """Hang."""
        self.paths = [paper.path]
        self.entered.set()
        await anyio.sleep_forever()
        raise AssertionError

    @tool()
    async def file_paper(self, paper: File, call: Call) -> str:
        """Put a paper on file."""
        self.filed.append(paper.id)
        return f"filed {paper.name}"


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    """A connector that may ask this machine for files, and beats fast."""
    return Papers(
        store="memory:",
        settings=Settings(
            files=FileSettings(loopback=True, folder=tmp_path),
            stream=StreamSettings(first_byte=0.05, interval=0.05),
        ),
    )


def called(url: str, name: str, **arguments: Any) -> dict[str, Any]:
    """The result of a call."""
    return result_of(wire.post(url, wire.call(name, arguments)))


def result_of(reply: httpx2.Response) -> dict[str, Any]:
    """The result in a reply, which may have become a stream."""
    is_stream = reply.headers["content-type"].startswith("text/event-stream")
    return dict((last(reply.content) if is_stream else reply.json())["result"])


def last(stream: bytes) -> dict[str, Any]:
    """The last message of a stream."""
    return wire.messages(stream)[-1]


def beaten(parts: Iterator[bytes], times: int) -> bytes:
    """Read a stream until it has beaten so often."""
    read = b""
    while read.count(b":") < times:
        read += next(parts)
    assert b"data:" not in read
    return read


def test_a_tool_gets_a_file_with_everything_that_is_known_of_it(papers: Papers, store: Blobs, serve: Serve) -> None:
    """Issue 8 item 4: bytes decide what it is; what the sender says is kept beside it."""
    lying = store.put("/cat.png", zoo.pdf()) | {"mime_type": "image/png", "file_name": "../cat.png", "new": 1}
    document = store.put("/letter.docx", zoo.docx("Dear"))
    result = called(serve(papers), "describe", files=[lying, document])["structuredContent"]["result"]

    assert result[0] == {
        "name": "cat.png",
        "kind": "application/pdf",
        "said": "image/png",
        "size": len(zoo.pdf()),
        "sha256": hashlib.sha256(zoo.pdf()).hexdigest(),
        "id": "file_cat.png",
        "same": True,
        "suffix": ".pdf",
    }
    assert result[1]["kind"].endswith("wordprocessingml.document")


@pytest.mark.parametrize(("name", "arguments"), [("describe", "files"), ("break_off", "paper")])
def test_files_are_gone_when_the_call_is_over(
    name: str, arguments: str, papers: Papers, store: Blobs, serve: Serve, tmp_path: Path
) -> None:
    """Issue 8 item 4: whether it went well or failed."""
    paper = store.put("/a.pdf", zoo.pdf())
    called(serve(papers), name, **{arguments: [paper] if arguments == "files" else paper})

    assert papers.paths[0].is_relative_to(tmp_path)
    assert os.listdir(tmp_path) == []  # noqa: PTH208  of one


def test_files_are_gone_when_whoever_asked_is(papers: Papers, store: Blobs, serve: Serve, tmp_path: Path) -> None:
    """Issue 8 item 4: a call that is cancelled while the tool has the file."""
    body = wire.call("take_for_ever", {"paper": store.put("/a.pdf", zoo.pdf())})
    with wire.streaming(serve(papers), body):
        assert papers.entered.wait(20)
        assert papers.paths[0].exists()
    ends = time.monotonic() + 20
    while os.listdir(tmp_path) and time.monotonic() < ends:  # noqa: PTH208  of one
        time.sleep(0.02)

    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_the_stream_stays_warm_while_a_store_drips_and_a_parser_hangs(
    papers: Papers, store: Blobs, serve: Serve
) -> None:
    """Issue 8 item 4: heartbeats go on, whatever keeps the file."""
    enough, body = threading.Event(), zoo.pdf(3)

    def dripping(answering: Answering) -> None:
        answering.head(Content_Length=str(len(body)))
        answering.wfile.write(body[:10])
        enough.wait(20)
        answering.wfile.write(body[10:])

    url, paper, other = serve(papers), store.put("/a.pdf", dripping), store.put("/b.pdf", body)
    with wire.streaming(url, wire.call("read_pages", {"paper": paper})) as (reply, parts):
        assert reply.headers["content-type"].startswith("text/event-stream")
        read = beaten(parts, 3)
        enough.set()
        dripped = last(read + b"".join(parts))["result"]
    (pid,) = papers._workers.files.room.pids
    os.kill(pid, signal.SIGSTOP)
    with wire.streaming(url, wire.call("read_pages", {"paper": other, "first": 2})) as (_, parts):
        read = beaten(parts, 3)
        os.kill(pid, signal.SIGCONT)
        hung = last(read + b"".join(parts))["result"]

    assert dripped["structuredContent"]["result"] == ["Page 1 of the report", "Page 2 of the report"]
    assert hung["structuredContent"]["result"] == ["Page 2 of the report", "Page 3 of the report"]


def test_a_parser_that_dies_is_a_tool_error_and_the_connector_lives(papers: Papers, store: Blobs, serve: Serve) -> None:
    """Issue 8 item 4: never a dead connector."""
    url, paper = serve(papers), store.put("/a.pdf", zoo.pdf(3))
    called(url, "read_pages", paper=paper)
    (pid,) = papers._workers.files.room.pids
    os.kill(pid, signal.SIGSTOP)
    with wire.streaming(url, wire.call("read_pages", {"paper": paper})) as (_, parts):
        read = beaten(parts, 1)
        os.kill(pid, signal.SIGKILL)
        died = last(read + b"".join(parts))["result"]

    assert died["isError"] is True
    assert "makes the program that reads it fail. Ask the user to save it anew" in died["content"][0]["text"]
    assert called(url, "read_pages", paper=paper)["structuredContent"]["result"][0] == "Page 1 of the report"


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (
            status(403),
            (
                "The attachment 'a.pdf' can no longer be downloaded: its link has expired or was withdrawn (HTTP 403). "
                "Ask the user to attach it again."
            ),
        ),
        (
            whole(b""),
            (
                "The attachment 'a.pdf' is empty: it has 0 bytes. Ask the user to check that it opens on their side, "
                "and to attach it again."
            ),
        ),
        (
            whole(b"<!doctype html><title>Log in</title>"),
            "The attachment 'a.pdf' is a web page (HTML). Ask the user for a PDF.",
        ),
        (
            whole(zoo.encrypted_pdf(user="x")),
            (
                "The attachment 'a.pdf' is protected with a password. Ask the user for a copy without one, and not for "
                "the password."
            ),
        ),
        (
            whole(zoo.pdf(9)[:900]),
            (
                "The attachment 'a.pdf' is not whole: its end is missing. Ask the user to check that it opens on their "
                "side, and to attach it again."
            ),
        ),
    ],
    ids=["expired", "empty", "html", "encrypted", "cut-off"],
)
def test_the_model_is_told_what_to_ask_the_user(
    behaviour: Any, said: str, papers: Papers, store: Blobs, serve: Serve
) -> None:
    """Issue 8 item 4, word for word."""
    result = called(serve(papers), "read_pages", paper=store.put("/a.pdf", behaviour))

    assert result["isError"] is True
    assert result["content"] == [{"type": "text", "text": said}]


def test_a_retry_with_a_new_link_is_the_same_wish(papers: Papers, store: Blobs, serve: Serve) -> None:
    """CT-09: the platform signs a link anew for each attempt; the file is the same."""
    url, meta = serve(papers), {"openai/session": "conversation-1", "ballast/idempotencyKey": "wish-1"}
    first, second = (store.put(f"/{name}", zoo.pdf()) | {"file_id": "file_1"} for name in ("a.pdf", "anew.pdf"))

    bodies = [wire.call("file_paper", {"paper": each}, meta=meta) for each in (first, second)]
    results = [result_of(wire.post(url, body)) for body in bodies]

    assert papers.filed == ["file_1"]
    assert [result["content"][0]["text"] for result in results] == ["filed a.pdf", "filed a.pdf"]


def test_a_tool_that_runs_in_a_thread_reads_too(papers: Papers, store: Blobs, serve: Serve) -> None:
    """Issue 8: `def` tools; and a file that may be left out."""
    url = serve(papers)

    assert called(url, "read_in_a_thread", paper=store.put("/a.txt", "Grüße".encode()))["content"][0]["text"] == "Grüße"
    assert called(url, "read_in_a_thread")["content"][0]["text"] == "nothing"
    assert called(url, "read_in_a_thread", paper=None)["content"][0]["text"] == "nothing"


@pytest.mark.parametrize(
    "value",
    [{"download_url": "https://x"}, {"file_id": "f"}, "https://x/a.pdf", 5, {"download_url": 5, "file_id": "f"}],
)
def test_what_is_no_file_is_told_before_anything_is_fetched(value: Any, papers: Papers, serve: Serve) -> None:
    """A model that makes a link up."""
    result = called(serve(papers), "file_paper", paper=value)

    assert result["isError"] is True
    assert "file_paper was not called: its arguments do not fit (paper" in result["content"][0]["text"]
    assert papers.filed == []


def test_more_files_than_a_call_may_bring_are_refused(papers: Papers, store: Blobs, serve: Serve) -> None:
    """Ours: eleven."""
    result = called(serve(papers), "describe", files=[store.put("/a.pdf", zoo.pdf())] * 11)

    assert "is one of 11 files, and at most 10 are read in one call" in result["content"][0]["text"]
    assert store.asked == []
