"""Which tokens a resource server takes, over real sockets: one for the issuer, one for the connector."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import httpx2
import jwt
import pytest

from connector.oauth import Introspection, Keeping, ResourceServer
from tests.loopback import Serve
from tests.oauth.identity import RESOURCE, IdentityProvider, make_key
from tests.oauth.notes import METADATA, bearer, locked, told
from tests.wire import call, headers, post

QUICK = Keeping(fresh=600, stale=86_400, between=0, after_failure=0)


@pytest.fixture
def provider(serve: Serve) -> IdentityProvider:
    provider = IdentityProvider()
    provider.issuer = serve(provider.app)
    return provider


@pytest.fixture
def notes(provider: IdentityProvider, serve: Serve) -> str:
    return serve(locked(ResourceServer(issuers=[provider.issuer], keeping=QUICK)))


def ask(url: str, token: str, tool: str = "whose_notes", **more: Any) -> httpx2.Response:
    return post(url, call(tool, more), headers(User_Agent="Claude-User") | bearer(token))


def test_a_token_of_the_issuer_for_this_resource_opens_the_door(provider: IdentityProvider, notes: str) -> None:
    """RFC 9068; CT-28b: the tool sees the subject, the client and the bytes of this very token."""
    token = provider.token(sub="anna", client_id="chat")

    reply = ask(notes, token)

    assert reply.status_code == 200
    assert told(reply) == f"anna chat {hashlib.sha256(token.encode()).hexdigest()}"


def test_every_call_has_its_own_token_also_within_one_sticky_session(provider: IdentityProvider, serve: Serve) -> None:
    """Incident O-03, CT-28b: the token of the session's first request is nobody's afterwards."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer]), sessions="sticky"))
    first, second = provider.token(jti="1"), provider.token(jti="2")
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    opening = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}
    session = post(url, opening, headers() | bearer(first)).headers["Mcp-Session-Id"]

    reply = post(
        url,
        call("whose_notes", {}),
        headers(Mcp_Session_Id=session, accept="application/json, text/event-stream") | bearer(second),
    )

    assert hashlib.sha256(second.encode()).hexdigest() in reply.text


def test_a_session_belongs_to_the_subject_and_not_to_a_token(provider: IdentityProvider, serve: Serve) -> None:
    """Incident O-02, CT-28: rotated token 200, another subject 404."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer]), sessions="sticky"))
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    opening = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}
    session = post(url, opening, headers() | bearer(provider.token(jti="1"))).headers["Mcp-Session-Id"]

    rotated = post(url, call("count_notes", {}), headers(Mcp_Session_Id=session) | bearer(provider.token(jti="2")))
    other = post(url, call("count_notes", {}), headers(Mcp_Session_Id=session) | bearer(provider.token(sub="ben")))

    assert (rotated.status_code, other.status_code) == (200, 404)


def test_a_client_that_registered_anew_opens_a_new_session(provider: IdentityProvider, serve: Serve) -> None:
    """Known gap of CT-28: the SDK ties a session to the client too (incident O-02). A 404 makes hosts start over."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer]), sessions="sticky"))
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    opening = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}
    session = post(url, opening, headers() | bearer(provider.token())).headers["Mcp-Session-Id"]

    anew = bearer(provider.token(client_id="chat-2"))

    assert post(url, call("count_notes", {}), headers(Mcp_Session_Id=session) | anew).status_code == 404
    assert post(url, call("count_notes", {}), headers() | anew).status_code == 200


@pytest.mark.parametrize("audience", [RESOURCE, RESOURCE + "/", "https://notes.example.com", ["x", RESOURCE]])
def test_grants_from_before_a_change_of_spelling_are_taken(
    provider: IdentityProvider, notes: str, audience: str | list[str]
) -> None:
    """Incident O-04, CT-25c: the resource, the resource with a slash, the origin."""
    assert ask(notes, provider.token(aud=audience)).status_code == 200


BAD_CLAIMS: list[tuple[str, dict[str, Any]]] = [
    ("another resource", {"aud": "https://notes.example.com/other"}),
    ("another resource", {"aud": "https://notes.example.com.evil.example/mcp"}),
    ("another resource", {"aud": "https://notes.example.com/mcp/x"}),
    ("another resource", {"aud": "HTTPS://notes.example.com/mcp"}),
    ("another resource", {"aud": "chat"}),
    ("another resource", {"aud": None}),
    ("another resource", {"aud": []}),
    ("another resource", {"aud": {"x": RESOURCE}}),
    ("expired", {"exp": int(time.time()) - 3600}),
    ("no expiry", {"exp": None}),
    ("no expiry", {"exp": "tomorrow"}),
    ("no expiry", {"exp": True}),
    ("no expiry", {"exp": float("inf")}),
    ("not valid yet", {"nbf": int(time.time()) + 3600}),
    ("not valid yet", {"iat": int(time.time()) + 3600}),
    ("another issuer", {"iss": "https://evil.example.com"}),
    ("another issuer", {"iss": None}),
]


