"""What a caller without the right token is told: every verb, both spellings, each host as it needs it."""

import base64
import json
import logging
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.oauth import ResourceServer
from tests.loopback import Serve, served
from tests.oauth.identity import IdentityProvider
from tests.oauth.notes import METADATA, PUBLIC, OpenNotes, bearer, locked, told
from tests.wire import call, headers, modern, post, request

CHATGPT = ["openai-mcp/1.0.0", "openai-mcp/1.0.0 (ChatGPT)", "openai-mcp/1.0.0 (Codex)", "openai-mcp/2.0 (Sora)"]
OTHERS = ["Claude-User", "openai-mcp/1.0.0 (Responses API)", "openai-mcp (Realtime API)", "python-httpx/0.28.1", ""]


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    with served(provider.app) as provider.issuer:
        yield provider


@pytest.fixture(scope="module")
def notes(provider: IdentityProvider) -> Iterator[str]:
    with served(locked(ResourceServer(issuers=[provider.issuer])).app()) as url:
        yield url


@pytest.fixture(scope="module")
def mixed(provider: IdentityProvider) -> Iterator[str]:
    lock = ResourceServer(issuers=[provider.issuer], anonymous_listing=True)
    with served(locked(lock, kind=OpenNotes).app()) as url:
        yield url


@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
def test_every_verb_on_both_spellings_gets_the_same_challenge(notes: str, verb: str, path: str) -> None:
    """Incidents P-08, P-24; CT-14b, CT-18: 401 and never 405, 400 or a redirect."""
    reply = httpx2.request(verb, notes + path, headers={"Accept": "text/event-stream"})

    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == f'Bearer resource_metadata="{METADATA}", scope="notes.read notes.write"'
    assert reply.headers["Content-Type"] == "application/json"
    if verb != "HEAD":
        assert reply.json()["error"] == "unauthorized"


def test_an_expired_token_on_get_is_told_what_it_is_told_on_post(provider: IdentityProvider, notes: str) -> None:
    """Incident P-08, CT-14b: else ChatGPT loops on GET instead of refreshing."""
    old = bearer(provider.token(exp=1))

    got = httpx2.get(f"{notes}/mcp", headers={"Accept": "text/event-stream"} | old)
    posted = post(notes, request("tools/list"), headers() | old)

    assert (got.status_code, posted.status_code) == (401, 401)
    assert got.headers["WWW-Authenticate"] == posted.headers["WWW-Authenticate"]
    assert 'error="invalid_token", error_description="The access token has expired"' in got.headers["WWW-Authenticate"]


def test_a_good_token_on_get_gets_past_the_gate(provider: IdentityProvider, notes: str) -> None:
    """CT-14b: a valid bearer gets 405 with Allow, or a live stream."""
    reply = httpx2.get(f"{notes}/mcp", headers={"Accept": "application/json"} | bearer(provider.token()))

    assert (reply.status_code, reply.headers["Allow"]) == (405, "POST, OPTIONS")


def test_both_spellings_serve_the_same_behind_a_proxy(provider: IdentityProvider, notes: str) -> None:
    """CT-18: public Host and X-Forwarded-Proto, with a token."""
    said = headers(Host="notes.example.com", X_Forwarded_Proto="https") | bearer(provider.token())
    replies = [httpx2.post(notes + path, json=request("tools/list"), headers=said) for path in ("/mcp", "/mcp/")]

    assert [reply.status_code for reply in replies] == [200, 200]
    assert replies[0].json() == replies[1].json()


def test_every_challenge_leads_to_a_document_that_needs_no_token(notes: str) -> None:
    """Incident O-14, CT-20c: the named address answers 200, and so does its twin at the root."""
    said = httpx2.post(f"{notes}/mcp", json=request("ping")).headers["WWW-Authenticate"]
    named = urlsplit(said.split('resource_metadata="')[1].split('"')[0])
    replies = [httpx2.get(notes + path) for path in (named.path, "/.well-known/oauth-protected-resource")]

    assert named.netloc == "notes.example.com"
    assert [reply.status_code for reply in replies] == [200, 200]
    assert replies[0].content == replies[1].content


