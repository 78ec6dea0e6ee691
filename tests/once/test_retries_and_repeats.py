"""One wish is done once, and two wishes are done twice, as seen from the other end of a socket."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from anyio import to_thread

from connector import Connector, Settings, StoreSettings, StreamSettings
from connector.stores.memory import MemoryStore
from connector.stores.port import Claim, Claimed
from tests import wire
from tests.loopback import Serve, served
from tests.once.ledger import CutShort, Ledger, ask, in_thread, mark_of, meta, result_in, text_of


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(store="memory:", settings=Settings(stream=StreamSettings(first_byte=0.05)))


def cut(ledger: Ledger, url: str, arguments: Mapping[str, Any], **more: Any) -> None:
    """Begin a call of `slowly`, hang up while it runs, and let it end."""
    client = CutShort(url, wire.call("slowly", dict(arguments), meta=meta(**more)))
    assert ledger.begun.acquire(timeout=10)
    client.hang_up()


def settled(ledger: Ledger, count: int) -> None:
    """Wait until so much was done."""
    ready = threading.Event()
    for _ in range(1000):
        if len(ledger.done) >= count:
            return
        ready.wait(0.01)
    raise AssertionError(f"{ledger.done} after ten seconds")


def test_a_retry_after_a_cut_joins_the_call_that_goes_on(serve: Serve, ledger: Ledger) -> None:
    """CT-05, incident D-05: TCP cut after the body was accepted, then the same call under a new id."""
    url = serve(ledger)
    cut(ledger, url, {"text": "tea"})
    with wire.streaming(url, wire.call("slowly", {"text": "tea"}, id_=2, meta=meta())) as (_, chunks):
        first = next(chunks)  # it waits
        ledger.may_end.set()
        result = wire.messages(first + b"".join(chunks))[-1]["result"]

    assert ledger.done == ["tea"]
    assert text_of(result) == "tea is number 1"
    assert mark_of(result) == "joined"


class HeldBack(MemoryStore):
    """A store whose first claim takes until the test lets it through."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.through, self.let_go = threading.Event(), threading.Event(), threading.Event()

    async def claim(self, claim: Claim) -> Claimed:
        if not self.asked.is_set():
            self.asked.set()
            await to_thread.run_sync(self.through.wait)
        return await super().claim(claim)

    async def release(self, key: str, *, epoch: int, holder: str) -> bool:
        released = await super().release(key, epoch=epoch, holder=holder)
        self.let_go.set()
        return released


def test_a_call_whose_client_left_before_it_was_begun_is_not_begun(serve: Serve) -> None:
    """A frozen worker wakes up with a request that a proxy has long sent to another one: `make chaos`, seed 8."""
    store = HeldBack()
    ledger = Ledger(store=store)
    url = serve(ledger)

    client = CutShort(url, wire.call("note", {"text": "tea"}, meta=meta()))
    assert store.asked.wait(10)
    client.is_let_go()
    store.through.set()

    assert store.let_go.wait(10)
    assert ledger.done == []
    assert mark_of(ask(url, "note", {"text": "tea"})) is None
    assert ledger.done == ["tea"]


def test_who_waited_for_a_call_that_was_not_begun_has_it_run(serve: Serve) -> None:
    """The same, with a retry that came while the first was held back."""
    store = HeldBack()
    ledger = Ledger(store=store)
    url = serve(ledger)

    client = CutShort(url, wire.call("note", {"text": "tea"}, meta=meta()))
    assert store.asked.wait(10)
    thread, results = in_thread(lambda: ask(url, "note", {"text": "tea"}, id_=2))
    client.is_let_go()
    store.through.set()
    thread.join(20)

    assert [text_of(result) for result in results] == ["tea is number 1"]
    assert ledger.done == ["tea"]


def test_a_retry_after_the_end_gets_the_answer_that_did_not_arrive(serve: Serve, ledger: Ledger) -> None:
    """CT-05, incident D-02: the client gave up, the work went on."""
    url = serve(ledger)
    cut(ledger, url, {"text": "tea"})
    ledger.may_end.set()
    settled(ledger, 1)

    result = ask(url, "slowly", {"text": "tea"}, id_="another")

    assert ledger.done == ["tea"]
    assert text_of(result) == "tea is number 1"
    assert mark_of(result) in {"replayed", "joined"}


def test_a_replay_tells_the_model_that_nothing_was_done_again(serve: Serve, ledger: Ledger) -> None:
    """facts/idempotency-and-stores.md section 4: an implicit replay is said in words."""
    url = serve(ledger)
    cut(ledger, url, {"text": "tea"})
    ledger.may_end.set()
    settled(ledger, 1)
    ask(url, "slowly", {"text": "tea"})  # joined, maybe; the next one within the second of grace is a replay

    note = ask(url, "slowly", {"text": "tea"})["content"][-1]["text"]

    assert "was not done a second time" in note
    assert "make the call again" in note


