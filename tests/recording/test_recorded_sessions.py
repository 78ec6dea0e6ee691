"""What a recording is good for: played against the same connector it holds, against a broken one it breaks."""

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import anyio
import httpx2

from contract_tests import Recorder, Run, load_sessions
from tests.loopback import served
from tests.recording.recorded import Told, proxied, replayed, written
from tests.recording.traffic import EAGER, QUERY, SECRETS, Archive, chatgpt
from tests.wire import headers, request


def broken() -> Any:
    """The connector behind something that answers every list of tools with another shape."""
    app = Archive(settings=EAGER).app()

    async def changed(scope: Any, receive: Any, send: Any) -> None:
        pieces: list[bytes] = []
        start: dict[str, Any] = {}

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            pieces.append(message.get("body", b""))
            if not message.get("more_body"):
                body = b"".join(pieces).replace(b'"tools":[', b'"tool_list":[')
                head = [pair for pair in start["headers"] if pair[0] != b"content-length"]
                await send({**start, "headers": head})
                await send({"type": "http.response.body", "body": body})

        await app(scope, receive, sending if scope["type"] == "http" else send)

    return changed


def verdicts(run: Run) -> list[str]:
    return [session.verdict.value for session in run.sessions]


def recorded(out: Path, *allowed: str) -> None:
    """Traffic of ChatGPT through a proxy."""
    with served(Archive(settings=EAGER).app()) as origin, proxied(origin, out, *allowed) as url:
        assert chatgpt(f"{url}/mcp") == [200, 200, 200]


def test_what_was_recorded_holds_against_the_same_connector(tmp_path: Path) -> None:
    """Issue 6, item 5: sessions that `mcp-ballast test` can replay."""
    recorded(tmp_path)

    run = replayed(tmp_path, Archive(settings=EAGER))

    assert verdicts(run) == ["passed"], run.findings
    assert [step.name for step in run.sessions[0].steps] == ["discover", "tools-list", "call-search"]
    assert run.sessions[0].provenance == "observed"
    assert (run.sessions[0].expires - run.sessions[0].seen).days == 90


def test_what_was_recorded_breaks_where_the_shape_is_another(tmp_path: Path) -> None:
    """Issue 6, item 5: the shape of an answer is the expectation."""
    recorded(tmp_path)

    run = replayed(tmp_path, broken())

    assert verdicts(run) == ["failed"]
    (finding,) = run.findings
    assert (finding.step, finding.where) == ("tools-list", "result")
    assert "'tools' is a required property" in finding.actual


def test_a_recording_holds_no_secret_and_keeps_who_is_who(tmp_path: Path) -> None:
    """Issue 6, item 5: placeholders that keep equality, in the header and in the body."""
    recorded(tmp_path)

    text = written(tmp_path)
    assert [secret for secret in SECRETS if secret in text] == []
    assert text.count("{subject-1}") == 2
    assert text.count("{session-1}") == 2
    assert "openai-mcp/1.0.0 (Codex)" in text


def test_arguments_are_written_where_they_are_allowed(tmp_path: Path) -> None:
    """Issue 6, item 5: arguments unless allowed. The whole result is expected then."""
    recorded(tmp_path, "search")

    assert QUERY in written(tmp_path)
    assert '"limit":2' in written(tmp_path)
    assert verdicts(replayed(tmp_path, Archive(settings=EAGER))) == ["passed"]


def test_a_request_that_came_packed_is_played_unpacked(tmp_path: Path) -> None:
    """Ours: nothing of it can be redacted or played as it came."""
    with served(Recorder(Archive(settings=EAGER).app(), tmp_path)) as url:
        packed = gzip.compress(json.dumps(request("tools/list", {"_meta": {"openai/subject": SECRETS[0]}})).encode())
        httpx2.post(f"{url}/mcp", content=packed, headers=headers(Content_Encoding="gzip"))

    text = written(tmp_path)
    assert "Content-Encoding" not in text
    assert '"method":"tools/list"' in text
    assert SECRETS[0] not in text
    assert verdicts(replayed(tmp_path, Archive(settings=EAGER))) == ["passed"]


def test_a_tool_that_may_write_is_not_called_in_a_replay(tmp_path: Path) -> None:
    """Design, section 7: never unasked. Any tool that may be called stands for it."""
    with served(Recorder(Archive(settings=EAGER).app(), tmp_path)) as url:
        body = request("tools/call", {"name": "erase_everything", "arguments": {"really": True}})
        httpx2.post(f"{url}/mcp", json=body, headers=headers())

    (session,) = load_sessions(tmp_path, shipped=False)
    assert session.needs == ("tool",)
    assert '"name":"${tool.name}","arguments":"${tool.arguments}"' in written(tmp_path)
    assert "call-erase-everything: really (boolean)" in session_about(tmp_path)


def session_about(folder: Path) -> str:
    return load_sessions(folder, shipped=False)[0].about


def test_two_conversations_over_one_connection_are_two_sessions(tmp_path: Path) -> None:
    """Wire facts, 0: correlate on openai/session, never on connections."""
    with served(Recorder(Archive(settings=EAGER).app(), tmp_path)) as url, httpx2.Client() as client:
        for number in (1, 2, 1):
            params = {"name": "search", "arguments": {"query": "x"}, "_meta": {"openai/session": f"v1/of-{number}"}}
            client.post(f"{url}/mcp", json=request("tools/call", params), headers=headers())

    assert sorted(len(session.steps) for session in load_sessions(tmp_path, shipped=False)) == [1, 2]