def test_a_preflight_passes_because_browsers_send_no_token_with_it(notes: str) -> None:
    """WHATWG Fetch: and the refusal itself can be read by a page."""
    asked = {"Origin": PUBLIC, "Access-Control-Request-Method": "POST"}

    assert httpx2.options(f"{notes}/mcp", headers=asked).status_code == 204
    refused = httpx2.post(f"{notes}/mcp", json={}, headers={"Origin": PUBLIC})
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert refused.headers["Access-Control-Expose-Headers"] == "WWW-Authenticate"


@pytest.mark.parametrize("place", ["query", "query and header", "two headers", "two equal headers"])
def test_a_token_is_taken_from_one_header_and_from_nowhere_else(
    provider: IdentityProvider, notes: str, place: str
) -> None:
    """MCP, "Token Handling"; RFC 6750, section 2: URLs are logged, and of two headers anybody may read the other."""
    good = f"Bearer {provider.token()}"
    lines: list[tuple[str, str]] = list(headers().items())
    if place != "query":
        lines.append(("Authorization", good))
    if place.startswith("two"):
        lines.append(("Authorization", good if "equal" in place else "Bearer other"))
    query = f"?access_token={provider.token()}" if place.startswith("query") else ""

    reply = httpx2.post(f"{notes}/mcp{query}", json=request("tools/list"), headers=lines)

    assert reply.status_code == 400
    assert 'error="invalid_request"' in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize("said", ["Bearer", "Bearer null token", "Bearer <script>", "bearer\tx y"])
def test_a_bearer_header_without_a_token_is_a_refused_token(notes: str, said: str) -> None:
    """Ours: hosts that lost their token send such things, and a 401 lets them get a new one."""
    reply = post(notes, request("tools/list"), headers(Authorization=said))

    assert reply.status_code == 401