def test_calls_dispatched_twice_at_once_are_one(serve: Serve, ledger: Ledger) -> None:
    """CT-04, incidents D-01 and P-04: two clients, two revisions, other ids, the same call of one conversation."""
    url = serve(ledger)
    old, one = in_thread(lambda: ask(url, "slowly", {"text": "tea"}, id_=7))
    assert ledger.begun.acquire(timeout=10)
    said, body = wire.modern("tools/call", {"name": "slowly", "arguments": {"text": "tea"}, "_meta": meta()}, id_="b")
    new, two = in_thread(lambda: wire.post(url, body, said))
    ledger.may_end.set()
    old.join(20)
    new.join(20)

    assert ledger.done == ["tea"]
    assert text_of(one[0]) == text_of(result_in(two[0])) == "tea is number 1"


def test_a_double_dispatch_right_after_the_answer_is_one(serve: Serve, ledger: Ledger) -> None:
    """CT-04 after completion; incident D-01: two dispatches 2 to 4 ms apart."""
    url = serve(ledger)

    first, second = ask(url, "note", {"text": "tea"}), ask(url, "note", {"text": "tea"}, id_=2)

    assert ledger.done == ["tea"]
    assert (mark_of(first), mark_of(second)) == (None, "replayed")


def test_a_deliberate_repeat_runs_again() -> None:
    """DESIGN section 5: a person who repeats has seen an answer."""
    ledger = Ledger(store="memory:", settings=Settings(store=StoreSettings(grace=0.0)))

    with served(ledger.app()) as url:
        first = ask(url, "note", {"text": "tea"})
        for _ in range(200):  # the note that the answer arrived is written behind it
            second = ask(url, "note", {"text": "tea"})
            if mark_of(second) is None:
                break

    assert text_of(first) == "tea is number 1"
    assert text_of(second) == "tea is number 2"


@pytest.mark.parametrize(
    "other",
    [
        {"meta": {"openai__session": "v1/chat-two"}},
        {"meta": {"openai__subject": "v1/berta"}},
        {"arguments": {"text": "coffee"}},
        {"arguments": {"text": "tea", "times": 2}},
        {"tool": "unguarded"},
    ],
    ids=["another conversation", "another user", "other arguments", "another default", "another tool"],
)
def test_different_wishes_never_merge(serve: Serve, ledger: Ledger, other: dict[str, Any]) -> None:
    """Issue 4: calls of different users, conversations, tools or arguments."""
    url = serve(ledger)

    ask(url, "note", {"text": "tea"})
    second = ask(url, other.get("tool", "note"), other.get("arguments", {"text": "tea"}), **other.get("meta", {}))

    assert len(ledger.done) == 2
    assert mark_of(second) is None


def test_arguments_are_compared_as_the_tool_sees_them(serve: Serve, ledger: Ledger) -> None:
    """Ours: a default that is spelled out, and members in another order, are the same wish."""
    url = serve(ledger)

    ask(url, "note", {"text": "tea"})
    ask(url, "note", {"times": 1, "text": "tea"})

    assert ledger.done == ["tea"]


def test_nobody_in_particular_is_not_guarded(serve: Serve, ledger: Ledger) -> None:
    """Ours: without a user and a conversation two people cannot be told apart, so their calls are not merged."""
    url = serve(ledger)

    for _ in range(2):
        ask(url, "note", {"text": "tea"}, openai__session=None, openai__subject=None)

    assert ledger.done == ["tea", "tea"]


def test_an_mcp_session_is_a_conversation(serve: Serve, ledger: Ledger) -> None:
    """DESIGN section 5: `openai/session`, or the MCP session."""
    url = serve(ledger)
    said = wire.headers(Mcp_Session_Id="a-session-of-before")

    replies = [wire.post(url, wire.call("note", {"text": "tea"}, id_=id_), said).json() for id_ in (1, 2)]

    assert ledger.done == ["tea"]
    assert mark_of(replies[1]["result"]) == "replayed"


@pytest.mark.parametrize("tool", ["unguarded", "count"])
def test_what_has_no_guard_runs_as_often_as_it_is_called(serve: Serve, ledger: Ledger, tool: str) -> None:
    """Issue 4: only writes are guarded, and a tool can switch it off."""
    url = serve(ledger)
    arguments = {"text": "tea"} if tool == "unguarded" else {}

    for _ in range(2):
        ask(url, tool, arguments)

    assert len(ledger.done) == 2


def test_json_rpc_ids_play_no_part(serve: Serve, ledger: Ledger) -> None:
    """MCP 2026-07-28: the id must change on a retry, and restarts with each connection."""
    url = serve(ledger)

    ask(url, "note", {"text": "tea"}, id_=5)
    ask(url, "note", {"text": "coffee"}, id_=5)

    assert ledger.done == ["tea", "coffee"]


def test_a_tool_of_the_sdk_is_guarded_by_its_annotations(serve: Serve) -> None:
    """DESIGN section 2: `.tool()` of the SDK keeps working, and a write is a write."""
    plain, done = Connector(name="plain", store="memory:"), []

    @plain.tool()
    def send(text: str) -> str:
        """Send it."""
        done.append(text)
        return text

    url = serve(plain)
    for _ in range(2):
        ask(url, "send", {"text": "tea"})

    assert done == ["tea"]
