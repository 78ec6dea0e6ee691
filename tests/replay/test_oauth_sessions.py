"""The OAuth sessions, against the SDK's own authorization server and against one changed answer of it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mcp.shared.auth import OAuthClientInformationFull

from contract_tests import Options
from contract_tests.replay.values import Client
from tests.replay.authorization import Memory, protected
from tests.replay.replaying import play, verdicts

PUBLIC = "https://connector.example.com"
REDIRECT = "https://chatgpt.com/connector_platform_oauth_redirect"

Changed = Callable[[int, dict[bytes, bytes], bytes], tuple[int, dict[bytes, bytes], bytes]]


def changed(app: Any, path: str, change: Changed) -> Any:
    """The same app with the answers to one path changed."""

    async def around(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] != "http" or scope["path"] != path:
            await app(scope, receive, send)
            return
        start: dict[str, Any] = {}
        body = b""

        async def hold(event: dict[str, Any]) -> None:
            nonlocal body
            start.update(event if event["type"] == "http.response.start" else {})
            body += event.get("body", b"")

        await app(scope, receive, hold)
        headers = {name: value for name, value in start["headers"] if name != b"content-length"}
        status, headers, body = change(start["status"], headers, body)
        await send({"type": "http.response.start", "status": status, "headers": list(headers.items())})
        await send({"type": "http.response.body", "body": body})

    around.router = app.router  # type: ignore[attr-defined]  # says that there is a lifespan
    return around


def test_a_client_registers_gets_a_token_uses_and_refreshes_it() -> None:
    """Facts, section 3: as far as a client without a person can go; the public address is played on loopback."""
    run = play(protected(PUBLIC).streamable_http_app(stateless_http=True), "oauth-dcr")

    (session,) = run.sessions
    assert session.verdict == "passed", session.findings
    played = [step.name for step in session.steps if step.sent]
    assert played[-6:] == [
        "register", "register-as-recorded", "authorize", "token", "initialize-with-token", "refresh",
    ]  # fmt: skip


def test_no_token_code_or_verifier_reaches_the_record() -> None:
    """Issue 2: no secret in a report, the tokens of a test included."""
    run = play(protected(PUBLIC).streamable_http_app(stateless_http=True), "oauth-dcr")

    steps = {step.name: step for step in run.sessions[0].steps}
    sent, received = steps["token"].sent, steps["token"].received
    assert sent is not None
    assert received is not None
    assert "code=%3Cwithheld" in sent.body or "code=<withheld>" in sent.body
    assert "code_verifier=<withheld>" in sent.body
    assert json.loads(received.body)["access_token"] == "<withheld>"
    assert ("Authorization", "Bearer <withheld>") in (steps["initialize-with-token"].sent or sent).headers


def test_what_a_protected_server_is_not_asked_without_a_token_is_not_checked() -> None:
    """Ours: never passed without having been checked."""
    server = protected(PUBLIC, registers=False).streamable_http_app(stateless_http=True)
    run = play(server, "call-model", "noauth-well-known", "get-after-idle")

    assert verdicts(run) == {
        "call-model": "not checked",
        "get-after-idle": "passed",
        "noauth-well-known": "not checked",
    }
    assert run.sessions[0].reason.startswith("the target asks for authorization: give --header")
    assert any("no login without a person is open" in note for note in run.notes)


def test_a_login_that_needs_no_person_opens_the_other_sessions_too() -> None:
    """Issue 5, item 6: a target that approves by itself is judged like an open one."""
    run = play(protected(PUBLIC).streamable_http_app(stateless_http=True), "call-model", "serial-3")

    assert verdicts(run) == {"call-model": "passed", "serial-3": "passed"}
    assert any("its own login was used" in note for note in run.notes)
    sent = [step.sent for step in run.sessions[0].steps if step.sent]
    assert all(("Authorization", "Bearer <withheld>") in one.headers for one in sent)


def test_a_server_without_registration_or_client_documents_says_what_is_missing() -> None:
    """Facts, section 3.2: both are optional."""
    run = play(
        protected(PUBLIC, registers=False), "oauth-dcr", "oauth-cimd-iss", "oauth-cimd-callback-id", "oauth-predefined"
    )

    assert {session.id: session.reason for session in run.sessions} == {
        "oauth-dcr": "the authorization server offers no dynamic registration",
        "oauth-cimd-iss": "the authorization server does not advertise client documents together with iss",
        "oauth-cimd-callback-id": "the authorization server does not advertise client documents",
        "oauth-predefined": "no client is registered beforehand: give one in ballast.toml, [oauth] client_id = ...",
    }
    assert run.exit_code == 2


def test_a_client_registered_beforehand_is_played_to_the_end() -> None:
    """Facts, section 3.6: predefined clients may use a secret."""
    memory = Memory()
    known = {
        "client_id": "mine",
        "client_secret": "hush",
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "client_secret_post",
    }
    memory.clients["mine"] = OAuthClientInformationFull.model_validate(known)
    options = Options(pace="none", client=Client(id="mine", secret="hush"))
    run = play(
        protected(PUBLIC, memory=memory).streamable_http_app(stateless_http=True), "oauth-predefined", options=options
    )

    (session,) = run.sessions
    assert session.verdict == "passed", session.findings
    assert [step.name for step in session.steps if step.sent][-2:] == ["initialize-with-token", "refresh"]
    assert "hush" not in repr(session)


AS = "/.well-known/oauth-authorization-server"
PRM = "/.well-known/oauth-protected-resource/mcp"


def member(name: str, value: Any) -> Changed:
    def change(status: int, headers: dict[bytes, bytes], body: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
        return status, headers, json.dumps({**json.loads(body), name: value}).encode()

    return change


def answer(status: int, body: bytes = b"{}", **headers: str) -> Changed:
    said = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return lambda *_: (status, said, body)


@pytest.mark.parametrize(
    ("path", "change", "step", "words", "incident"),
    [
        ("/mcp", answer(401), "challenge", "WWW-Authenticate", "O-14"),
        (PRM, answer(401), "resource-from-challenge", "status 401", "O-14"),
        (PRM, member("resource", "nowhere"), "resource-from-challenge", '"nowhere"', "O-07"),
        (PRM, member("authorization_servers", []), "resource-from-challenge", "authorization_servers", "O-07"),
        (AS, answer(200, b"<html>", content_type="text/html"), "server-oauth", "media type", "P-33"),
        (AS, member("issuer", PUBLIC), "server-oauth", "issuer: expected", "P-33"),
        (AS, member("code_challenge_methods_supported", ["plain"]), "server-oauth", '["plain"]', "O-17"),
        ("/register", answer(422, content_type="application/json"), "register", "status 422", "O-12"),
        ("/register", answer(403, b"blocked", content_type="text/plain"), "register-as-recorded", "status 403", "O-12"),
        ("/authorize", answer(400), "authorize", "status 400", "P-10"),
        ("/authorize", answer(302, location=f"{REDIRECT}?error=invalid_scope"), "authorize", "location.error", "P-10"),
        ("/authorize", answer(302, location=f"{REDIRECT}?code=abc&state=other"), "authorize", "location.state", "P-10"),
        ("/token", answer(500), "token", "status 500", "P-02"),
    ],
)
def test_one_wrong_answer_on_the_way_to_a_token_is_found_where_it_is_given(
    path: str, change: Changed, step: str, words: str, incident: str
) -> None:
    """CT-20 to CT-26: each line is an incident of the facts."""
    app = changed(protected(PUBLIC).streamable_http_app(stateless_http=True), path, change)
    run = play(app, "oauth-dcr")

    found = [finding for finding in run.findings if finding.step == step]
    assert found, [(finding.step, finding.where) for finding in run.findings]
    assert words in f"{found[0].where}: {found[0].actual}"
    assert incident in found[0].incidents


def test_an_authorization_server_elsewhere_is_left_alone_until_it_is_named() -> None:
    """Ours: a target must not send its tester to other people's servers."""
    elsewhere = ["https://login.example.org"]
    app = changed(protected(PUBLIC).streamable_http_app(), PRM, member("authorization_servers", elsewhere))
    run = play(app, "oauth-dcr")

    (session,) = run.sessions
    assert session.verdict == "not checked"
    assert session.reason.startswith("it leads to https://login.example.org, which is not the target;")
    assert 'follow = ["https://login.example.org"]' in session.reason


def test_iss_that_is_advertised_and_missing_is_found() -> None:
    """P-33: the platform rejects the response then."""

    def advertise(status: int, headers: dict[bytes, bytes], body: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
        flags = {"client_id_metadata_document_supported": True, "authorization_response_iss_parameter_supported": True}
        return status, headers, json.dumps({**json.loads(body), **flags}).encode()

    app = changed(protected(PUBLIC).streamable_http_app(), AS, advertise)
    app = changed(app, "/authorize", answer(302, location=f"{REDIRECT}?code=abc&state=other"))
    (session,) = play(app, "oauth-cimd-iss").sessions

    (finding, *_) = session.findings
    assert (finding.step, finding.where) == ("authorize", "reply")
    assert "location.iss" in finding.actual
    assert "P-33" in finding.incidents
