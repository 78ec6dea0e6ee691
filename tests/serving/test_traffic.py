"""What is on its way at once: admission, the adaptive reply mode, a loop that stands still, results too long."""

import threading
import time
from collections.abc import Iterator

import anyio.to_thread
import httpx2
import pytest

from connector import (
    AdaptiveSettings,
    CapacitySettings,
    Connector,
    LimitSettings,
    Settings,
    StreamSettings,
    WatchdogSettings,
    tool,
)
from tests.loopback import Serve
from tests.wire import call, headers, messages, modern, post, request, streaming

EAGER = StreamSettings(first_byte=0.05, interval=0.05)


class Gate(Connector):
    """A tool that waits until the test lets it go."""

    name = "gate"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings=settings)
        self.opened = threading.Event()

    @tool(read_only=True)
    async def look(self) -> str:
        """Wait, then answer."""
        await anyio.to_thread.run_sync(self.opened.wait, abandon_on_cancel=True)
        return "looked"

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Answer at once."""
        return text

    @tool(read_only=True)
    async def stand_still(self, seconds: float) -> str:
        """Block the loop, which is what no tool should do."""
        time.sleep(seconds)  # noqa: ASYNC251  # the block is the subject
        return "moved on"


@pytest.fixture
def gates() -> Iterator[list[Gate]]:
    made: list[Gate] = []
    yield made
    for gate in made:
        gate.opened.set()


def _gate(gates: list[Gate], settings: Settings) -> Gate:
    gates.append(Gate(settings))
    return gates[-1]


def test_a_call_that_finds_no_room_is_told_when_to_come_back(serve: Serve, gates: list[Gate]) -> None:
    """Issue 3 item 5: for a tool call the model reads it; everything else gets Retry-After."""
    capacity = CapacitySettings(calls=1, wait=0.05)
    gate = _gate(gates, Settings(stream=EAGER, capacity=capacity))
    url = serve(gate)
    with streaming(url, call("look", {})) as (_, chunks):
        next(chunks)
        shed = post(url, call("echo", {"text": "x"}, id_="s"))
        said, body = modern("resources/read", {"uri": "text://a"})
        other = post(url, body, said)
        listed, health = post(url, request("tools/list")), httpx2.get(f"{url}/health")
        gate.opened.set()
        delivered = messages(b"".join(chunks))
    after = post(url, call("echo", {"text": "x"}))

    result = shed.json()["result"]
    assert (shed.status_code, shed.json()["id"], result["isError"]) == (200, "s", True)
    assert "was not started and nothing was changed" in result["content"][0]["text"]
    assert result["_meta"]["ballast/retryAfterSeconds"] >= 1
    assert (other.status_code, int(other.headers["retry-after"]) >= 1) == (503, True)
    assert other.json()["error"]["data"]["retryAfterSeconds"] >= 1
    assert (listed.status_code, health.status_code) == (200, 200)
    assert delivered[-1]["result"]["structuredContent"] == {"result": "looked"}
    assert after.json()["result"]["structuredContent"] == {"result": "x"}


def test_one_user_with_many_calls_leaves_room_for_the_others(serve: Serve, gates: list[Gate]) -> None:
    """Issue 3 item 5: caps per principal."""
    capacity = CapacitySettings(per_principal=1, wait=0.05)
    url = serve(_gate(gates, Settings(stream=EAGER, capacity=capacity)))
    mine, other = {"openai/subject": "v1/me"}, {"openai/subject": "v1/other"}
    with streaming(url, call("look", {}, meta=mine)) as (_, chunks):
        next(chunks)
        refused = post(url, call("echo", {"text": "x"}, meta=mine)).json()["result"]
        served = post(url, call("echo", {"text": "x"}, meta=other)).json()["result"]

    assert refused["isError"] is True
    assert served["structuredContent"] == {"result": "x"}


def test_where_streams_keep_breaking_answers_go_out_unstreamed_until_one_holds(serve: Serve, gates: list[Gate]) -> None:
    """Issue 3 item 4; each surface has its own breaker."""
    adaptive = AdaptiveSettings(broken=2, of_last=2, pause=0.2)
    gate = _gate(gates, Settings(stream=EAGER, adaptive=adaptive))
    url = serve(gate)
    chatgpt = headers() | {"User-Agent": "openai-mcp/1.0.0 (ChatGPT)"}
    claude = headers() | {"User-Agent": "Claude-User"}

    def kind(said: dict[str, str]) -> str:
        with streaming(url, call("look", {}), said) as (reply, chunks):
            next(chunks)
            return str(reply.headers["content-type"])

    def is_unstreamed() -> bool:
        return kind(chatgpt) == "application/json"

    assert [kind(chatgpt), kind(chatgpt)] == ["text/event-stream", "text/event-stream"]
    ends = time.monotonic() + 20
    while not is_unstreamed():
        assert time.monotonic() < ends
    assert kind(claude) == "text/event-stream"

    while True:
        assert time.monotonic() < ends + 20
        with streaming(url, call("look", {}), chatgpt) as (reply, chunks):
            next(chunks)
            if reply.headers["content-type"] == "text/event-stream":
                gate.opened.set()
                assert messages(b"".join(chunks))[-1]["result"]["structuredContent"] == {"result": "looked"}
                break
    gate.opened.clear()
    assert kind(chatgpt) == "text/event-stream"


def test_a_tool_that_stops_the_loop_is_named_in_the_log(
    serve: Serve, gates: list[Gate], caplog: pytest.LogCaptureFixture
) -> None:
    """Issue 3 item 2: a watchdog notices a blocked event loop and says which tool did it."""
    watchdog = WatchdogSettings(blocked_after=0.2, interval=0.05)
    url = serve(_gate(gates, Settings(watchdog=watchdog)))
    result = post(url, call("stand_still", {"seconds": 1.0})).json()["result"]

    assert result["structuredContent"] == {"result": "moved on"}
    assert "in the tool 'stand_still'" in caplog.text
    assert "in stand_still" in caplog.text


def test_a_result_that_is_too_long_is_an_error_and_not_a_cut_off_text(serve: Serve, gates: list[Gate]) -> None:
    """Issue 3 item 5: result limits; truncation is never silent."""
    url = serve(_gate(gates, Settings(limits=LimitSettings(max_result=1000))))
    result = post(url, call("echo", {"text": "x" * 2000})).json()["result"]

    assert result["isError"] is True
    assert "at most 1000 are sent" in result["content"][0]["text"]
    assert post(url, call("echo", {"text": "x"})).json()["result"]["isError"] is False
