"""One POST in, one reply out: JSON when quick, a warm stream when not, in both eras."""

import threading
from collections.abc import Iterator

import anyio.to_thread
import httpx2
import pytest

from connector import Call, Connector, Settings, StreamSettings, tool
from tests.loopback import Serve
from tests.wire import call, headers, messages, modern, post, request, streaming

EAGER = Settings(stream=StreamSettings(first_byte=0.05, interval=0.05))


class Gate(Connector):
    """Tools that wait until the test lets them go."""

    name = "gate"
    version = "1"

    def __init__(self, settings: Settings = EAGER) -> None:
        super().__init__(settings=settings)
        self.opened = threading.Event()
        self.seen: list[str] = []
        self.noticed = threading.Event()

    async def _wait(self) -> None:
        await anyio.to_thread.run_sync(self.opened.wait, abandon_on_cancel=True)

    def _note(self, what: str) -> None:
        self.seen.append(what)
        self.noticed.set()

    @tool(read_only=True)
    async def look(self) -> str:
        """Wait, then answer."""
        try:
            await self._wait()
        except BaseException:
            self._note("cancelled")
            raise
        return "looked"

    @tool
    async def change(self) -> str:
        """Wait, then change something."""
        try:
            await self._wait()
        except BaseException:
            self._note("cancelled")
            raise
        self._note("changed")
        return "changed"

    @tool(read_only=True)
    async def walk(self, call: Call) -> str:
        """Report progress, wait, then answer."""
        await call.progress(1, 3, "on the way")
        await self._wait()
        return "arrived"

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Answer at once."""
        return text


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.opened.set()


def test_a_quick_answer_is_json_in_either_era(serve: Serve) -> None:
    """DESIGN: JSON if the answer is ready within first_byte."""
    url = serve(Gate())
    legacy = post(url, call("echo", {"text": "hi"}, id_="a"))
    said, body = modern("tools/call", {"name": "echo", "arguments": {"text": "hi"}})
    new = post(url, body, said)

    assert legacy.headers["content-type"] == new.headers["content-type"] == "application/json"
    assert legacy.json() == {
        "jsonrpc": "2.0",
        "id": "a",
        "result": {
            "content": [{"type": "text", "text": "hi"}],
            "structuredContent": {"result": "hi"},
            "isError": False,
        },
    }
    assert new.json()["result"] == legacy.json()["result"] | {
        "resultType": "complete",
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "gate", "version": "1"}},
    }


@pytest.mark.parametrize("era", ["handshake", "envelope"])
def test_a_late_answer_comes_as_events_behind_heartbeats(serve: Serve, gate: Gate, era: str) -> None:
    """Incidents T-01 and T-03: a quiet stream is cut by proxies."""
    url = serve(gate)
    said, body = (headers(), call("look", {})) if era == "handshake" else modern("tools/call", {"name": "look"})
    with streaming(url, body, said) as (reply, chunks):
        beats = [next(chunks) for _ in range(3)]
        gate.opened.set()
        rest = b"".join(chunks)

    assert reply.headers["content-type"] == "text/event-stream"
    assert reply.headers["cache-control"] == "no-cache, no-transform"
    assert reply.headers["x-accel-buffering"] == "no"
    assert beats == [b": still working\n\n"] * 3
    assert [message["result"]["content"][0]["text"] for message in messages(rest)] == ["looked"]


def test_progress_commits_the_stream_and_is_sent_to_who_asked_for_it(serve: Serve, gate: Gate) -> None:
    """MCP, progress: notifications carry the token of the request."""
    with streaming(serve(gate), call("walk", {}, meta={"progressToken": "p"})) as (reply, chunks):
        first = next(chunks)
        gate.opened.set()
        last = messages(b"".join(chunks))[-1]

    assert reply.headers["content-type"] == "text/event-stream"
    assert messages(first) == [
        {
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": {"progressToken": "p", "progress": 1, "total": 3, "message": "on the way"},
        }
    ]
    assert last["result"]["content"][0]["text"] == "arrived"


def test_progress_nobody_asked_for_commits_the_stream_and_sends_no_notification(serve: Serve, gate: Gate) -> None:
    """MCP, progress: without a token there is nothing to send; the early first byte is ours."""
    with streaming(serve(gate), call("walk", {})) as (reply, chunks):
        first = next(chunks)
        gate.opened.set()
        rest = b"".join(chunks)

    assert reply.headers["content-type"] == "text/event-stream"
    assert first == b": still working\n\n"
    assert [list(message) for message in messages(rest)] == [["jsonrpc", "id", "result"]]


def test_heartbeats_can_be_progress_that_only_ever_increases(serve: Serve) -> None:
    """MCP, progress: the value MUST increase; some hosts reset their timer on nothing else."""
    stream = StreamSettings(first_byte=0.05, interval=0.05, progress_frames=True)
    gate = Gate(Settings(stream=stream))
    with streaming(serve(gate), call("walk", {}, meta={"progressToken": 7})) as (_, chunks):
        heard = b"".join(next(chunks) for _ in range(4))
        gate.opened.set()
        heard += b"".join(chunks)
    values = [message["params"]["progress"] for message in messages(heard) if "method" in message]

    assert b": still working" not in heard
    assert values[0] == 1
    assert len(values) >= 4
    assert values == sorted(set(values))
    assert values[-1] < 1.1


def test_a_client_that_reads_only_json_gets_white_space_and_then_json(serve: Serve, gate: Gate) -> None:
    """RFC 8259 section 2: white space may stand before a JSON text."""
    with streaming(serve(gate), call("walk", {}), headers(accept="application/json")) as (reply, chunks):
        beat = next(chunks)
        gate.opened.set()
        rest = b"".join(chunks)

    assert reply.headers["content-type"] == "application/json"
    assert (beat, rest.lstrip()[:1]) == (b" ", b"{")
    assert httpx2.Response(200, content=beat + rest).json()["result"]["content"][0]["text"] == "arrived"


def test_a_client_that_reads_only_events_gets_its_quick_answer_as_an_event(serve: Serve) -> None:
    """Incident P-41; ElevenLabs accepts text/event-stream only."""
    reply = post(serve(Gate()), call("echo", {"text": "hi"}), headers(accept="text/event-stream"))

    assert reply.headers["content-type"] == "text/event-stream"
    assert reply.text.startswith("event: message\ndata: {")
    assert messages(reply.content)[0]["result"]["content"][0]["text"] == "hi"


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/json;q=0.5, text/event-stream;q=0.9",
        "text/html",
        "APPLICATION/JSON",
        ",",
    ],
)
def test_no_accept_header_is_refused(serve: Serve, accept: str) -> None:
    """CT-13, incident P-41: strict Accept checks answered 406."""
    reply = post(serve(Gate()), call("echo", {"text": "hi"}), headers(accept=accept))

    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")


def test_a_list_is_json_whatever_comes_first_in_accept(serve: Serve) -> None:
    """tc#63: a build of OpenAI's tunnel refused a streamed discover."""
    reply = post(serve(Gate()), request("tools/list"), headers(accept="text/event-stream, application/json"))

    assert reply.headers["content-type"] == "application/json"
    assert [listed["name"] for listed in reply.json()["result"]["tools"]] == ["look", "change", "walk", "echo"]


