"""How a refusal reads: to a model and a person, to a platform, to a proxy."""

import pytest

from connector.errors import BallastError
from connector.http.load.busy import Busy, Scope, refuse


def _busy(scope: Scope = Scope.GLOBAL, retry_after: float = 3.2, most: int = 7) -> Busy:
    return Busy(retry_after=retry_after, scope=scope, most=most)


def test_a_tool_call_is_answered_with_words_that_say_when_to_come_back() -> None:
    """Issue 3, admission: a tool error that says when to come back; nothing but the model reads its text."""
    refusal = refuse(_busy(), id_="call-1", tool="create_invoice")

    assert (refusal.status, refusal.headers) == (200, ())
    assert refusal.body == {
        "jsonrpc": "2.0",
        "id": "call-1",
        "result": {
            "content": [
                {
                    "type": "text",
                    "text": "create_invoice was not started and nothing was changed: this connector is working on 7 "
                    "calls, as many as it takes at once. Call it again, with the same arguments, in 4 seconds. "
                    "If you cannot wait, tell the person to ask again in 4 seconds.",
                }
            ],
            "isError": True,
            "_meta": {"ballast/retryAfterSeconds": 4},
        },
    }


def test_a_result_has_a_type_only_in_revisions_that_know_it() -> None:
    """MCP 2026-07-28, results; older revisions get only their own members."""
    results = [refuse(_busy(), id_=1, tool="t", is_envelope=era).body["result"] for era in (True, False)]

    assert [result.get("resultType") for result in results] == ["complete", None]


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (Scope.PRINCIPAL, 429),
        (Scope.GLOBAL, 503),
        (Scope.TOOL, 503),
        (Scope.STREAMS, 503),
        (Scope.DRAINING, 503),
    ],
)
def test_everything_else_is_an_http_error_with_retry_after(scope: Scope, status: int) -> None:
    """RFC 9110, section 10.2.3; RFC 6585, section 4."""
    refusal = refuse(_busy(scope), id_=5)

    assert (refusal.status, refusal.headers) == (status, ((b"retry-after", b"4"),))
    assert refusal.body["id"] == 5
    assert refusal.body["error"]["data"] == {"retryAfterSeconds": 4, "scope": scope.value}


def test_the_code_is_our_own() -> None:
    """MCP 2026-07-28, error codes: own ones lie outside -32768..-32000."""
    code = refuse(_busy(), id_=None).body["error"]["code"]

    assert code == 1429
    assert not -32768 <= code <= -32000


@pytest.mark.parametrize(("retry_after", "seconds"), [(0.0, 1), (0.2, 1), (1.0, 1), (1.01, 2), (299.5, 300)])
def test_nobody_is_told_to_come_back_sooner_than_in_a_second(retry_after: float, seconds: int) -> None:
    """Retry-After knows whole seconds; rounding down would bring callers back too early."""
    assert _busy(retry_after=retry_after).seconds == seconds


def test_one_second_is_not_seconds() -> None:
    """Ours: people read it."""
    text = refuse(_busy(retry_after=1), id_=1, tool="t").body["result"]["content"][0]["text"]

    assert "in 1 second." in text


def test_a_connector_that_is_going_down_says_so() -> None:
    """Issue 3, shutdown."""
    busy = Busy(retry_after=5, scope=Scope.DRAINING)

    assert isinstance(busy, BallastError)
    assert str(busy) == "This connector is about to restart and takes no new calls. Come back in 5 s"