@pytest.mark.parametrize(("reason", "said"), BAD_CLAIMS)
def test_a_genuine_token_that_is_not_for_here_and_now_is_refused_with_the_reason(
    provider: IdentityProvider, notes: str, reason: str, said: dict[str, Any]
) -> None:
    """RFC 8725, section 3.9; RFC 9068, section 4; audience confusion above all."""
    reply = ask(notes, provider.token(**said))

    assert reply.status_code == 401
    assert reason in reply.json()["error_description"]
    assert f'resource_metadata="{METADATA}"' in reply.headers["WWW-Authenticate"]
    assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]


def test_an_issuer_that_only_nearly_is_the_one_is_another(provider: IdentityProvider, notes: str) -> None:
    """Incident P-33: without a profile that knows of a slash, issuers are compared byte by byte."""
    assert ask(notes, provider.token(iss=provider.issuer + "/")).status_code == 401


def test_clocks_may_differ_by_a_minute(provider: IdentityProvider, notes: str) -> None:
    """Ours: no revision says a number; 60 s is what most libraries take."""
    now = int(time.time())

    assert ask(notes, provider.token(exp=now - 30)).status_code == 200
    assert ask(notes, provider.token(nbf=now + 30, iat=now + 30)).status_code == 200


def _unsigned(provider: IdentityProvider) -> str:
    return jwt.encode(provider.claims(), "", algorithm="none")


def _signed_with_the_public_key(provider: IdentityProvider) -> str:
    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    head = part(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "first"}).encode())
    body = head + b"." + part(json.dumps(provider.claims()).encode())
    signature = hmac.new(provider.key.public_pem, body, hashlib.sha256).digest()
    return (body + b"." + part(signature)).decode()


def _with_its_own_key(provider: IdentityProvider) -> str:
    stranger = make_key(key_id="stranger")
    return provider.token(key=stranger, headers={"jwk": stranger.jwk, "jku": "http://127.0.0.1:1/keys"})


def _of_another_kind(provider: IdentityProvider) -> str:
    return provider.token(headers={"typ": "logout+jwt"})


def _with_critical_extension(provider: IdentityProvider) -> str:
    return provider.token(headers={"crit": ["exp"]})


def _changed_on_the_way(provider: IdentityProvider) -> str:
    head, body, signature = provider.token().split(".")
    return f"{head}.{provider.token(sub='ben').split('.')[1]}.{signature}" if body else ""


@pytest.mark.parametrize(
    "forge",
    [
        _unsigned,
        _signed_with_the_public_key,
        _with_its_own_key,
        _of_another_kind,
        _with_critical_extension,
        _changed_on_the_way,
        lambda provider: provider.token(key=make_key(key_id="first")),
        lambda _: "opaque",
        lambda _: "a.b.c",
        lambda _: "eyJhbGciOiJFUzI1NiJ9.e30.AA",
    ],
)
def test_a_forged_token_is_refused(
    provider: IdentityProvider, notes: str, forge: Callable[[IdentityProvider], str]
) -> None:
    """RFC 8725: `none`, HMAC with a public key, keys the token brings along, other kinds of JWT, critical headers."""
    reply = ask(notes, forge(provider))

    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_every_public_key_signature_in_use_is_verified(provider: IdentityProvider, notes: str, algorithm: str) -> None:
    """RFC 7518, section 3.1; RFC 8037."""
    provider.key = make_key(algorithm, "other")
    provider.published.append(provider.key.jwk)

    assert ask(notes, provider.token()).status_code == 200


def test_a_token_without_key_id_is_tried_with_the_keys_that_fit(provider: IdentityProvider, notes: str) -> None:
    """RFC 7515, section 4.1.4: `kid` is optional."""
    provider.published = [make_key(key_id="a").jwk, provider.key.jwk, make_key("EdDSA", "c").jwk]

    assert ask(notes, provider.token(headers={"kid": None})).status_code == 200


