"""What a request is like, and what is never said of it."""

import json
import random
import string
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.recorder import paths
from connector.recorder.anatomy.fingerprint import of_headers, of_json
from connector.recorder.redacting import sample_of
from connector.recorder.shape import Seen, Shape, shape_of
from tests.visitors.wording import (
    AGENT,
    EVERY,
    answered_question,
    authorize_request,
    registration,
    token_request,
    tool_call,
)

FEW = settings(max_examples=40, deadline=None)
"""Of each test, and on a machine that is busy with others."""


def _token(seed: int, letters: str, length: int) -> str:
    return "".join(random.Random(seed).choices(letters, k=length))


SECRETS = st.one_of(
    st.uuids().map(str),
    st.integers(10**7, 10**15).map(str),
    st.builds(_token, st.integers(), st.just(string.ascii_letters + string.digits), st.integers(20, 60)),
    st.builds(_token, st.integers(), st.just(string.hexdigits), st.integers(16, 64)),
    st.builds(lambda token: f"eyJhbGciOi.{token}", st.uuids().map(lambda one: one.hex)),
    st.builds(lambda one: f"ann.miller+{one}@example.org", st.integers(1, 999)),
    st.builds(lambda one, two: f"{one:.6f},{two:.6f}", st.floats(-90, 90), st.floats(-180, 180)),
    st.builds(lambda one: f"call me at number {one} after noon please", st.integers(100, 999)),
    st.text(st.characters(min_codepoint=0x400, max_codepoint=0x4FF), min_size=8, max_size=20),
)
"""Ids, tokens, mail addresses, coordinates, sentences: none of them may ever be said."""


@pytest.mark.parametrize("ask", EVERY)
@FEW
@given(secret=SECRETS)
def test_nothing_of_a_value_is_said(ask: Callable[[str], Seen], secret: str) -> None:
    """Issue 7 item 1: no argument or token value ever."""
    said = json.dumps([shape_of(ask(secret)).as_json(), sample_of(ask(secret))], ensure_ascii=False)

    assert secret not in said
    assert secret not in json.dumps(json.loads(said)).encode().decode("unicode_escape")


@pytest.mark.parametrize("ask", EVERY)
@FEW
@given(one=SECRETS, other=SECRETS)
def test_requests_that_differ_in_values_alone_have_one_shape(ask: Callable[[str], Seen], one: str, other: str) -> None:
    """Issue 7 item 2: values that are ids never become shapes, as keys neither."""
    assert shape_of(ask(one)).id == shape_of(ask(other)).id


@FEW
@given(number=st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_is_a_number(number: float) -> None:
    """Ours: whether a host sends 37 or 37.5 depends on where somebody is."""
    assert shape_of(tool_call(number=number)).id == shape_of(tool_call(number=1)).id
    assert str(abs(number)) not in json.dumps(sample_of(tool_call(number=number))) or abs(number) < 10


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@FEW
@given(body=st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())), verb=st.text())
def test_any_request_has_a_shape(body: bytes, verb: str) -> None:
    """Ours: a stranger's request must not trouble the book."""
    seen = Seen(verb=verb, path="/mcp", query="%zz&a=%ff", headers=(("content-type", "\x00"),), body=body)
    shape = shape_of(seen)

    assert Shape.from_json(json.loads(json.dumps(shape.as_json()))) == shape
    assert json.dumps(sample_of(seen))


@FEW
@given(one=JSON, other=JSON)
def test_an_equal_fingerprint_is_an_equal_shape(one: Any, other: Any) -> None:
    """Ours: what is recognised by its fingerprint is counted under that shape without another look."""
    headers = [(b"user-agent", AGENT.encode()), (b"authorization", b"Bearer x")]
    seen = [
        Seen(
            verb="POST",
            path="/mcp",
            headers=tuple((name.decode(), value.decode()) for name, value in headers),
            body=json.dumps(value).encode(),
        )
        for value in (one, other)
    ]
    if (of_headers(headers), of_json(one)) == (of_headers(headers), of_json(other)):
        assert shape_of(seen[0]).id == shape_of(seen[1]).id


@FEW
@given(segments=st.lists(st.one_of(st.sampled_from(["*", "{}", "params", "_meta"]), st.text(min_size=1)), min_size=1))
def test_a_place_is_read_as_it_was_written(segments: list[str]) -> None:
    """Ours: the drift command takes requests apart by these places."""
    assert paths.read(paths.written(tuple(segments))) == tuple(segments)


