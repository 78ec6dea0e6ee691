"""Keys that somebody named, what is kept of an answer, and what is not."""

from typing import Any

import pytest

from connector import Connector, DeclarationError, Guard, Settings, StoreSettings, tool
from tests import wire
from tests.loopback import Serve, served
from tests.once.ledger import CHAT, Ledger, ask, mark_of, meta, text_of

NOBODY = {"openai__session": None, "openai__subject": None}


@pytest.fixture
def ledger() -> Ledger:
    """One in which no second of grace hides what a key does."""
    return Ledger(store="memory:", settings=Settings(store=StoreSettings(grace=0.0)))


@pytest.mark.parametrize("place", ["_meta", "params", "argument"])
def test_a_named_wish_is_done_once_however_often_its_answer_arrived(serve: Serve, ledger: Ledger, place: str) -> None:
    """DESIGN section 5, the ladder's first rung."""
    url = serve(ledger)
    body = wire.call("pay", {"amount": 5}, meta=meta())
    if place == "_meta":
        body["params"]["_meta"]["ballast/idempotencyKey"] = "order-1"
    elif place == "params":
        body["params"]["idempotencyKey"] = "order-1"
    else:
        body["params"]["arguments"]["reference"] = "order-1"

    results = [wire.post(url, body | {"id": id_}).json()["result"] for id_ in range(4)]

    assert ledger.done == ["paid 5"]
    assert [mark_of(result) for result in results] == [None, "replayed", "replayed", "replayed"]
    assert [result["structuredContent"] for result in results] == [{"amount": 5, "payments": 1}] * 4


def test_other_arguments_under_the_same_key_are_refused(serve: Serve, ledger: Ledger) -> None:
    """facts/idempotency-and-stores.md: a key that was used with other arguments silently gave the old result."""
    url = serve(ledger)
    named = {"ballast__idempotencyKey": "order-1"}

    ask(url, "pay", {"amount": 5}, **named)
    refused = ask(url, "pay", {"amount": 6}, **named)
    again = ask(url, "pay", {"amount": 5}, **named)

    assert ledger.done == ["paid 5"]
    assert refused["isError"] is True
    assert "used before for a call with other arguments" in text_of(refused)
    assert mark_of(refused) == "mismatch"
    assert again["structuredContent"] == {"amount": 5, "payments": 1}


def test_a_new_key_is_a_new_wish(serve: Serve, ledger: Ledger) -> None:
    """Ours: equal arguments under two keys are two wishes, in the same second."""
    url = serve(ledger)

    for key in ("order-1", "order-2"):
        ask(url, "pay", {"amount": 5}, ballast__idempotencyKey=key)

    assert ledger.done == ["paid 5", "paid 5"]


def test_one_key_under_two_tools_names_two_wishes(serve: Serve, ledger: Ledger) -> None:
    """Issue 4: calls of different tools never merge."""
    url = serve(ledger)
    named = {"ballast__idempotencyKey": "order-1"}

    ask(url, "pay", {"amount": 5}, **named)
    ask(url, "note", {"text": "tea"}, **named)

    assert ledger.done == ["paid 5", "tea"]


@pytest.mark.parametrize("who", [{"openai__subject": "v1/berta"}, {"openai__session": "v1/chat-two"}])
def test_one_key_of_two_people_names_two_wishes(serve: Serve, ledger: Ledger, who: dict[str, Any]) -> None:
    """Issue 4: no reply crosses users. Where nobody is logged in, what the host says tells them apart."""
    url = serve(ledger)

    ask(url, "pay", {"amount": 5}, ballast__idempotencyKey="order-1")
    ask(url, "pay", {"amount": 5}, ballast__idempotencyKey="order-1", **who)

    assert len(ledger.done) == 2


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("k" * 256, "has 256 characters, and at most 255"),
        (7, "must be a text, not int"),
        (["a"], "must be a text, not list"),
        ({}, "must be a text, not dict"),
        (True, "must be a text, not bool"),
    ],
)
@pytest.mark.parametrize("place", ["_meta", "params"])
def test_a_key_that_cannot_be_one_is_refused_and_nothing_is_done(
    serve: Serve, ledger: Ledger, place: str, key: Any, said: str
) -> None:
    """Issue 4, bad input."""
    url = serve(ledger)
    body = wire.call("pay", {"amount": 5}, meta=meta())
    (body["params"]["_meta"] if place == "_meta" else body["params"])[
        "ballast/idempotencyKey" if place == "_meta" else "idempotencyKey"
    ] = key

    result = wire.post(url, body).json()["result"]

    assert result["isError"] is True
    assert said in text_of(result)
    assert ledger.done == []
    assert "payments" in ask(url, "pay", {"amount": 5})["structuredContent"]


def test_a_null_key_is_no_key(serve: Serve, ledger: Ledger) -> None:
    """CT-09: explicit nulls for optional members."""
    url = serve(ledger)
    body = wire.call("pay", {"amount": 5, "reference": None}, meta={**CHAT, "ballast/idempotencyKey": None})
    body["params"]["idempotencyKey"] = None

    assert wire.post(url, body).json()["result"]["structuredContent"] == {"amount": 5, "payments": 1}


def test_a_failure_is_an_answer_like_any_other(serve: Serve, ledger: Ledger) -> None:
    """Stripe's rule for its keys; a tool can say otherwise."""
    url = serve(ledger)
    named = {"ballast__idempotencyKey": "order-1"}

    results = [ask(url, "refuse", {"text": "tea"}, **named) for _ in range(2)]

    assert [text_of(result) for result in results] == ["try number 1 failed"] * 2
    assert [result["isError"] for result in results] == [True, True]


