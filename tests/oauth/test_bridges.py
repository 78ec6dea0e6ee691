"""What is known of identity providers, and that it is used."""

import pytest

from connector.oauth import ResourceServer
from connector.oauth.bridges import BRIDGES, STANDARD, asked_as, for_upstream, mended
from connector.oauth.one_string import is_same_issuer
from tests.loopback import Serve
from tests.oauth.identity import IdentityProvider
from tests.oauth.notes import bearer, locked
from tests.wire import call, headers, post, request

ASKED = {"client_id": "chat", "scope": "openid notes.read", "resource": "https://notes.example.com/mcp", "state": "s"}


@pytest.mark.parametrize("name", sorted(set(BRIDGES) - {"standard"}))
def test_every_bridge_says_why_it_is_as_it_is(name: str) -> None:
    """Ours: a quirk without an incident and a date cannot be taken out again."""
    bridge = BRIDGES[name]

    assert bridge.because
    assert all(seen.what and seen.where and seen.when.count("-") == 2 for seen in bridge.because)
    assert bridge.advice


def test_upstream_of_entra_there_is_no_resource_and_scopes_are_qualified() -> None:
    """Incident P-31, CT-25b: AADSTS9010010."""
    sent = for_upstream(BRIDGES["entra"], ASKED, audience="api://notes")

    assert sent == {"client_id": "chat", "scope": "openid api://notes/notes.read", "state": "s"}


def test_upstream_of_auth0_the_audience_has_its_own_parameter() -> None:
    """Incident P-31, CT-25b."""
    sent = for_upstream(BRIDGES["auth0"], ASKED, audience="https://notes.example.com/mcp")

    assert "resource" not in sent
    assert sent["audience"] == "https://notes.example.com/mcp"
    assert sent["scope"] == "openid notes.read"


def test_a_standard_provider_is_sent_what_was_asked() -> None:
    """RFC 8707."""
    assert for_upstream(STANDARD, ASKED) == ASKED


@pytest.mark.parametrize(
    ("scope", "asked"),
    [("read", "api://n/read"), ("openid", "openid"), ("offline_access", "offline_access"), ("api://m/x", "api://m/x")],
)
def test_scopes_are_qualified_once_and_never_those_of_openid(scope: str, asked: str) -> None:
    """Incident P-31."""
    assert asked_as(BRIDGES["entra"], scope, "api://n/") == asked


def test_metadata_is_mended_only_where_it_is_silent() -> None:
    """anthropics/claude-ai-mcp#786, 2026-08-06: Entra ID does S256 and does not say so."""
    assert mended(BRIDGES["entra"], {"issuer": "x"})["code_challenge_methods_supported"] == ["S256"]
    assert mended(BRIDGES["entra"], {"code_challenge_methods_supported": ["plain"]}) == {
        "code_challenge_methods_supported": ["plain"]
    }
    assert mended(STANDARD, {"issuer": "x"}) == {"issuer": "x"}


@pytest.mark.parametrize(
    ("said", "tolerates", "same"),
    [
        ("https://a/", False, False),
        ("https://a/", True, True),
        ("https://a", True, True),
        ("https://a//", True, False),
        ("https://A", True, False),
        (None, True, False),
        (["https://a"], True, False),
    ],
)
def test_an_issuer_may_differ_by_one_slash_where_that_is_known(said: object, *, tolerates: bool, same: bool) -> None:
    """Incident P-33."""
    assert is_same_issuer(said, "https://a", tolerates_slash=tolerates) is same


@pytest.fixture
def provider(serve: Serve) -> IdentityProvider:
    provider = IdentityProvider()
    provider.issuer = serve(provider.app)
    return provider


def test_entras_tokens_open_the_door(provider: IdentityProvider, serve: Serve) -> None:
    """Incident P-31: bare scopes in `scp`, the client in `azp`, the application's id as audience; asked for in full."""
    lock = ResourceServer(issuers=[provider.issuer], profile="entra", audience=["api://notes", "0af5-notes"])
    url = serve(locked(lock))
    token = provider.token(aud="0af5-notes", scope=None, scp="notes.read", client_id=None, azp="chat")

    reply = post(url, call("whose_notes", {}), headers() | bearer(token))
    refused = post(url, request("tools/list"))
    unqualified = provider.token(aud="https://notes.example.com/mcp")

    assert reply.json()["result"]["content"][0]["text"].startswith("anna chat ")
    assert 'scope="api://notes/notes.read api://notes/notes.write"' in refused.headers["WWW-Authenticate"]
    assert post(url, request("tools/list"), headers() | bearer(unqualified)).status_code == 401


def test_auth0s_tokens_open_the_door_with_and_without_the_slash(serve: Serve) -> None:
    """Incident P-33: the issuer ends in a slash; some of its tokens were seen without."""
    provider = IdentityProvider()
    provider.issuer = serve(provider.app) + "/"
    provider.metadata = {"jwks_uri": provider.issuer + "keys"}
    url = serve(locked(ResourceServer(issuers=[provider.issuer], profile="auth0")))

    for issuer in (provider.issuer, provider.issuer.rstrip("/")):
        token = provider.token(iss=issuer, scope=None, permissions=["notes.read"])
        assert post(url, call("whose_notes", {}), headers() | bearer(token)).status_code == 200


def test_cognitos_tokens_name_their_client_instead_of_an_audience(provider: IdentityProvider, serve: Serve) -> None:
    """AWS re:Post: access tokens without `aud`; a token of another app client stays out."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer], profile="cognito", audience=["chat"])))

    ours = post(url, request("tools/list"), headers() | bearer(provider.token(aud=None)))
    other = post(url, request("tools/list"), headers() | bearer(provider.token(aud=None, client_id="shop")))
    bound = post(url, request("tools/list"), headers() | bearer(provider.token(aud="shop", client_id="chat")))

    assert [reply.status_code for reply in (ours, other, bound)] == [200, 401, 401]


def test_oktas_tokens_open_the_door(provider: IdentityProvider, serve: Serve) -> None:
    """Okta: scopes are a list in `scp`, the client is `cid`."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer], profile="okta", audience="api://default")))
    token = provider.token(aud="api://default", scope=None, scp=["notes.read"], client_id=None, cid="chat")

    reply = post(url, call("whose_notes", {}), headers() | bearer(token))

    assert reply.json()["result"]["content"][0]["text"].startswith("anna chat ")
