"""How another app's reply may end, and what its client is told: never nothing."""

import json
from typing import Any

import httpx2
import pytest
from starlette.types import Receive, Send

from connector import harden
from tests.hardening.scripts import BEAT, EAGER, EVENT, EVENTS, JSON, PATIENT, Gate, Script, head, part, saying, waiting
from tests.loopback import Serve
from tests.wire import call, headers, messages, post, streaming

CALL = call("look", {})
ONLY_JSON = headers(accept="application/json")


SECRET = "txet eht ni terces a"  # backwards, because a traceback quotes the line that raised


def crashing(*said: Any, gate: Gate | None = None) -> Script:
    async def play(_: Script, __: Receive, send: Send) -> None:
        for message in said:
            await send(message)
        if gate is not None:
            await gate.passed()
        raise LookupError(SECRET[::-1])

    return Script(play)


ERROR = {
    "code": -32603,
    "message": "The server failed before it answered. Whether the call had an effect is not known; look first.",
}


@pytest.mark.parametrize(
    "said", [[], [head()], [head(500, ((b"content-type", b"text/plain"),)), part(b"oh", more=False)]]
)
def test_an_app_that_crashes_at_once_is_answered_for(serve: Serve, said: list[Any]) -> None:
    """Design rule 6 of the incidents: no half responses when a handler crashes."""
    reply = post(serve(harden(crashing(*said), settings=PATIENT)), CALL)

    assert (reply.status_code, reply.headers["content-type"]) == (500, "application/json")
    assert (reply.json()["id"], reply.json()["error"]["code"]) == (1, -32603)
    assert "secret" not in reply.text


@pytest.mark.parametrize(
    ("said", "before"),
    [
        ([], b""),
        ([head()], b""),
        ([head(200, EVENTS)], b""),
        ([head(200, EVENTS), part(b"data: {}\n\n")], b"data: {}\n\n"),
        ([head(200, EVENTS), part(b'data: {}\n\ndata: {"jsonrpc":"2.0","id":1,"res')], b"data: {}\n\n"),
    ],
    ids=["nothing", "a head", "a stream's head", "between events", "inside an event"],
)
def test_an_app_that_crashes_late_ends_the_stream_with_an_error(
    serve: Serve, gate: Gate, caplog: pytest.LogCaptureFixture, said: list[Any], before: bytes
) -> None:
    """Ours: never a silent end, and half an event is not passed off as one."""
    with streaming(serve(harden(crashing(*said, gate=gate), settings=EAGER)), CALL) as (_, chunks):
        first = next(chunks)
        gate.open()
        stream = first + b"".join(chunks)

    assert stream.replace(BEAT, b"").startswith(before)
    assert messages(stream)[-1] == {"jsonrpc": "2.0", "id": 1, "error": ERROR}
    assert "LookupError" in caplog.text
    assert "a secret in the text" not in caplog.text


def test_an_app_that_crashes_late_ends_the_white_space_with_an_error(serve: Serve, gate: Gate) -> None:
    """Ours: never a silent end, for a client of JSON either."""
    with streaming(serve(harden(crashing(gate=gate), settings=EAGER)), CALL, ONLY_JSON) as (_, chunks):
        first = next(chunks)
        gate.open()
        rest = b"".join(chunks)

    assert (first, json.loads(rest)) == (b" ", {"jsonrpc": "2.0", "id": 1, "error": ERROR})


def test_a_reply_that_breaks_off_in_the_middle_is_cut_and_not_ended(serve: Serve) -> None:
    """Ours: a client must not take half a JSON text for a complete reply."""
    app = crashing(head(200, (*JSON, (b"transfer-encoding", b"chunked"))), part(b'{"jsonrpc":'))

    with pytest.raises(httpx2.RemoteProtocolError):
        post(serve(harden(app, settings=PATIENT)), CALL)