def test_another_scheme_is_noticed_and_challenged(
    provider: IdentityProvider, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """Ours: the first host that sends DPoP is an event; its proof is not kept."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer])))
    with caplog.at_level(logging.INFO, logger="ballast.oauth"):
        for _ in range(3):
            assert post(url, request("ping"), headers(Authorization="DPoP eyJhbGciOi.x.y")).status_code == 401

    assert [record.getMessage() for record in caplog.records if record.name == "ballast.oauth"] == [
        "First sight of an unknown auth method in endpoint: DPoP"
    ]


@pytest.mark.parametrize("agent", CHATGPT)
def test_chatgpt_is_told_in_a_result_that_a_tool_needs_a_login(notes: str, agent: str) -> None:
    """Facts on the wire, 3.8: its card to link an account needs the result; a bare 401 is ignored on a call."""
    reply = post(notes, call("count_notes", {}, id_=7), headers(User_Agent=agent))
    result = reply.json()["result"]

    assert (reply.status_code, reply.json()["id"], result["isError"]) == (200, 7, True)
    (said,) = result["_meta"]["mcp/www_authenticate"]
    assert said.startswith(f'Bearer resource_metadata="{METADATA}"')
    assert 'error="insufficient_scope"' in said
    assert "error_description=" in said
    assert "count_notes" in told(reply)


def test_the_result_in_band_is_complete_in_the_newest_revision(notes: str) -> None:
    """MCP 2026-07-28: `resultType` is required on every result."""
    said, body = modern("tools/call", {"name": "count_notes", "arguments": {}})

    result = post(notes, body, said).json()["result"]

    assert (result["resultType"], result["isError"]) == ("complete", True)


@pytest.mark.parametrize("agent", OTHERS)
def test_any_other_host_is_told_by_the_status(notes: str, agent: str) -> None:
    """Facts on the wire, section 6: Claude needs HTTP 401; behind an API there is nobody to log in."""
    reply = post(notes, call("count_notes", {}), headers(User_Agent=agent))

    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("agent", CHATGPT + OTHERS)
@pytest.mark.parametrize("method", ["server/discover", "initialize", "tools/list", "zzz/zzz"])
def test_what_is_no_tool_call_is_told_by_the_status_to_everybody(notes: str, agent: str, method: str) -> None:
    """Facts on the wire, 3.1: 401 on the first request starts the login."""
    assert post(notes, request(method), headers(User_Agent=agent)).status_code == 401


@pytest.mark.parametrize("agent", CHATGPT)
def test_chatgpt_with_a_dead_token_gets_401_for_that_drives_its_refresh(
    provider: IdentityProvider, notes: str, agent: str
) -> None:
    """Incident P-08; facts on the wire, section 0."""
    reply = post(notes, call("count_notes", {}), headers(User_Agent=agent) | bearer(provider.token(exp=1)))

    assert reply.status_code == 401


def test_a_missing_permission_is_a_step_up(provider: IdentityProvider, notes: str) -> None:
    """RFC 6750, section 3.1; SEP on step-up: all the scopes that the call needs, in one challenge."""
    token = bearer(provider.token(scope="notes.read"))

    other = post(notes, call("write_note", {"text": "x"}), headers(User_Agent="Claude-User") | token)
    chat = post(notes, call("write_note", {"text": "x"}), headers() | token)

    assert other.status_code == 403
    assert (
        f'resource_metadata="{METADATA}", scope="notes.write", error="insufficient_scope"'
        in (other.headers["WWW-Authenticate"])
    )
    assert chat.status_code == 200
    assert 'scope="notes.write"' in chat.json()["result"]["_meta"]["mcp/www_authenticate"][0]


def test_a_permission_for_one_tool_is_enough_for_that_tool(provider: IdentityProvider, notes: str) -> None:
    """Ours: scopes are asked for where they are used."""
    token = bearer(provider.token(scope="notes.read"))

    assert post(notes, call("whose_notes", {}), headers() | token).json()["result"]["isError"] is False
    assert post(notes, call("count_notes", {}), headers() | token).json()["result"]["isError"] is False


def test_what_every_token_must_allow_is_asked_of_every_request(provider: IdentityProvider, serve: Serve) -> None:
    """RFC 6750, section 3.1."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer], required_scopes=["notes.use"])))

    missing = post(url, request("tools/list"), headers() | bearer(provider.token()))
    there = post(url, request("tools/list"), headers() | bearer(provider.token(scope="notes.use")))

    assert (missing.status_code, there.status_code) == (403, 200)
    assert 'scope="notes.use"' in missing.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "body",
    [
        request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {}}),
        request("tools/list"),
        request("resources/list"),
        request("ping"),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {},
        [],
        call("opening_hours", {}),
    ],
)
def test_in_mixed_mode_anybody_may_shake_hands_and_list(mixed: str, body: Any) -> None:
    """Facts on the wire, 3.8: ChatGPT's third mode; probes without a method included."""
    reply = post(mixed, body, headers(User_Agent="Claude-User"))

    assert reply.status_code in {200, 202}
    assert "error" not in (reply.json() if reply.content else {})


def test_in_mixed_mode_discovery_is_open_too(mixed: str) -> None:
    """MCP 2026-07-28."""
    said, body = modern("server/discover")

    assert post(mixed, body, said).json()["result"]["supportedVersions"]


@pytest.mark.parametrize(
    "body",
    [
        call("whose_notes", {}),
        call("no_such_tool", {}),
        request("prompts/get", {"name": "x"}),
        request("resources/read", {"uri": "notes://1"}),
        request("tools/call", {"name": ["opening_hours"]}),
        [call("opening_hours", {})],
        b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"count_notes"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"count_notes"},"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"opening_hours","name":"count_notes"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping"',
        b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
        json.dumps(call("count_notes", {})).encode("utf-16"),
        b"[" * 100_000,
        b'{"method": {}}',
        b"\xff\xfe",
    ],
)
def test_in_mixed_mode_everything_else_needs_a_token(mixed: str, body: Any) -> None:
    """Ours: what could be read in two ways is not open."""
    assert post(mixed, body, headers(User_Agent="Claude-User")).status_code == 401


