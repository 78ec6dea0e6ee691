"""What is found: nothing in a tolerant server, and exactly the broken thing in one that breaks it."""

import json

import pytest

from contract_tests import Options, load_sessions
from tests.replay.replaying import play, verdicts
from tests.replay.servers import (
    FIND,
    FOUND,
    SUPPORTED,
    Answer,
    Asked,
    Change,
    Tolerant,
    plain_sdk,
    refusal,
    result,
    said,
)

NO_OAUTH = {session.id for session in load_sessions() if session.id.startswith("oauth-")} | {"relink"}


def test_a_tolerant_server_passes_every_session_that_applies_to_it() -> None:
    """Ours: the sum of contract-tests.md; a suite that cries wolf is switched off."""
    run = play(Tolerant())

    found = verdicts(run)
    assert {key for key, verdict in found.items() if verdict == "failed"} == set()
    assert {key for key, verdict in found.items() if verdict == "not checked"} == NO_OAUTH
    assert run.exit_code == 0


def test_a_plain_sdk_server_in_its_default_mode_breaks_where_calls_come_without_session_id() -> None:
    """P-01, T-07: mcp 2.3.0 keeps legacy sessions; P-41 and the probe are its other gaps."""
    run = play(plain_sdk())

    assert {key for key, verdict in verdicts(run).items() if verdict == "failed"} == {
        "call-absent-meta",
        "call-minimal-meta",
        "call-model-legacy",
        "call-slow-60",
        "create-noauth-modern-sse",
        "create-without-discover",
        "elevenlabs-stream-only",
        "get-after-idle",
        "legacy-2024-11-05-copilot",
        "legacy-2025-03-26",
        "legacy-2025-06-18",
        "probe-methodless",
        "refresh-action-id",
        "run-2025-11-listening",
        "run-2026-05-planes",
        "run-2026-08-sessionless",
        "scan-tools-aiohttp",
        "serial-3",
    }
    assert run.exit_code == 1


def test_a_plain_sdk_server_without_sessions_keeps_six_gaps() -> None:
    """P-41, CT-08 and CT-14c: narrow Accept, method-less probes, and a GET stream whose first byte does not come."""
    run = play(plain_sdk().streamable_http_app(stateless_http=True))

    failed = {session.id: session.findings for session in run.sessions if session.verdict == "failed"}
    assert set(failed) == {
        "create-noauth-modern-sse",
        "elevenlabs-stream-only",
        "get-after-idle",
        "probe-methodless",
        "run-2025-11-listening",
        "scan-tools-aiohttp",
    }
    assert "first byte" in failed["get-after-idle"][0].actual


def versions(*names: str) -> Change:
    return lambda asked: result(asked, {"resultType": "complete", "supportedVersions": list(names), "capabilities": {}})


def fickle() -> Change:
    count = iter(range(10**6))

    def answer(asked: Asked) -> Answer | None:
        return versions("2026-07-28", *SUPPORTED[next(count) :])(asked)

    return answer


def as_event(asked: Asked) -> Answer:
    server = {"protocolVersion": "2025-03-26", "capabilities": {}, "serverInfo": {"name": "a", "version": "1"}}
    message = json.dumps({"jsonrpc": "2.0", "id": asked.message["id"], "result": server})
    body = f"id: 1\ndata:\n\nevent: message\ndata: {message}\n\n".encode()
    return Answer(media="text/event-stream", pieces=[(0, body)])


def refuse_platform_meta(asked: Asked) -> Answer | None:
    meta = asked.message["params"].get("_meta", {})
    return result(asked, {"isError": True, "content": []}) if "openai/session" in meta else None


def wrong_id(asked: Asked) -> Answer:
    return said({"jsonrpc": "2.0", "id": str(asked.message["id"]), "result": {"tools": [FIND]}})


