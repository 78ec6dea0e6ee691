"""What cannot end before the platform cuts is answered with what there is, and the rest can be had."""

import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from jsonschema import validate
from mcp import Client

from connector import DeclarationError, tool
from connector.http.request.surface import patience_for
from connector.oauth import ResourceServer
from connector.patience import AnswerSettings
from connector.stores.memory import MemoryStore
from tests import wire
from tests.loopback import Serve, served
from tests.oauth.identity import IdentityProvider
from tests.oauth.notes import bearer
from tests.once.ledger import CutShort
from tests.partial.ten_minutes import PIECES, story
from tests.partial.works import CHAT, SOON, Plain, Works, ask, rest, state_of, texts

GONE = "There is no such operation here"


def test_a_tool_of_ten_minutes_reaches_a_host_that_cuts_after_two() -> None:
    """Issue 8, on a clock 100 times as fast: nothing is cut, nothing is lost, nothing is begun twice."""
    *_, told = story(100.0, margin=60.0)

    assert (told.cut, told.begun) == (0, 1)
    assert told.statuses[-1] == "done"
    assert set(told.statuses[:-1]) == {"running"}
    assert told.lines == [f"Ulm, house {house}: looked at" for house in range(1, PIECES + 1)]


@pytest.mark.parametrize(
    ("agent", "seconds"),
    [
        ("openai-mcp/1.0.0 (ChatGPT)", 114.8),
        ("openai-mcp/1.0.0 (Codex)", 114.8),
        ("openai-mcp/1.0.0", 114.8),
        ("openai-mcp/1.0.0 (Responses API)", 54.76),
        ("openai-mcp/1.0.0 (something new)", 54.76),
        ("Claude-User", 145.0),
        ("curl/8.0", 55.0),
        (None, 55.0),
    ],
)
def test_an_answer_goes_out_five_seconds_before_the_surface_cuts(agent: str | None, seconds: float) -> None:
    """facts on the wire, section 1.6: 119.8 s in ChatGPT, 59.8 s in the Responses API, 150 s in Claude."""
    assert patience_for(AnswerSettings(), agent) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("settings", "agent", "seconds"),
    [
        (AnswerSettings(limits={"chatgpt": 30.0}), "openai-mcp/1.0.0", 25.0),
        (AnswerSettings(limits={"other": 600.0}, margin=10.0), "curl/8.0", 590.0),
        (AnswerSettings(otherwise=20.0), "curl/8.0", 15.0),
        (AnswerSettings(otherwise=6.0), "curl/8.0", 3.0),
    ],
    ids=["a surface", "the others", "who is not known", "a limit shorter than two margins"],
)
def test_limits_can_be_set(settings: AnswerSettings, agent: str, seconds: float) -> None:
    """Ours: a proxy in front may cut earlier than the platform."""
    assert patience_for(settings, agent) == pytest.approx(seconds)


@pytest.mark.parametrize("name", ["read", "write"])
def test_what_is_new_comes_with_every_answer_and_the_result_at_the_end(serve: Serve, name: str) -> None:
    """Issue 8 item 2."""
    works = Works()
    url = serve(works)
    schemas: dict[str, Any] = {each["name"]: each.get("outputSchema") for each in listed(url)}

    first = ask(url, name, {"what": "tea"})
    second = rest(url, first)
    works.may_end.set()
    last = rest(url, second)

    given = {"read": (["tea 1", "tea 2"], ["tea 3"]), "write": (["began tea"], ['{"written":1}'])}[name]
    assert first["structuredContent"]["status"] == "running"
    assert "still running" in texts(first)[0]
    assert texts(first)[1:] == given[0]
    assert "Nothing is new" in texts(second)[0]
    assert texts(second)[1:] == []
    assert texts(last) == given[1]
    assert (
        last["structuredContent"]["result"]
        == {
            "read": {"result": ["tea 1", "tea 2", "tea 3"]},
            "write": {"written": 1},
        }[name]
    )
    assert works.begun == ["tea"]
    for answer, schema in ((first, name), (second, "continue_operation"), (last, "continue_operation")):
        validate(answer["structuredContent"], schemas[schema])


def test_every_question_for_the_rest_is_a_new_one(serve: Serve) -> None:
    """facts on the wire, section 2.6: ChatGPT suppresses a call that repeats another, so a model could not wait."""
    works = Works()
    url = serve(works)

    answers = [ask(url, "read", {"what": "tea"})]
    for _ in range(2):
        answers.append(rest(url, answers[-1]))
    works.may_end.set()

    assert len({state_of(answer)["operation_id"] for answer in answers}) == 1
    assert len({state_of(answer)["after"] for answer in answers}) == 3


