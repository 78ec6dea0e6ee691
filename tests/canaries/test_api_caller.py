"""The platform's API as a live caller, against an imitation of it and real connectors."""

import asyncio
import json
import os
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from connector import Connector, tool
from contract_tests.canary.api.answering import judged
from contract_tests.canary.api.calling import call
from contract_tests.canary.findings import Part, Standing
from contract_tests.canary.settings import ApiSettings
from tests.canaries.imitation import Imitation
from tests.loopback import Serve

KEY = "sk-proj-0123456789abcdefghij"
QUICK = 0.01  # of a second of the real one


class Stock(Connector):
    """Tools that are quick, slow, wrong and counted."""

    name = "stock"

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    @tool(read_only=True)
    async def level(self, item: str) -> int:
        """How many there are."""
        return len(item)

    @tool(read_only=True)
    async def recount(self, seconds: float = 0.0) -> str:
        """Count everything."""
        await asyncio.sleep(seconds)
        return "counted"

    @tool
    async def order(self, seconds: float = 0.0) -> str:
        """Order something, once."""
        self.writes += 1
        await asyncio.sleep(seconds)
        return "ordered"

    @tool(read_only=True)
    async def fail(self) -> str:
        """Fail."""
        raise RuntimeError("out of order")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """The key, where the canary looks for it."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return KEY


def _settings(api: str, server: str, tool: str, **more: Any) -> ApiSettings:
    return ApiSettings(model="m", url=f"{api}/v1/responses", server_url=f"{server}/mcp", tool=tool, **more)


def _text(part: Part) -> str:
    return json.dumps(
        [part.sentence, part.facts, [str(change) for change in part.changes], [str(s) for s in part.said]]
    )


def _answer(part: Part) -> str | None:
    return part.said[0].answer if part.said else None


def test_a_good_connector_is_called_once(serve: Serve, key: str) -> None:
    """Issue 7, item 3: one call of one tool, approved by nobody, with nothing kept there."""
    api = Imitation(key, QUICK * 100)
    part = asyncio.run(call(_settings(serve(api.app()), serve(Stock()), "level", arguments={"item": "nail"})))
    (request,) = api.requests

    assert (part.standing, _answer(part), api.tries) == (Standing.HOLDS, "works", 1)
    assert request["store"] is False
    assert request["tool_choice"] == {"type": "mcp", "server_label": "ballast_canary", "name": "level"}
    assert request["tools"][0]["require_approval"] == "never"
    assert request["tools"][0]["allowed_tools"] == ["level"]


def test_a_call_that_is_too_slow_comes_twice_and_then_not_at_all(serve: Serve, key: str) -> None:
    """T-03 and the wire facts: cut after 59.8 s, the same call once more, then 504; here a hundred times as fast."""
    api = Imitation(key, QUICK)
    part = asyncio.run(call(_settings(serve(api.app()), serve(Stock()), "recount", arguments={"seconds": 30})))

    assert (part.standing, _answer(part), api.tries) == (Standing.FINDING, "fails", 2)
    assert part.changes[0].place == "http_error"
    assert "504 Timed out waiting for MCP server response" in part.changes[0].after


@pytest.mark.parametrize(("conversation", "writes"), [("v1/one", 1), ("", 2)])
def test_a_retry_is_a_second_order_only_without_a_conversation(
    serve: Serve, key: str, conversation: str, writes: int
) -> None:
    """D-05: with a user or a conversation the retry joins the call that runs; else nothing ties them together."""
    stock, api = Stock(), Imitation(key, QUICK * 3, conversation)
    part = asyncio.run(call(_settings(serve(api.app()), serve(stock), "order", arguments={"seconds": 2.6})))

    assert (api.tries, stock.writes) == (2, writes)
    assert (part.standing is Standing.HOLDS) == (writes == 1)


@pytest.mark.skipif(not os.environ.get("BALLAST_TEST_REAL_TIME"), reason="takes a minute: BALLAST_TEST_REAL_TIME=1")
@pytest.mark.timeout(200)
def test_on_the_real_clock_the_connector_answers_before_the_cut(serve: Serve, key: str) -> None:
    """The wire facts, section 1.6: a call of 75 s, which the API gives 59.8 s, is answered in part before that."""
    api = Imitation(key, conversation="v1/one")
    part = asyncio.run(call(_settings(serve(api.app()), serve(Stock()), "order", arguments={"seconds": 75})))

    assert (api.tries, part.changes[0].place) == (1, "mcp_tool_execution_error")
    assert "order is still running; it has not failed" in part.changes[0].after


@pytest.mark.parametrize(
    ("tool", "place"), [("fail", "mcp_tool_execution_error"), ("recount", "mcp_tool_execution_error")]
)
def test_a_tool_that_fails_is_told_with_its_words(serve: Serve, key: str, tool: str, place: str) -> None:
    """The shapes of `mcp_call.error`."""
    arguments = {} if tool == "fail" else {"seconds": "many"}
    part = asyncio.run(call(_settings(serve(Imitation(key).app()), serve(Stock()), tool, arguments=arguments)))

    assert (part.standing, part.changes[0].place) == (Standing.FINDING, place)


def test_a_list_that_fails_aborts_everything_with_424(serve: Serve, key: str) -> None:
    """P-06, F-04: the cause is hidden, so the advice says where to look."""
    part = asyncio.run(call(_settings(serve(Imitation(key).app()), "http://127.0.0.1:1", "level")))

    assert (part.standing, part.changes[0].place) == (Standing.FINDING, "list")
    assert "424" in part.changes[0].after


def _down() -> Response:
    return JSONResponse({"error": {"message": f"upstream lost, key was {KEY}"}}, 503)


def test_an_error_of_the_api_itself_speaks_for_the_platform(serve: Serve, key: str) -> None:
    """P-32."""
    part = asyncio.run(call(_settings(serve(Imitation(key, broken=_down).app()), serve(Stock()), "level")))

    assert (part.standing, _answer(part)) == (Standing.FINDING, "api-down")
    assert KEY not in _text(part)


@pytest.mark.usefixtures("key")
def test_the_key_is_never_repeated(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Issue 7, item 3: from the environment only, never logged; the API quotes a wrong one."""
    with caplog.at_level("DEBUG"):
        part = asyncio.run(call(_settings(serve(Imitation("another").app()), serve(Stock()), "level")))

    assert part.standing is Standing.NOT_CHECKED
    assert "Incorrect API key provided: <withheld>." in part.sentence
    assert KEY not in _text(part) + caplog.text


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"key_env": "NO_SUCH_VARIABLE"}, "the environment has no NO_SUCH_VARIABLE"),
        ({"authorization_env": "NO_SUCH_TOKEN"}, "the environment has no NO_SUCH_TOKEN"),
        ({"tool": ""}, "no tool: "),
        ({"server_url": ""}, "no address: "),
        ({"url": "https://api.example.com/v1/responses"}, "127.0.0.1:1 is this machine"),
        ({"url": "http://127.0.0.1:1/v1/responses"}, "the API was not reached: ConnectError"),
    ],
)
def test_what_cannot_be_asked_is_not_checked_with_the_reason(key: str, changed: dict[str, Any], reason: str) -> None:
    """Issue 7, item 3: a canary that is not set up says so."""
    said = {"model": "m", "url": "http://127.0.0.1:1/", "server_url": "http://127.0.0.1:1/mcp", "tool": "level"}
    part = asyncio.run(call(ApiSettings(**{**said, **changed})))

    assert (part.standing, part.sentence[: len(reason)]) == (Standing.NOT_CHECKED, reason)


