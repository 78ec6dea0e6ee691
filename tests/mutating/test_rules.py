"""What each rule makes of a session, literally. Nothing here is sent."""

from pathlib import Path
from typing import Any

import pytest

from contract_tests import BallastTestError, Session
from contract_tests.mutating.applying import changed, clients
from contract_tests.mutating.registry import RULES, choose_rules
from contract_tests.notation.session import FormBody, JsonBody
from tests.mutating.mutating import derive, differences, session, shape

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": "${id}",
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {"experimental": {}},
        "clientInfo": {"name": "host", "version": "1"},
    },
}
CALL: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": "${id}",
    "method": "tools/call",
    "params": {
        "name": "find",
        "arguments": {"query": "x"},
        "_meta": {
            "openai/userLocation": {"city": "Zurich", "latitude": "47.4"},
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    },
}
HEADERS = {"User-Agent": "host/1", "Accept": "application/json, text/event-stream", "X-Openai-Session": "v1/x"}
TYPES = {"ballastText", "ballastNumber", "ballastFlag", "ballastNull", "ballastObject", "ballastList"}


def step(name: str, body: Any, **more: Any) -> dict[str, Any]:
    headers = {**HEADERS, **more.pop("headers", {})}
    return {"name": name, "send": {"method": "POST", "headers": headers, "json": body}, **more}


@pytest.fixture
def handshake(tmp_path: Path) -> Session:
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    expect = {"status": [200], "media": ["application/json", "text/event-stream"]}
    return session(tmp_path, step("initialize", INITIALIZE, expect=expect), step("initialized", ready))


@pytest.fixture
def call(tmp_path: Path) -> Session:
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "find"}
    expect = {"status": [200], "json": [{"at": "id", "equals": "${id}"}]}
    return session(tmp_path, step("call", CALL, headers=headers, expect=expect, cut_after=60))


def body_of(changed_session: Session, name: str) -> Any:
    found = next(step.send.body for step in changed_session.steps if step.name == name)
    assert isinstance(found, JsonBody)
    return found.value


def test_unknown_members_have_every_json_type_and_stay_out_of_arguments(call: Session) -> None:
    """CT-09: unknown members at every level; arguments are the tool's."""
    for rule, place in (("top", ""), ("params", "/params"), ("meta", "/params/_meta")):
        (mutant,) = derive(f"unknown-member-{rule}", call)
        prefix = "openai~1" if rule == "meta" else ""
        inner = {f"{place}/openai~1userLocation/{name}" for name in TYPES} if rule == "meta" else set()
        assert {d.pointer for d in differences(mutant)} == {f"{place}/{prefix}{name}" for name in TYPES} | inner
        assert body_of(changed(call, mutant.changes), "call")["params"]["arguments"] == {"query": "x"}
    assert derive("unknown-member-client-info", call) == ()


def test_meta_is_new_where_there_was_none(handshake: Session) -> None:
    """S-01: params._meta came one day."""
    (mutant,) = derive("unknown-member-meta", handshake)

    assert [shape(d) for d in differences(mutant)] == [("body", "/params/_meta", "added", "object")]


def test_optional_members_go_together_and_each_alone(call: Session, handshake: Session) -> None:
    """P-01: what is not required may go; the envelope is."""
    assert [[shape(d) for d in differences(mutant)] for mutant in derive("optional-member-removed", call)] == [
        [("body", "/params/_meta/openai~1userLocation", "removed", "object")]
    ]
    (mutant,) = derive("optional-member-removed", handshake)
    assert body_of(changed(handshake, mutant.changes), "initialize")["params"]["capabilities"] == {}


def test_an_id_changes_its_type_and_is_expected_back(call: Session) -> None:
    """JSON-RPC 2.0: text and numbers."""
    as_text, as_large_number = derive("type-widened-id", call)

    text, number = changed(call, as_text.changes).steps[0], changed(call, as_large_number.changes).steps[0]
    assert isinstance(text.send.body, JsonBody)
    assert text.send.body.value["id"] == "0197c0de-ba11-7a57-8000-0"
    assert text.expect.json[0].operand == "0197c0de-ba11-7a57-8000-0"
    assert number.expect.json[0].operand == 9007199254740991


