"""Issuer, resource and public URL: one string each, and a refusal to start when two spellings meet."""

import asyncio
from typing import Any

import pytest

from connector import DeclarationError
from connector.oauth import Introspection, Place, ResourceServer
from connector.oauth.noticed import Notices
from connector.oauth.one_string import (
    accepted_audiences,
    are_nearly_the_same,
    metadata_urls,
    resource_metadata_url,
    resource_of,
)
from connector.stores.memory import MemoryStore
from tests.loopback import Serve
from tests.oauth.identity import IdentityProvider

ISSUER = "https://login.example.com"


def place(public_url: str = "https://notes.example.com", path: str = "/mcp", **more: Any) -> Place:
    return Place(
        public_url=public_url,
        path=path,
        store=MemoryStore(),
        secret=b"x" * 32,
        scopes=frozenset(),
        notice=Notices(),
        **more,
    )


@pytest.mark.parametrize(
    ("public_url", "path", "resource", "metadata"),
    [
        (
            "https://a.example.com",
            "/mcp",
            "https://a.example.com/mcp",
            "https://a.example.com/.well-known/oauth-protected-resource/mcp",
        ),
        (
            "https://a.example.com/",
            "/mcp",
            "https://a.example.com/mcp",
            "https://a.example.com/.well-known/oauth-protected-resource/mcp",
        ),
        (
            "https://A.Example.com:443",
            "/mcp",
            "https://A.Example.com:443/mcp",
            "https://A.Example.com:443/.well-known/oauth-protected-resource/mcp",
        ),
        (
            "https://a.example.com",
            "/team/mcp/",
            "https://a.example.com/team/mcp/",
            "https://a.example.com/.well-known/oauth-protected-resource/team/mcp",
        ),
        (
            "https://a.example.com",
            "/",
            "https://a.example.com/",
            "https://a.example.com/.well-known/oauth-protected-resource",
        ),
    ],
)
def test_the_resource_is_spelt_as_it_was_given(public_url: str, path: str, resource: str, metadata: str) -> None:
    """RFC 9728, section 3.1; incident P-33: no case, port or slash is touched."""
    assert resource_of(public_url, path) == resource
    assert resource_metadata_url(public_url, path) == metadata


def test_audiences_are_the_resource_its_twin_and_the_origin_and_nothing_else() -> None:
    """Incident O-04."""
    assert accepted_audiences("https://a.example.com", "/mcp") == {
        "https://a.example.com/mcp",
        "https://a.example.com/mcp/",
        "https://a.example.com",
    }


def test_metadata_is_looked_for_where_chatgpt_looks() -> None:
    """Facts on the wire, 3.1, point 3."""
    assert metadata_urls("https://example.com/api/oauth") == (
        "https://example.com/.well-known/oauth-authorization-server/api/oauth",
        "https://example.com/.well-known/openid-configuration/api/oauth",
        "https://example.com/api/oauth/.well-known/openid-configuration",
    )
    assert metadata_urls("https://example.com/") == (
        "https://example.com/.well-known/oauth-authorization-server",
        "https://example.com/.well-known/openid-configuration",
    )


@pytest.mark.parametrize(
    ("one", "other", "nearly"),
    [
        ("https://a.example.com/mcp", "https://a.example.com/mcp/", True),
        ("https://a.example.com", "https://A.example.com", True),
        ("https://a.example.com:443/x", "https://a.example.com/x", True),
        ("https://a.example.com/mcp", "https://a.example.com/mcp", False),
        ("https://a.example.com/mcp", "https://a.example.com/MCP", False),
        ("https://a.example.com", "https://b.example.com", False),
        ("https://a.example.com:8443", "https://a.example.com", False),
        ("api://notes", "api://notes", False),
        ("https://[", "https://[/", True),
    ],
)
def test_two_spellings_of_one_place_are_recognised(one: str, other: str, *, nearly: bool) -> None:
    """Ours: URL equivalence by RFC 3986, section 6.2, as far as it is not in doubt."""
    assert are_nearly_the_same(one, other) is nearly