def test_a_rotated_key_is_fetched_when_the_first_token_signed_with_it_comes(
    provider: IdentityProvider, notes: str
) -> None:
    """Ours: MCP says nothing of rotation; the SDK leaves it to whoever writes the verifier."""
    assert ask(notes, provider.token()).status_code == 200
    provider.key = make_key(key_id="second")
    provider.published = [provider.key.jwk]

    assert ask(notes, provider.token()).status_code == 200


def test_invented_key_ids_do_not_make_the_connector_ask_the_issuer_every_time(
    provider: IdentityProvider, serve: Serve
) -> None:
    """Ours: a stranger must not be able to use us against the issuer."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer])))
    for number in range(20):
        assert ask(url, provider.token(key=make_key(key_id=f"invented-{number}"))).status_code == 401

    assert provider.asked["/keys"] == 1


def test_known_keys_serve_through_an_outage_of_the_issuer(provider: IdentityProvider, serve: Serve) -> None:
    """Ours: an issuer that is down for a minute must not log everybody out; of a new key nobody can say."""
    stale_at_once = Keeping(fresh=0, stale=86_400, between=0, after_failure=0)
    url = serve(locked(ResourceServer(issuers=[provider.issuer], keeping=stale_at_once)))
    assert ask(url, provider.token()).status_code == 200
    provider.is_out = True

    assert [ask(url, provider.token()).status_code for _ in range(5)] == [200] * 5
    assert ask(url, provider.token(key=make_key(key_id="new"))).status_code == 503


def test_without_any_key_the_answer_is_come_back_and_not_log_in_again(provider: IdentityProvider, serve: Serve) -> None:
    """Ours: on a 401 hosts throw a good token away and bother a person."""
    provider.is_out = True
    url = serve(locked(ResourceServer(issuers=[provider.issuer], keeping=QUICK)))

    down = ask(url, provider.token())
    provider.is_out = False
    up = ask(url, provider.token())

    assert (down.status_code, down.headers["Retry-After"]) == (503, "5")
    assert "WWW-Authenticate" not in down.headers
    assert up.status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        {"scope": "openid notes.read"},
        {"scope": None, "scp": "notes.read"},
        {"scope": None, "scp": ["notes.read", "notes.write"]},
        {"scope": ["notes.read"]},
    ],
)
def test_scopes_are_read_in_every_form_in_which_issuers_write_them(
    provider: IdentityProvider, notes: str, said: dict[str, Any]
) -> None:
    """RFC 9068, section 2.2.3 (a text); Okta writes a list in `scp`, Entra ID a text."""
    assert ask(notes, provider.token(**said)).status_code == 200


def _introspected(provider: IdentityProvider, **options: Any) -> ResourceServer:
    how = Introspection(client_id="notes", client_secret="of the server", **options)
    return ResourceServer(issuers=[provider.issuer], introspection=how)


def test_an_opaque_token_is_asked_about_once_within_its_time(provider: IdentityProvider, serve: Serve) -> None:
    """RFC 7662; incident P-03: 84 verifications for 12 calls."""
    url = serve(locked(_introspected(provider)))
    provider.known["opaque"] = provider.claims() | {"active": True}

    replies = [ask(url, "opaque") for _ in range(12)]

    assert {reply.status_code for reply in replies} == {200}
    assert told(replies[0]).startswith("anna chat ")
    assert provider.asked["/introspect"] == 1


@pytest.mark.parametrize(
    "said",
    [
        {"active": False},
        {"active": "true"},
        {"active": True, "aud": "https://elsewhere.example.com"},
        {"active": True, "aud": None},
        {"active": True, "iss": "https://evil.example.com"},
        {"active": True, "exp": 1},
    ],
)
def test_an_opaque_token_that_is_dead_or_for_another_is_refused(
    provider: IdentityProvider, serve: Serve, said: dict[str, Any]
) -> None:
    """RFC 7662, section 2.2; a token is for this resource only if the issuer says so."""
    url = serve(locked(_introspected(provider)))
    answer = provider.claims() | said
    provider.known["opaque"] = {name: value for name, value in answer.items() if value is not None}

    assert ask(url, "opaque").status_code == 401


def test_an_opaque_token_during_an_outage_is_neither_good_nor_bad(provider: IdentityProvider, serve: Serve) -> None:
    """Ours: 503, for nobody can say."""
    url = serve(locked(_introspected(provider, keep=0)))
    provider.known["opaque"] = provider.claims() | {"active": True}
    assert ask(url, "opaque").status_code == 200
    provider.is_out = True

    assert ask(url, "opaque").status_code == 503