@pytest.mark.parametrize(("name", "is_error"), [("read", False), ("write", False), ("plain_write", True)])
def test_an_equal_call_joins_what_goes_on(serve: Serve, name: str, is_error: bool) -> None:
    """CT-05b, incident D-02: past the deadline, twice with equal arguments: one execution, one operation."""
    works = Works()
    url = serve(works)

    first, second = (ask(url, name, {"what": "tea"}) for _ in range(2))
    works.may_end.set()
    last = rest(url, second)

    assert works.begun == ["tea"]
    assert state_of(first)["operation_id"] == state_of(second)["operation_id"]
    assert (first["isError"], second["isError"]) == (is_error, is_error)
    assert ("structuredContent" in first) is not is_error
    assert last["structuredContent"]["status"] == "done"


def test_what_took_its_guard_off_joins_nothing_and_goes_on_all_the_same(serve: Serve) -> None:
    """Ours: `guard=False` says that two equal calls are two."""
    works = Works()
    url = serve(works)

    first, second = (ask(url, "write_often", {"what": "tea"}) for _ in range(2))
    works.may_end.set()

    assert works.begun == ["tea", "tea"]
    assert state_of(first)["operation_id"] != state_of(second)["operation_id"]
    assert rest(url, first)["structuredContent"]["result"] == {"result": 2}


def test_the_sdks_client_takes_every_answer(serve: Serve) -> None:
    """Incident P-39: hosts validate structured content against the schema that was listed."""
    works = Works(answer=AnswerSettings(otherwise=1.0, margin=0.4))
    url = serve(works)

    async def both() -> list[Any]:
        async with Client(f"{url}/mcp") as client:
            await client.list_tools()
            first = await client.call_tool("write", {"what": "tea"})
            works.may_end.set()
            state = (first.meta or {})["ballast/operation"]
            last = await client.call_tool(
                "continue_operation", {"operation_id": state["operation_id"], "after": state["after"]}
            )
        return [first.structured_content, last.structured_content]

    first, last = anyio.run(both)
    assert first["status"] == "running"
    assert last["result"] == {"written": 1}


def test_continue_operation_is_listed_where_a_tool_can_use_it(serve: Serve) -> None:
    """Issue 8 item 2: hidden when nothing can use it; platforms keep a snapshot of the list."""
    assert [each["name"] for each in listed(serve(Plain(store="memory:")))] == ["add"]

    shown = {each["name"]: each for each in listed(serve(Works()))}
    assert shown["continue_operation"]["annotations"] == {
        "readOnlyHint": True,
        "destructiveHint": False,
        "idempotentHint": True,
        "openWorldHint": False,
    }
    assert "anyOf" in shown["read"]["outputSchema"]
    assert "anyOf" not in shown["plain_write"]["outputSchema"]


@pytest.mark.parametrize(
    "other",
    [
        {"openai__session": "v1/chat-two"},
        {"openai__subject": "v1/berta"},
        {"openai__session": None},
    ],
    ids=["another conversation", "another user", "no conversation"],
)
def test_an_operation_is_nobody_elses(serve: Serve, other: dict[str, Any]) -> None:
    """Issue 8: only the same principal and conversation may use a handle."""
    works = Works()
    url = serve(works)
    first = ask(url, "write", {"what": "tea"})

    refused = rest(url, first, **other)
    works.may_end.set()

    assert refused["isError"] is True
    assert GONE in texts(refused)[0]
    assert rest(url, first)["structuredContent"]["status"] == "done"


def test_what_a_user_may_no_longer_do_cannot_be_continued(serve: Serve) -> None:
    """Issue 8: authorization is checked again. The same user, the same conversation, a token that allows less."""

    class Guarded(Works):
        name = "notes"

        @tool(read_only=True, partial=True, scopes=["notes.read"])
        async def look(self) -> str:
            """Look."""
            await self._work()
            return "seen"

    provider = IdentityProvider()
    provider.issuer = serve(provider.app)
    works = Guarded(auth=ResourceServer(issuers=[provider.issuer]), public_url="https://notes.example.com")
    url = serve(works)
    more, less = (bearer(provider.token(scope=scope)) for scope in ("notes.read", "other"))
    first = ask(url, "look", headers=more)
    works.may_end.set()

    refused, last = rest(url, first, headers=less), rest(url, first, headers=more)
    another = rest(url, first, headers=bearer(provider.token(sub="berta")))

    assert refused["isError"] is True
    assert "notes.read" in texts(refused)[0]
    assert last["structuredContent"]["result"] == {"result": "seen"}
    assert GONE in texts(another)[0]


@pytest.mark.parametrize("after", ["", "nonsense", "1.0.0.0", "9.9.9.9"])
def test_whoever_lost_its_place_reads_from_the_start(serve: Serve, after: str) -> None:
    """Ours: a model may leave the cursor out, or make one up."""
    works = Works()
    url = serve(works)
    id_ = state_of(ask(url, "read", {"what": "tea"}))["operation_id"]

    again = ask(url, "continue_operation", {"operation_id": id_, "after": after})
    works.may_end.set()

    assert texts(again)[1:] == ["tea 1", "tea 2"]