CHANGES: list[tuple[str, str, Change, str, str, str, str]] = [
    (
        "discover names only old versions",
        "server/discover",
        versions(*SUPPORTED),
        "create-bad-discover",
        "discover",
        "reply",
        "P-16",
    ),
    (
        "discover is an internal error",
        "server/discover",
        lambda a: refusal(a, -32603, status=500),
        "create-noauth-legacy",
        "discover",
        "reply",
        "P-16",
    ),
    (
        "discover changes its mind",
        "server/discover",
        fickle(),
        "create-bad-discover",
        "discover-a-third-time",
        "result.supportedVersions",
        "P-16",
    ),
    (
        "notifications get a body",
        "notification",
        lambda a: said(None),
        "create-noauth-legacy",
        "initialized",
        "body",
        "P-36",
    ),
    (
        "notifications get 200",
        "notification",
        lambda a: Answer(media=""),
        "legacy-2024-11-05-copilot",
        "initialized",
        "status",
        "P-36",
    ),
    ("probes get 400", "probe", lambda a: said({}, status=400), "probe-methodless", "empty", "status", "P-18"),
    ("GET is not found", "get", lambda a: said({}, status=404), "scan-tools-aiohttp", "availability", "reply", "P-23"),
    ("GET is refused without Allow", "get", lambda a: Answer(status=405), "get-after-idle", "get", "reply", "P-08"),
    (
        "GET opens a silent stream",
        "get",
        lambda a: Answer(media="text/event-stream", pieces=[(5, b": late\n\n")]),
        "get-after-idle",
        "get",
        "reply",
        "T-01",
    ),
    (
        "GET ends its stream at once",
        "get",
        lambda a: Answer(media="text/event-stream", pieces=[(0, b": hi\n\n")]),
        "get-after-idle",
        "get",
        "reply",
        "P-08",
    ),
    ("an old client gets an empty event", "initialize", as_event, "legacy-2025-03-26", "initialize", "event 1", "T-09"),
    (
        "an unknown version is refused",
        "initialize",
        lambda a: refusal(a, -32602, status=400),
        "refresh-actions",
        "initialize",
        "status",
        "P-37",
    ),
    (
        "an invented version is agreed on",
        "initialize",
        lambda a: result(a, {"protocolVersion": "1", "capabilities": {}, "serverInfo": {"name": "a"}}),
        "refresh-actions",
        "initialize",
        "result.protocolVersion",
        "P-37",
    ),
    ("an id is echoed as text", "tools/list", wrong_id, "create-noauth-modern", "tools-list", "id", "P-16"),
    ("a call is rejected", "tools/call", lambda a: said({}, status=422), "call-widget", "card", "status", "S-01"),
    (
        "a call is answered by a protocol error",
        "tools/call",
        lambda a: refusal(a, -32602),
        "call-model",
        "mac",
        "message",
        "P-16",
    ),
    (
        "an unknown content type is used",
        "tools/call",
        lambda a: result(a, {"content": [{"type": "json", "data": {}}], "structuredContent": {"found": ""}}),
        "call-model",
        "mac",
        "result.content[0].type",
        "P-06",
    ),
    (
        "structured content is missing",
        "tools/call",
        lambda a: result(a, {"content": []}),
        "call-slow-119",
        "call",
        "reply",
        "P-39",
    ),
    (
        "structured content is of another shape",
        "tools/call",
        lambda a: result(a, {"content": [], "structuredContent": {"found": 1}}),
        "call-absent-meta",
        "call",
        "reply",
        "P-39",
    ),
    (
        "an error carries structured content",
        "tools/call",
        lambda a: result(a, {"content": [], "isError": True, "structuredContent": {"error": 1}}),
        "serial-3",
        "first",
        "reply",
        "P-39",
    ),
    (
        "the platform's _meta is refused",
        "tools/call",
        refuse_platform_meta,
        "call-model",
        "mac",
        "result.isError",
        "S-01",
    ),
    (
        "input is asked for instead",
        "tools/call",
        lambda a: result(a, {**FOUND, "resultType": "input_required"}),
        "call-model",
        "mac",
        "result.resultType",
        "P-16",
    ),
    (
        "a call is answered as a page",
        "tools/call",
        lambda a: Answer(media="text/html", pieces=[(0, b"<p>hello")]),
        "call-model-legacy",
        "call",
        "media type",
        "P-01",
    ),
    (
        "a call breaks off",
        "tools/call",
        lambda a: Answer(media="text/event-stream", pieces=[(0, b": \n\n")], breaks=True),
        "call-model",
        "iphone",
        "ending",
        "CT-41",
    ),
    (
        "a page answers everywhere else",
        "elsewhere",
        lambda a: Answer(media="text/html", pieces=[(0, b"<html>")]),
        "create-fail-404",
        "probe",
        "reply",
        "O-13",
    ),
    (
        "a redirect answers everywhere else",
        "elsewhere",
        lambda a: Answer(status=307, headers={"location": "/"}),
        "create-fail-404",
        "discover",
        "reply",
        "P-17",
    ),
    (
        "a page answers the OAuth documents",
        "elsewhere",
        lambda a: Answer(media="text/html", pieces=[(0, b"<html>")]),
        "noauth-well-known",
        "server",
        "status",
        "O-13",
    ),
]