def test_tokens_and_coordinates_change_their_type(call: Session) -> None:
    """MCP: a progress token is text or integer; the platform's own members have no type at all."""
    tokens = [shape(d) for mutant in derive("type-widened-progress-token", call) for d in differences(mutant)]
    place = "/params/_meta/progressToken"
    assert tokens == [
        ("body", place, "added", 'string "call-7"'),
        ("body", place, "added", "number 7"),
        ("body", place, "added", "number 0"),
    ]
    outside, inside = derive("type-widened-meta", call)
    assert [shape(d) for d in differences(outside)] == [
        ("body", "/params/_meta/openai~1userLocation", "replaced", 'string "new"')
    ]
    assert {d.pointer.rpartition("/")[2]: d.value for d in differences(inside)} == {
        "city": "number 1.5",
        "latitude": "number 1.5",
    }


def test_headers_come_and_go_but_those_that_are_needed(call: Session, handshake: Session) -> None:
    """2026-07-28 needs its version header and those for routing; a handshake revision lives without the first."""
    dropped = derive("header-dropped", call)

    assert [[d.pointer for d in differences(mutant)] for mutant in dropped] == [
        ["User-Agent", "X-Openai-Session"],
        ["User-Agent"],
        ["X-Openai-Session"],
    ]
    (added,) = derive("header-new", call)
    assert {"Cookie", "traceparent", "X-Openai-Ballast"} < {d.pointer for d in differences(added)}
    assert {d.kind for d in differences(added)} == {"added"}


def test_a_narrow_accept_narrows_what_may_come(handshake: Session) -> None:
    """P-41: who takes JSON only cannot read events; who takes events only was seen to read JSON."""
    (json_only,), (events_only,) = (derive(f"accept-{kind}-only", handshake) for kind in ("json", "sse"))

    assert changed(handshake, json_only.changes).steps[0].expect.media == ("application/json",)
    assert changed(handshake, json_only.changes).steps[0].send.headers["Accept"] == "application/json"
    assert len(changed(handshake, events_only.changes).steps[0].expect.media) == 2


def test_a_version_is_negotiated_in_the_handshake_and_tried_beside_a_call(call: Session, handshake: Session) -> None:
    """P-37, and the fallback of 2026-07-28."""
    (negotiated,), (tried,) = derive("version-unpublished", handshake), derive("version-unpublished", call)

    assert body_of(changed(handshake, negotiated.changes), "initialize")["params"]["protocolVersion"] == "2027-07-28"
    attempt, original = changed(call, tried.changes).steps
    assert (attempt.name, original.name) == ("call, version 2027-07-28", "call")
    assert attempt.send.headers["MCP-Protocol-Version"] == "2027-07-28"
    assert [option.status for option in attempt.expect.any_of] == [(200,), (400,)]
    assert original == call.steps[0]
    assert [d.position for d in differences(tried)] == ["before", "before"]


def test_only_one_of_header_and_envelope_must_be_refused(call: Session) -> None:
    """2026-07-28: they must be equal."""
    (apart,) = derive("version-apart", call)

    assert [d.pointer for d in differences(apart)] == [
        "MCP-Protocol-Version",
        "/params/_meta/io.modelcontextprotocol~1protocolVersion",
    ]
    assert {200} & {code for step in changed(call, apart.changes).steps[:2] for code in step.expect.status} == set()


def test_unknown_messages_are_sent_as_their_neighbours_are(call: Session, handshake: Session) -> None:
    """P-16 and P-36: with the envelope and the routing header, and before the handshake."""
    (methods,) = derive("method-new", call)
    steps = changed(call, methods.changes).steps

    assert [step.name for step in steps] == [
        "server/ballast before call",
        "ballast before call",
        "call",
        "server/ballast after call",
        "ballast after call",
    ]
    assert steps[0].send.headers["Mcp-Method"] == "server/ballast"
    assert "Mcp-Name" not in steps[0].send.headers
    assert body_of(changed(call, methods.changes), "ballast before call")["params"] == {
        "_meta": CALL["params"]["_meta"]
    }
    (notifications,) = derive("notification-new", handshake)
    assert [step.name for step in changed(handshake, notifications.changes).steps][:3] == [
        "initialize",
        "initialized",
        "notifications/ballast after initialized",
    ]