@pytest.mark.parametrize(
    "said",
    [[], [head()], [head(200, EVENTS)], [head(200, EVENTS), part(b"", more=False)], [head(200, EVENTS), part(BEAT)]],
    ids=["nothing", "a head", "a stream's head", "an empty stream", "a comment"],
)
def test_an_app_that_ends_without_an_answer_is_answered_for(serve: Serve, said: list[Any]) -> None:
    """Ours: the client is told, and told that the effect is unknown."""
    reply = post(serve(harden(saying(*said), settings=PATIENT)), CALL)
    error = messages(reply.content)[-1] if "event" in reply.headers["content-type"] else reply.json()

    assert error["id"] == 1
    assert error["error"]["message"].startswith("The server ended its reply without an answer.")


def test_an_answer_whose_event_was_not_ended_still_counts(serve: Serve) -> None:
    """WHATWG HTML: a client drops an event without an empty line behind it, so the line is added."""
    app = saying(head(200, EVENTS), part(EVENT.rstrip(), more=False))

    assert post(serve(harden(app, settings=PATIENT)), CALL).content == EVENT.rstrip() + b"\n\n"


def test_an_app_may_hang_up_on_a_stream_that_can_be_resumed(serve: Serve) -> None:
    """2025-11-25, transports, "Sending Messages to the Server": the server may close after an event with an id."""
    priming = b"id: 1\r\ndata: \r\nretry: 100\r\n\r\n"
    app = saying(head(200, EVENTS), part(priming), part(b"", more=False))

    assert post(serve(harden(app, settings=PATIENT)), CALL).content == priming


def test_a_challenge_passes_with_status_and_header(serve: Serve) -> None:
    """MCP, authorization: the 401 and its WWW-Authenticate begin the flow."""
    challenge = (b"www-authenticate", b'Bearer resource_metadata="https://x.example/m"')
    body = b'{"error":"invalid_token"}'
    reply = post(serve(harden(saying(head(401, (*JSON, challenge)), part(body, more=False)), settings=EAGER)), CALL)

    assert (reply.status_code, reply.content) == (401, body)
    assert reply.headers["www-authenticate"] == 'Bearer resource_metadata="https://x.example/m"'


@pytest.mark.parametrize(("status", "code"), [(401, -32600), (404, -32600), (429, -32600), (502, -32603)])
def test_an_error_page_becomes_a_json_rpc_error_of_the_same_status(serve: Serve, status: int, code: int) -> None:
    """Ours: a host that expects JSON reads why; Retry-After and challenges stay."""
    page = ((b"content-type", b"text/html"), (b"retry-after", b"7"))
    reply = post(serve(harden(saying(head(status, page), part(b"<h1>no", more=False)), settings=EAGER)), CALL)

    assert (reply.status_code, reply.headers["retry-after"]) == (status, "7")
    assert reply.json() == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": code, "message": f"The server answered with HTTP status {status}"},
    }


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"why"}}', {"code": -1, "message": "why"}),
        (b'{"error":"x"}', {"code": -32603, "message": "The server answered with HTTP status 503"}),
    ],
    ids=["its own", "a page"],
)
def test_a_late_error_becomes_an_event_with_the_id_of_the_request(
    serve: Serve, gate: Gate, body: bytes, error: dict[str, Any]
) -> None:
    """Ours: on a committed stream a status cannot be sent, and an error without an id finds nobody."""
    app = waiting(gate, [], [head(503), part(body, more=False)])
    with streaming(serve(harden(app, settings=EAGER)), CALL) as (reply, chunks):
        next(chunks)
        gate.open()
        stream = b"".join(chunks)

    assert reply.status_code == 200
    assert messages(stream) == [{"jsonrpc": "2.0", "id": 1, "error": error}]


def test_an_app_that_speaks_of_sessions_but_has_none_keeps_its_word(serve: Serve) -> None:
    """Ours: where no session can be lent, the app's refusal stands."""
    refusal = b'{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"session quota used up"}}'
    app = saying(head(400), part(refusal, more=False))
    reply = post(serve(harden(app, settings=PATIENT)), CALL)

    assert (reply.status_code, reply.content) == (400, refusal)
    assert [json.loads(body)["method"] for body in app.bodies] == ["tools/call", "initialize", "tools/call"]