def test_a_failure_that_changed_nothing_is_tried_again(serve: Serve, ledger: Ledger) -> None:
    """Issue 4: a tool declares its failure finality."""
    url = serve(ledger)
    named = {"ballast__idempotencyKey": "order-1"}

    results = [ask(url, "refuse_again", {"text": "tea"}, **named) for _ in range(2)]

    assert [text_of(result) for result in results] == ["try number 1 failed", "try number 2 failed"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lose", "the bank did not answer; look into the account"),
        ("late", "took longer than the 0.05 s"),
        ("crash", "crash failed unexpectedly"),
        ("odd", "was completed, but its result cannot be put into JSON"),
    ],
)
def test_what_may_have_been_done_is_not_done_again(serve: Serve, ledger: Ledger, name: str, said: str) -> None:
    """Incident D-02: a timeout read as failure led to duplicate jobs."""
    url = serve(ledger)
    named = {"ballast__idempotencyKey": "order-1"}

    results = [ask(url, name, {"text": "tea"}, **named) for _ in range(2)]

    assert ledger.done == ["tea"]
    assert all(said in text_of(result) for result in results)
    assert all(result["isError"] for result in results)


def test_arguments_that_do_not_fit_leave_no_trace(serve: Serve, ledger: Ledger) -> None:
    """Issue 4: validation failures are not stored, so the corrected call may use the key."""
    url = serve(ledger)
    named = {"ballast__idempotencyKey": "order-1"}

    wrong = ask(url, "pay", {"amount": "much"}, **named)
    right = ask(url, "pay", {"amount": 5}, **named)

    assert wrong["isError"] is True
    assert "amount" in text_of(wrong)
    assert "much" not in text_of(wrong)
    assert right["structuredContent"] == {"amount": 5, "payments": 1}


def test_a_result_that_is_too_large_to_keep_is_said_to_be_done(serve: Serve) -> None:
    """facts/idempotency-and-stores.md section 3: a digest, and 'completed, result not retained'."""
    ledger = Ledger(store="memory:", settings=Settings(store=StoreSettings(largest=1000)))
    url = serve(ledger)
    named = {"ballast__idempotencyKey": "order-1"}

    first, second = ask(url, "large", {"size": 2000}, **named), ask(url, "large", {"size": 2000}, **named)

    assert text_of(first) == "x" * 2000
    assert "was completed at" in text_of(second)
    assert "too large to be kept" in text_of(second)
    assert ledger.done == ["large"]


def test_the_tool_learns_its_key_and_its_attempt() -> None:
    """Issue 4: `call.key` and `call.attempt`. The key is the same for a wish, and another for the next."""
    ledger = Ledger(store="memory:")
    ledger.may_end.set()

    with served(ledger.app()) as url:
        for arguments in ({"text": "tea"}, {"text": "coffee"}):
            ask(url, "slowly", arguments)
        ask(url, "slowly", {"text": "tea"}, **NOBODY)

    (first, one), (second, two), (third, none) = ledger.tries
    assert (first, second, third) == (1, 1, 1)
    assert one is not None
    assert two is not None
    assert one != two
    assert len(one) >= 32
    assert none is None


def test_what_a_tool_writes_is_declared_idempotent_only_where_every_call_names_its_wish() -> None:
    """Issue 4 item 5; facts: Claude Code replays a call once where `idempotentHint` is set."""

    class Shop(Connector):
        name = "shop"

        @tool
        def order(self, what: str) -> str:
            """Order it."""
            return what

        @tool(guard=Guard(key="number"))
        def invoice(self, number: str) -> str:
            """Write the invoice."""
            return number

        @tool(guard=Guard(key="number"))
        def remind(self, what: str, number: str | None = None) -> str:
            """Send a reminder."""
            return what

        @tool(idempotent=True)
        def cancel(self, what: str) -> str:
            """Cancel it."""
            return what

    with served(Shop(store="memory:").app()) as url:
        tools = wire.post(url, wire.request("tools/list")).json()["result"]["tools"]

    hints = {each["name"]: each["annotations"]["idempotentHint"] for each in tools}
    assert hints == {"order": False, "invoice": True, "remind": False, "cancel": True}


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: tool(read_only=True, guard=Guard()), "contradict each other"),
        (lambda: Guard(window=0), "window=0"),
        (lambda: Guard(retry_window=float("inf")), "retry_window=inf"),
        (lambda: Guard(failures="sometimes"), "failures='sometimes'"),  # type: ignore[arg-type]
        (lambda: Guard(after_crash="pray"), "after_crash='pray'"),  # type: ignore[arg-type]
        (lambda: Guard(without_store="wait"), "without_store='wait'"),  # type: ignore[arg-type]
        (lambda: StoreSettings(secrets=("short",)), "can be guessed"),
        (lambda: StoreSettings(sealed=True), "set BALLAST_SECRET"),
        (lambda: StoreSettings(lease=0), "lease=0"),
    ],
)
def test_a_guard_that_cannot_be_meant_is_refused_before_anything_starts(declare: Any, said: str) -> None:
    """Issue 4, bad input."""
    with pytest.raises(DeclarationError, match=said):
        declare()


def test_a_guard_that_names_no_parameter_is_refused() -> None:
    """Issue 4, bad input: declarations that contradict each other."""

    class Shop(Connector):
        name = "shop"

        @tool(guard=Guard(key="refrence"))
        def pay(self, reference: str) -> str:
            """Pay."""
            return reference

    with pytest.raises(
        DeclarationError, match=r"Guard\(key='refrence'\) names no parameter of it \(there are: reference"
    ):
        Shop(store="memory:")