@pytest.mark.parametrize(
    ("says", "options"),
    [
        ("issuers=[] lets nobody in", {"issuers": []}),
        ("is one text: write a list", {"issuers": ISSUER}),
        ("is no URL", {"issuers": ["login.example.com"]}),
        ("must be https", {"issuers": ["http://login.example.com"]}),
        ("has a query", {"issuers": [ISSUER + "?tenant=1"]}),
        ("is a template", {"issuers": ["https://login.microsoftonline.com/{tenantid}/v2.0"]}),
        ("one place in two spellings", {"issuers": [ISSUER, ISSUER + "/"]}),
        ("write 'https://notes.auth0.com/'", {"issuers": ["https://notes.auth0.com"], "profile": "auth0"}),
        (
            "write 'https://sso.example.com/realms/a'",
            {"issuers": ["https://sso.example.com/realms/a/"], "profile": "keycloak"},
        ),
        ("is not known: use one of", {"issuers": [ISSUER], "profile": "azure"}),
        ("needs audience=", {"issuers": [ISSUER], "profile": "entra"}),
        ("needs audience=", {"issuers": [ISSUER], "profile": "cognito"}),
        (
            "asks one issuer",
            {
                "issuers": [ISSUER, "https://b.example.com"],
                "introspection": Introspection(client_id="a", client_secret="b"),
            },
        ),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(says: str, options: dict[str, Any]) -> None:
    """Ours: the sentence says what to change."""
    with pytest.raises(DeclarationError, match=says.replace("[", r"\[").replace("?", r"\?")):
        ResourceServer(**options)


@pytest.mark.parametrize("audience", ["https://notes.example.com/mcp/", "https://Notes.example.com/mcp"])
def test_an_audience_that_only_nearly_is_the_resource_is_refused(audience: str) -> None:
    """Incidents O-04, P-31: a slash is enough for an identity provider to refuse every login."""
    with pytest.raises(DeclarationError, match=r"write 'https://notes\.example\.com/mcp' in both places"):
        ResourceServer(issuers=[ISSUER], audience=audience).fit(place())


@pytest.mark.parametrize("audience", ["https://notes.example.com/mcp", "api://notes", "https://notes.example.com"])
def test_an_audience_that_is_the_resource_or_plainly_another_string_is_taken(audience: str) -> None:
    """Ours: identity providers have names of their own for an API."""
    ResourceServer(issuers=[ISSUER], audience=audience).fit(place())


@pytest.mark.asyncio
async def test_an_issuer_that_calls_itself_otherwise_stops_the_start(serve: Serve) -> None:
    """Incident P-33, CT-21: both strings stand in the sentence, and which to configure."""
    provider = IdentityProvider()
    origin = await asyncio.to_thread(serve, provider.app)
    provider.issuer = origin + "/"
    fitted = ResourceServer(issuers=[origin]).fit(place())

    with pytest.raises(DeclarationError, match=f"issuer '{origin}' calls itself '{origin}/'.*configure '{origin}/'"):
        async with fitted.running():
            pass


@pytest.mark.asyncio
async def test_an_issuer_that_is_out_does_not_stop_the_start() -> None:
    """Ours: a connector must not stay down because its identity provider is."""
    fitted = ResourceServer(issuers=["http://127.0.0.1:9"]).fit(place())

    async with fitted.running():
        assert fitted.routes()


def test_an_anonymous_tool_behind_a_list_that_needs_a_token_is_refused() -> None:
    """Ours: nobody without a token could find it."""
    from connector.oauth import ToolAccess

    with pytest.raises(DeclarationError, match="anonymous_listing=True"):
        ResourceServer(issuers=[ISSUER]).fit(place(tools={"hours": ToolAccess(anonymous=True)}))