def test_in_mixed_mode_a_dead_token_is_refused_also_for_what_is_open(provider: IdentityProvider, mixed: str) -> None:
    """Ours: the person believes to be logged in; a 401 lets the host refresh."""
    assert post(mixed, request("tools/list"), headers() | bearer(provider.token(exp=1))).status_code == 401


def test_tools_are_listed_with_their_schemes_in_both_places(mixed: str) -> None:
    """Facts on the wire, 3.8: the descriptor's member, and the same under `_meta`."""
    listed = {tool["name"]: tool for tool in post(mixed, request("tools/list")).json()["result"]["tools"]}
    schemes = {name: tool["securitySchemes"] for name, tool in listed.items()}

    assert schemes == {
        "whose_notes": [{"type": "oauth2", "scopes": ["notes.read"]}],
        "write_note": [{"type": "oauth2", "scopes": ["notes.write"]}],
        "count_notes": [{"type": "oauth2", "scopes": []}],
        "opening_hours": [{"type": "noauth"}],
    }
    assert {name: tool["_meta"]["securitySchemes"] for name, tool in listed.items()} == schemes


def _status(url: str, lines: list[bytes], body: bytes) -> int:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as line:
        head = [b"POST /mcp HTTP/1.1", b"Host: notes.example.com", b"Connection: close"]
        head += [b"Content-Type: application/json", b"Content-Length: %d" % len(body), *lines]
        line.sendall(b"\r\n".join(head) + b"\r\n\r\n" + body)
        return int(line.makefile("rb").readline().split()[1])


def _as_token(head: dict[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(head).encode()).rstrip(b"=") + b".e30.AAAA"


_VALUES = st.binary(max_size=120).map(lambda raw: bytes(byte for byte in raw if byte not in b"\r\n\0"))
_SCHEMES = st.sampled_from([b"Bearer ", b"bearer ", b"BEARER\t", b"Basic ", b"DPoP ", b"", b"Bearer", b","])
_TOKENS = st.one_of(
    _VALUES,
    st.lists(st.from_regex(rb"[A-Za-z0-9_-]{0,20}", fullmatch=True), min_size=2, max_size=5).map(b".".join),
    st.dictionaries(
        st.sampled_from(["alg", "typ", "kid", "crit", "jwk", "zip", "b64"]),
        st.none() | st.text() | st.integers() | st.lists(st.text()),
    ).map(_as_token),
)


@settings(max_examples=300, deadline=None)
@given(scheme=_SCHEMES, token=_TOKENS, twice=st.booleans())
def test_no_authorization_header_makes_the_connector_fail(mixed: str, scheme: bytes, token: bytes, twice: bool) -> None:
    """Ours: whatever bytes stand in the header, the answer is a refusal and never a 5xx."""
    line = b"Authorization: " + scheme + token
    body = json.dumps(request("prompts/get", {"name": "x"})).encode()

    assert _status(mixed, [line] * (1 + twice), body) in {400, 401}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_BODIES = st.one_of(
    st.binary(max_size=60),
    _JSON.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {"method": st.sampled_from(["tools/call", "ping", "tools/list", "resources/read"]) | _JSON},
        optional={"id": _JSON, "params": _JSON, "jsonrpc": _JSON},
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=300, deadline=None)
@given(body=_BODIES, agent=st.sampled_from([b"openai-mcp/1.0.0", b"Claude-User"]))
def test_no_body_without_a_token_makes_the_connector_fail(mixed: str, body: bytes, agent: bytes) -> None:
    """Ours: in mixed mode the gate reads bodies of strangers; none makes a 5xx or a 422."""
    assert _status(mixed, [b"User-Agent: " + agent], body) in {200, 202, 400, 401, 404}