@pytest.mark.parametrize(
    ("kind", "change", "session", "step", "where", "incident"),
    [case[1:] for case in CHANGES],
    ids=[case[0] for case in CHANGES],
)
def test_one_wrong_answer_is_found_where_it_is_given(
    kind: str, change: Change, session: str, step: str, where: str, incident: str
) -> None:
    """Each line is an incident or contract of the facts; the finding names step, place and incident."""
    run = play(Tolerant({kind: change}), session)

    found = [finding for finding in run.findings if finding.step == step]
    assert [finding.where for finding in found][:1] == [where], run.findings
    assert incident in found[0].incidents
    assert found[0].advice
    assert run.exit_code == 1


def test_a_tool_name_outside_the_hosts_alphabet_is_named() -> None:
    """P-38: one such name rejects the whole connector."""
    run = play(Tolerant(tools=[FIND, {**FIND, "name": "get/{id}"}]), "create-noauth-modern")

    (finding,) = run.findings
    assert (finding.where, finding.actual) == ("result.tools[1].name", '"get/{id}"')
    assert finding.incidents == ("P-38", "CT-32")


def test_a_template_that_a_tool_names_must_be_readable() -> None:
    """P-15, CT-36: hosts read every ui:// resource at creation."""
    tool = {**FIND, "_meta": {"ui": {"resourceUri": "ui://list"}}}
    run = play(Tolerant(tools=[tool]), "create-noauth-modern")

    (finding,) = run.findings
    assert (finding.step, finding.where, finding.actual) == ("read-template", "message", "an error (-32601: no)")


def test_a_tool_that_asks_for_oauth_where_there_is_none_is_found() -> None:
    """P-17: refused as mixed authorization."""
    tool = {**FIND, "name": "secret", "securitySchemes": [{"type": "oauth2", "scopes": []}]}
    run = play(Tolerant(tools=[FIND, tool]), "noauth-well-known")

    (finding,) = run.findings
    assert (finding.step, finding.where) == ("tools-list", "result.tools[1].securitySchemes[0].type")


def test_a_protected_tool_without_a_challenge_cannot_be_linked() -> None:
    """Facts, section 3.8: the link card needs error and error_description in _meta."""
    tool = {**FIND, "securitySchemes": [{"type": "oauth2", "scopes": ["a"]}]}
    silent = play(
        Tolerant({"tools/call": lambda a: result(a, {"isError": True, "content": []})}, tools=[tool]), "relink"
    )
    challenge = ['Bearer resource_metadata="https://a/", error="insufficient_scope", error_description="Log in"']
    linked = {"isError": True, "content": [], "_meta": {"mcp/www_authenticate": challenge}}
    loud = play(Tolerant({"tools/call": lambda a: result(a, linked)}, tools=[tool]), "relink")

    assert [finding.where for finding in silent.findings] == ["reply"]
    assert loud.findings == ()
    assert loud.exit_code == 0


def test_a_server_that_rejects_everything_is_a_finding_and_not_a_shrug() -> None:
    """P-18: OAuth succeeded, then every POST was 422."""
    everything = dict.fromkeys(
        ["probe", "notification", "initialize", "server/discover", "tools/list"], lambda asked: said({}, status=422)
    )
    run = play(Tolerant(everything), "create-noauth-modern", "create-noauth-legacy", "call-model")

    assert verdicts(run) == {
        "call-model": "not checked",
        "create-noauth-legacy": "failed",
        "create-noauth-modern": "failed",
    }
    assert run.exit_code == 1


def test_a_refused_discover_is_no_finding_where_the_client_falls_back() -> None:
    """Facts, section 2.1: -32601 with the id is a safe answer; sources disagree about 400, so it is accepted."""
    changes: dict[str, Change] = {
        "server/discover": lambda asked: refusal(asked, -32601, status=404),
        "tools/list": lambda asked: refusal(asked, -32601, status=404) if "_meta" in asked.message["params"] else None,
    }
    run = play(Tolerant(changes), "create-noauth-legacy", "create-bad-discover", "create-noauth-modern")

    assert verdicts(run) == {
        "create-bad-discover": "passed",
        "create-noauth-legacy": "passed",
        "create-noauth-modern": "not checked",
    }
    assert run.sessions[2].reason == "the target does not speak 2026-07-28"


def test_the_same_seed_sends_the_same_identifiers_and_another_does_not() -> None:
    """Ours: a finding can be repeated."""

    def ids(seed: int) -> list[object]:
        server = Tolerant()
        play(server, "call-model", options=Options(pace="none", seed=seed))
        return [
            asked.message["params"]["_meta"].get("openai/session")
            for asked in server.asked
            if asked.kind == "tools/call"
        ]

    assert ids(7) == ids(7)
    assert ids(7) != ids(8)