CHANGES: dict[str, Seen] = {
    "a new member in _meta": tool_call(meta={"openai/conversationId": "x"}),
    "a new member of another vendor": tool_call(meta={"com.example/trace": {"depth": 1}}),
    "a member of another type": tool_call(meta={"openai/userLocation": "Bern"}),
    "a member that is null": tool_call(meta={"openai/session": None}),
    "a new header": tool_call(lines={"x-openai-conversation": "x"}),
    "a newer revision": tool_call(lines={"mcp-protocol-version": "2027-03-15"}),
    "another User-Agent": tool_call(lines={"user-agent": "openai-mcp/2.0.0 (Agent)"}),
    "events only": tool_call(lines={"accept": "text/event-stream"}),
    "another way to log in": tool_call(lines={"authorization": "DPoP x"}),
    "a renamed client": tool_call(
        meta={"io.modelcontextprotocol/clientInfo": {"name": "chatgpt-mcp", "version": "1.0.0"}}
    ),
    "a new capability": tool_call(meta={"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}),
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_platform_is_another_shape(changed: Seen) -> None:
    """Issue 7 item 2: the kinds of drift."""
    assert shape_of(changed).id != shape_of(tool_call()).id


UNCHANGED: dict[str, Seen] = {
    "another edge": tool_call(lines={"cf-ray": "1", "x-amzn-trace-id": "2", "via": "1.1 cache"}),
    "tracing": tool_call(lines={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}),
    "a newer build of the same client": tool_call(lines={"user-agent": "openai-mcp/1.4.2 (Codex)"}),
    "another client version": tool_call(
        meta={"io.modelcontextprotocol/clientInfo": {"name": "openai-mcp (Codex)", "version": "9.9"}}
    ),
    "another order of headers": replace(tool_call(), headers=tuple(reversed(tool_call().headers))),
}


@pytest.mark.parametrize("same", UNCHANGED.values(), ids=UNCHANGED)
def test_what_the_platform_did_not_change_is_the_same_shape(same: Seen) -> None:
    """Issue 7 item 2: noise control; an edge that adds headers is no change of the platform."""
    assert shape_of(same).id == shape_of(tool_call()).id


def test_headers_of_hops_are_told_apart() -> None:
    """Ours: they are kept, beside the shape."""
    shape = shape_of(tool_call(lines={"cf-ray": "1"}))

    assert shape.hops == ("cf-ray", "host", "x-forwarded-for")
    assert "x-openai-session" in shape.headers


def test_a_shape_says_what_it_is_in_words() -> None:
    """Ours: the lock file is read in pull requests."""
    shape = shape_of(tool_call())

    assert (shape.surface, shape.channel, shape.method, shape.version) == (
        "chatgpt-codex", "mcp", "tools/call", "2026-07-28",
    )  # fmt: skip
    assert ("params.arguments", "object") in shape.members
    assert ('params._meta["openai/session"]', "string") in shape.members
    assert not [path for path, _ in shape.members if path.startswith("params.arguments.")]
    assert dict(shape.values) == {
        "accept": "application/json text/event-stream",
        "authorization": "bearer",
        "client": "openai-mcp (Codex)",
        "content-type": "application/json",
        "user-agent": "openai-mcp (Codex)",
    }


def test_oauth_is_told_by_its_words() -> None:
    """Incidents P-02, P-10, P-11, P-28: what changed there were grants, methods and the form of addresses."""
    token = shape_of(token_request("FLLrQdlez6Uf"))
    registered = shape_of(registration("FLLrQdlez6Uf"))
    authorized = shape_of(authorize_request("FLLrQdlez6Uf"))

    assert (token.channel, token.method) == ("oauth", "POST /token")
    assert ("redirect_uri", "https://chatgpt.com/connector/oauth/{}") in token.values
    assert ("client_id", "https://chatgpt.com/oauth/client.json") in token.values
    assert ("grant_types", "refresh_token") in registered.values
    assert ("form.code_verifier", "string") in token.members
    assert ("scope", "(other) openid") in authorized.values
    assert authorized.headers == ()  # a browser's own are nobody's protocol


def test_a_map_with_ids_for_keys_is_one_place() -> None:
    """Issue 7 item 2: values that are ids never become shapes."""
    assert ("params.inputResponses.{}", "object") in shape_of(answered_question("req_81")).members


def test_documents_are_told_by_their_path() -> None:
    """Facts on the wire, section 3.1."""
    asked = Seen(verb="GET", path="/.well-known/oauth-protected-resource/mcp/tenant-4711")

    assert (shape_of(asked).channel, shape_of(asked).method) == (
        "discovery", "GET /.well-known/oauth-protected-resource/mcp/{}",
    )  # fmt: skip


def test_a_sample_is_a_request_again() -> None:
    """Issue 7 item 2: each new shape is rebuilt as a session."""
    sample = sample_of(tool_call("a-secret-value-4711"))
    again = Seen(
        verb=sample["verb"],
        path=sample["path"],
        headers=tuple((name, value) for name, value in sample["headers"]),
        body=json.dumps(sample["json"]).encode(),
    )
    lines, meta = dict(sample["headers"]), sample["json"]["params"]["_meta"]

    assert shape_of(again).id == shape_of(tool_call()).id
    assert lines["x-openai-session"] == meta["openai/session"]  # equal values stay equal
    assert lines["authorization"] == "Bearer <token-1>"
    assert sample["json"]["params"]["arguments"]["query"] == lines["authorization"].removeprefix("Bearer ")
    assert sample["json"]["params"]["arguments"]["deep"] == {}