def test_clients_come_twice_ask_again_and_leave(call: Session) -> None:
    """P-04, D-02, T-11."""
    (beside,), (again,), (left,) = (derive(rule, call) for rule in ("second-client", "retry-new-id", "cut-earlier"))

    assert (clients(beside.changes), changed(call, beside.changes)) == (2, call)
    assert [step.name for step in changed(call, again.changes).steps] == ["call", "call, again with a new id"]
    early, original = changed(call, left.changes).steps
    assert (early.cut_after, early.expect.ending, original.cut_after) == (0.01, ("complete", "cut"), 60)
    assert derive("cut-later", call) == ()


def test_oauth_steps_get_grants_methods_members_and_parameters(tmp_path: Path) -> None:
    """P-28, P-02, RFC 7591 and RFC 6749; no code is spent on a token request that must be refused."""
    registration = {"redirect_uris": ["https://host.example/cb"], "grant_types": ["authorization_code"], "scope": "a"}
    form = {"grant_type": "authorization_code", "code": "${code}", "resource": "https://x"}
    written = session(
        tmp_path,
        {
            "name": "register",
            "send": {"method": "POST", "path": "/register", "json": registration},
            "expect": {"status": [201]},
            "capture": {"code": {"json": "client_id"}},
        },
        {"name": "authorize", "send": {"method": "GET", "path": "/authorize", "query": {"response_type": "code"}}},
        {"name": "token", "send": {"method": "POST", "path": "/token", "form": form}},
    )

    (grants,) = derive("oauth-grant-new", written)
    token = next(s for s in changed(written, grants.changes).steps if s.name.startswith("token, grant"))
    assert isinstance(token.send.body, FormBody)
    assert token.send.body.fields == {"grant_type": "urn:example:ballast:grant", "resource": "https://x"}
    device = next(s for s in changed(written, grants.changes).steps if s.name.endswith("device_code"))
    assert [option.status for option in device.expect.any_of] == [(201,)]
    assert device.captures == ()
    assert len(differences(derive("oauth-method-new", written)[0])) == 3
    assert {d.part for d in differences(derive("oauth-parameter-new", written)[0])} == {"query", "form"}
    assert [[(d.step, d.pointer) for d in differences(m)] for m in derive("oauth-parameter-removed", written)] == [
        [("register", "/scope"), ("token", "resource")],
        [("register", "/scope")],
        [("token", "resource")],
    ]
    assert derive("unknown-member-top", written) == ()


def test_a_body_is_sent_in_pieces(handshake: Session) -> None:
    """Issue 6: slower sending."""
    (mutant,) = derive("sent-slowly", handshake)

    assert [(d.step, d.part, d.pointer) for d in differences(mutant)] == [
        ("initialize", "pace", "send_over"),
        ("initialized", "pace", "send_over"),
    ]
    assert {step.send_over for step in changed(handshake, mutant.changes).steps} == {0.3}


def test_every_rule_says_what_it_stands_for_and_what_to_do() -> None:
    """Issue 6: each with its source, incident and advice."""
    assert len(RULES) == len({rule.id for rule in RULES}) == 30
    for rule in RULES:
        assert all((rule.title, rule.stands_for, rule.expected, rule.source, rule.incidents, rule.advice)), rule.id


def test_rules_are_chosen_by_name_and_by_prefix() -> None:
    """Ours: a misspelt rule must not mean none."""
    assert [rule.id for rule in choose_rules(["accept-*"])] == ["accept-json-only", "accept-sse-only"]
    with pytest.raises(BallastTestError, match=r"There is no rule 'header'\. Near: header-new"):
        choose_rules(["header"])