def test_a_read_only_call_ends_when_its_client_goes_away(serve: Serve, gate: Gate) -> None:
    """MCP 2026-07-28: a disconnect is a cancellation; nothing could fetch the answer."""
    with streaming(serve(gate), call("look", {})) as (_, chunks):
        next(chunks)

    assert gate.noticed.wait(10)
    assert gate.seen == ["cancelled"]


def test_a_write_runs_to_its_end_when_its_client_goes_away(serve: Serve, gate: Gate) -> None:
    """MCP 2026-07-28 lets a receiver go on with what cannot be cancelled; a write half-done is such (D-02)."""
    with streaming(serve(gate), call("change", {})) as (_, chunks):
        next(chunks)
    gate.opened.set()

    assert gate.noticed.wait(10)
    assert gate.seen == ["changed"]


def test_two_requests_with_one_id_each_get_their_own_answer(serve: Serve, gate: Gate) -> None:
    """python-sdk#3060: in one session the second caller got the first one's result."""
    url = serve(gate)
    with streaming(url, call("look", {}, id_=1)) as (_, slow):
        next(slow)
        quick = post(url, call("echo", {"text": "mine"}, id_=1)).json()
        gate.opened.set()
        late = messages(b"".join(slow))

    assert quick["result"]["content"][0]["text"] == "mine"
    assert [message["result"]["content"][0]["text"] for message in late] == ["looked"]


def test_a_listen_request_is_answered_by_a_stream_that_stays_open(serve: Serve, gate: Gate) -> None:
    """MCP 2026-07-28, subscriptions: the first frame acknowledges, then the stream is kept warm."""
    said, body = modern("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, id_="l")
    with streaming(serve(gate), body, said) as (reply, chunks):
        first, beat = next(chunks), next(chunks)

    assert reply.headers["content-type"] == "text/event-stream"
    assert [message["method"] for message in messages(first)] == ["notifications/subscriptions/acknowledged"]
    assert beat == b": still working\n\n"