LISTED = {"type": "mcp_list_tools", "tools": [{"name": "level"}]}


@pytest.mark.parametrize(
    ("status", "content", "standing", "answer"),
    [
        (200, {"output": [LISTED, {"type": "mcp_call", "name": "level", "output": "4"}]}, "holds", "works"),
        (200, {"output": [{**LISTED, "error": {"message": "schema refused"}}]}, "finding", "fails"),
        (200, {"output": [{"type": "mcp_call", "error": "gone", "status": "failed"}]}, "finding", "fails"),
        (200, {"output": [LISTED, {"type": "message"}]}, "not checked", None),
        (200, {"output": [{**LISTED, "tools": []}]}, "not checked", None),
        (200, None, "not checked", None),
        (200, {"output": "text"}, "not checked", None),
        (429, {"error": {"message": "quota"}}, "not checked", None),
        (400, {"error": {"message": "no such model"}}, "not checked", None),
        (500, None, "finding", "api-down"),
        (424, {}, "finding", "fails"),
    ],
)
def test_every_answer_of_the_api_is_read(status: int, content: Any, standing: str, answer: str | None) -> None:
    """Items as openai/openai-openapi has them; what is none of them is not checked rather than guessed at."""
    part = judged(status, content, "level")

    assert (part.standing.value, _answer(part)) == (standing, answer)