def test_an_operation_expires(serve: Serve) -> None:
    """Issue 8: and expires."""

    class Clock:
        now = 1_700_000_000.0

        def __call__(self) -> float:
            return self.now

    clock = Clock()
    works = Works(store=MemoryStore(clock=clock))
    url = serve(works)
    first = ask(url, "write", {"what": "tea"})
    works.may_end.set()
    assert rest(url, first)["structuredContent"]["status"] == "done"
    clock.now += 3601

    assert GONE in texts(rest(url, first))[0]


def test_a_read_that_nobody_can_ask_about_is_stopped_in_time(serve: Serve) -> None:
    """Issue 8 item 1: the model is told in words before the platform says 504, with what there was."""
    works = Works()

    result = ask(serve(works), "plain_read")

    assert result["isError"] is True
    assert "longer than can be waited for" in texts(result)[0]
    assert texts(result)[1:] == ["half of it"]
    assert works.stopped.wait(10)


def test_a_failure_shows_what_there_was(serve: Serve) -> None:
    """Issue 8: lost partial output is a named cause; a crash still gives nothing away."""
    result = ask(serve(Works()), "fail")

    assert result["isError"] is True
    assert texts(result)[1:] == ["the first half"]
    assert "secret" not in str(result)


def test_a_long_read_goes_on_only_where_somebody_can_ask_for_it(serve: Serve) -> None:
    """DESIGN section 4: a read whose client goes away is cancelled, unless its answer can still be had."""
    works = Works(answer=AnswerSettings(limits={"chatgpt": 20.0}))
    url = serve(works)
    client = CutShort(url, wire.call("read", {"what": "tea"}, meta=CHAT))
    with wire.streaming(url, wire.call("read", {"what": "coffee"}, meta=CHAT)) as (_, chunks):
        next(chunks)
        until(lambda: "tea" in works.begun)
        client.hang_up()
        assert works.stopped.wait(10)  # the other one goes on
        works.may_end.set()
        last = wire.messages(b"".join(chunks))[-1]["result"]

    assert last["structuredContent"] == {"result": ["coffee 1", "coffee 2", "coffee 3"]}


def test_who_says_how_long_it_waits_is_believed(serve: Serve) -> None:
    """Ours: no platform says it, but a client of one's own can."""
    works = Works(answer=AnswerSettings(margin=0.1))
    url = serve(works)

    first = ask(url, "read", {"what": "tea"}, ballast__timeout=0.5)
    works.may_end.set()

    assert first["structuredContent"]["status"] == "running"


def test_nobody_in_particular_gets_its_rest_by_the_name_of_the_operation(serve: Serve) -> None:
    """Ours: without a user and a conversation nothing is joined, and the unguessable name is all there is."""
    works, nobody = Works(), {"openai__session": None, "openai__subject": None}
    url = serve(works)
    first = ask(url, "write", {"what": "tea"}, **nobody)
    second = ask(url, "write", {"what": "tea"}, **nobody)
    works.may_end.set()

    assert works.begun == ["tea", "tea"]
    assert state_of(first)["operation_id"] != state_of(second)["operation_id"]
    assert rest(url, first, **nobody)["structuredContent"]["status"] == "done"


def test_a_write_that_nobody_asked_for_by_name_is_answered_all_the_same(serve: Serve) -> None:
    """Ours: it cannot be fetched later, so the model is told to look."""
    works = Works()
    url = serve(works)

    result = ask(url, "plain_write", {"what": "tea"}, openai__session=None, openai__subject=None)
    works.may_end.set()

    assert result["isError"] is True
    assert "it goes on" in texts(result)[0]


def test_the_name_of_our_own_tool_is_taken() -> None:
    """Ours."""

    class Own(Works):
        @tool
        def continue_operation(self) -> str:
            return ""

    with pytest.raises(DeclarationError, match="rename yours"):
        Own()


def until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    for _ in range(1000):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError("it was not so in ten seconds")


def listed(url: str) -> list[dict[str, Any]]:
    """The tools as a host sees them."""
    tools: list[dict[str, Any]] = wire.post(url, wire.request("tools/list")).json()["result"]["tools"]
    return tools


def test_times_are_known_to_the_tool(serve: Serve) -> None:
    """Issue 8 item 1: a write without a deadline is never stopped; its answer goes out in less than 20 s."""
    works = Works(answer=AnswerSettings(limits={"chatgpt": 20.0}))
    assert ask(serve(works), "times")["structuredContent"] == {"result": [True, True]}


def test_reads_that_go_on_are_bounded() -> None:
    """Ours: a host that asks and never comes back must not fill the process."""
    works = Works(answer=AnswerSettings(limits={"chatgpt": 1.0}, margin=0.4, at_once=1))
    with served(works.app()) as url:
        first, second = (ask(url, "read", {"what": what}) for what in ("tea", "coffee"))
        works.may_end.set()

    assert state_of(first)["status"] == "running"
    assert second["isError"] is True
    assert "too many" in texts(second)[0]
    assert SOON.at_once == 100