def test_one_conversation_over_several_connections_is_one_session(tmp_path: Path) -> None:
    """The same from the other side."""
    with served(Recorder(Archive(settings=EAGER).app(), tmp_path)) as url:
        for number in range(3):
            params = {"name": "search", "arguments": {"query": f"{number}"}, "_meta": {"openai/session": "v1/one"}}
            httpx2.post(f"{url}/mcp", json=request("tools/call", params), headers=headers())

    assert [len(session.steps) for session in load_sessions(tmp_path, shipped=False)] == [3]


def test_a_session_id_that_a_reply_gave_is_captured(tmp_path: Path) -> None:
    """Issue 6, item 5: captured variables. The SDK's server insists on the id it gave."""
    from tests.replay.servers import plain_sdk

    with served(Recorder(plain_sdk().streamable_http_app(), tmp_path)) as url, httpx2.Client() as client:
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
        said = client.post(f"{url}/mcp", json=request("initialize", hello), headers=headers(version=None))
        sid = said.headers["mcp-session-id"]
        more = headers(Mcp_Session_Id=sid)
        client.post(f"{url}/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=more)
        assert client.post(f"{url}/mcp", json=request("tools/list", {}, id_=2), headers=more).status_code == 200
        assert client.delete(f"{url}/mcp", headers=more).status_code == 200

    text = written(tmp_path)
    assert sid not in text
    assert "mcp_session_id:" in text
    run = replayed(tmp_path, plain_sdk())
    assert verdicts(run) == ["passed"], run.findings
    assert [step.name for step in run.sessions[0].steps] == [
        "initialize", "notifications-initialized", "tools-list", "delete",
    ]  # fmt: skip


def test_a_replay_of_a_recording_can_be_recorded(tmp_path: Path) -> None:
    """Ours: placeholders pass through redaction a second time and stay playable."""
    recorded(tmp_path / "first")
    with served(Archive(settings=EAGER).app()) as origin, proxied(origin, tmp_path / "second") as url:
        assert verdicts(replayed(tmp_path / "first", f"{url}/mcp")) == ["passed"]

    assert verdicts(replayed(tmp_path / "second", Archive(settings=EAGER))) == ["passed"] * len(
        list((tmp_path / "second").iterdir())
    )


def test_a_folder_that_cannot_be_written_does_not_stop_the_traffic(tmp_path: Path) -> None:
    """Ours: a recorder must not break what it records."""
    out = tmp_path / "out"
    recorder = Recorder(Archive(settings=EAGER).app(), out)
    out.rmdir()
    out.write_text("in the way")
    with served(recorder) as url:
        assert chatgpt(f"{url}/mcp") == [200, 200, 200]

    assert out.read_text() == "in the way"


class Greeter(Told):
    """Gives a session id at the head of a stream that stays open, and answers what uses it meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.end = threading.Event()

    async def answer(self, scope: Any, body: bytes, receive: Any, send: Any) -> None:
        if b'"initialize"' in body:
            head = [(b"content-type", b"text/event-stream"), (b"mcp-session-id", b"given-in-a-stream-4815162342")]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            event = b'data: {"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}\n\n'
            await send({"type": "http.response.body", "body": event, "more_body": True})
            await anyio.to_thread.run_sync(self.go_on.acquire)
            await send({"type": "http.response.body", "body": b""})
            return
        answer = b'{"jsonrpc":"2.0","id":2,"result":{"tools":[]}}'
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": answer, "more_body": True})
        await anyio.to_thread.run_sync(self.end.wait)
        await send({"type": "http.response.body", "body": b""})


def test_what_uses_an_id_comes_after_what_gave_it_however_late_that_ends(tmp_path: Path) -> None:
    """Ours: a client reads the id at the head of a stream, and the stream goes on."""
    app = Greeter()
    app.end.set()
    with served(Recorder(app, tmp_path)) as url, httpx2.Client() as client:
        hello = request("initialize", {"protocolVersion": "2025-11-25"})
        with client.stream("POST", f"{url}/mcp", json=hello, headers=headers(version=None)) as greeting:
            more = headers(Mcp_Session_Id=greeting.headers["mcp-session-id"])
            assert client.post(f"{url}/mcp", json=request("tools/list", {}, id_=2), headers=more).status_code == 200
            app.go_on.release()
            greeting.read()

    (session,) = load_sessions(tmp_path, shipped=False)
    assert [step.name for step in session.steps] == ["initialize", "tools-list"]
    assert "mcp_session_id:" in written(tmp_path)


def test_a_reply_of_a_known_length_is_written_before_its_client_has_it(tmp_path: Path) -> None:
    """Ours: a client that has all it was promised goes on, whatever its server still does."""
    app = Greeter()
    with served(Recorder(app, tmp_path)) as url:
        httpx2.post(f"{url}/mcp", json=request("tools/list", {}, id_=2), headers=headers())
        assert [len(session.steps) for session in load_sessions(tmp_path, shipped=False)] == [1]
        app.end.set()
