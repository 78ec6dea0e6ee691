"""The documents a resource server serves, and the mirror of its authorization server's."""

import httpx2
import pytest

from connector.oauth import Keeping, ResourceServer
from tests.loopback import Serve
from tests.oauth.identity import RESOURCE, IdentityProvider
from tests.oauth.notes import PUBLIC, locked

ALWAYS_ASKED = Keeping(fresh=0, stale=86_400, between=0, after_failure=0)

OWN = ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"]
MIRRORED = [
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration/mcp",
    "/.well-known/openid-configuration",
    "/mcp/.well-known/openid-configuration",
]


@pytest.fixture
def provider(serve: Serve) -> IdentityProvider:
    provider = IdentityProvider()
    provider.issuer = serve(provider.app)
    return provider


def test_the_resource_names_itself_and_its_issuer_byte_by_byte(provider: IdentityProvider, serve: Serve) -> None:
    """RFC 9728; incidents P-33, O-07; CT-21: one string, the same at both addresses."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer], scopes=["notes.admin", "offline_access"])))

    for path in OWN:
        reply = httpx2.get(url + path)
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.json() == {
            "resource": RESOURCE,
            "authorization_servers": [provider.issuer],
            "scopes_supported": ["notes.admin", "notes.read", "notes.write"],
            "bearer_methods_supported": ["header"],
        }


@pytest.mark.parametrize("path", MIRRORED)
def test_the_issuers_metadata_is_found_on_this_host_too(provider: IdentityProvider, serve: Serve, path: str) -> None:
    """Incident P-25, CT-20b: hosts that build every address from the connector's. Unknown members stay."""
    provider.metadata = {"code_challenge_methods_supported": ["S256"], "x_new_in_2027": {"a": [1]}}
    url = serve(locked(ResourceServer(issuers=[provider.issuer])))

    reply = httpx2.get(url + path)

    assert reply.status_code == 200
    assert reply.json() == provider.described()
    assert reply.json()["issuer"] == provider.issuer


def test_the_mirror_outlives_an_outage_of_the_issuer(provider: IdentityProvider, serve: Serve) -> None:
    """Ours: what was known yesterday is better than nothing today."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer], keeping=ALWAYS_ASKED)))
    before = httpx2.get(url + MIRRORED[0])
    provider.is_out = True

    assert [httpx2.get(url + MIRRORED[0]).json() for _ in range(3)] == [before.json()] * 3


def test_without_anything_known_the_mirror_says_when_to_come_back(provider: IdentityProvider, serve: Serve) -> None:
    """Ours: JSON, never an HTML page (incident O-13)."""
    provider.is_out = True
    url = serve(locked(ResourceServer(issuers=[provider.issuer], keeping=ALWAYS_ASKED)))

    down = httpx2.get(url + MIRRORED[0])
    provider.is_out = False

    assert (down.status_code, down.headers["Retry-After"]) == (503, "5")
    assert down.json()["error"] == "temporarily_unavailable"
    assert httpx2.get(url + MIRRORED[0]).status_code == 200


def test_documents_can_be_read_by_pages_of_any_origin(provider: IdentityProvider, serve: Serve) -> None:
    """Browser inspectors fetch them, with MCP's own header, which makes a preflight."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer])))
    asked = {"Origin": "http://localhost:6274", "Access-Control-Request-Method": "GET"}

    assert httpx2.options(url + OWN[0], headers=asked).headers["Access-Control-Allow-Headers"] == "*"
    assert httpx2.get(url + OWN[0]).headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ["/.well-known/oauth-protected-resource/other", "/.well-known/jwks.json", "/token"])
def test_what_is_not_there_is_a_404_in_json(provider: IdentityProvider, serve: Serve, path: str) -> None:
    """Incidents O-13, P-17; CT-20a."""
    reply = httpx2.get(serve(locked(ResourceServer(issuers=[provider.issuer]))) + path)

    assert (reply.status_code, reply.headers["Content-Type"].split(";")[0]) == (404, "application/json")


def test_metadata_under_another_issuers_name_is_not_used(provider: IdentityProvider, serve: Serve) -> None:
    """RFC 8414, section 3.3: start-up refuses it; a later change makes it count as an outage."""
    url = serve(locked(ResourceServer(issuers=[provider.issuer], keeping=ALWAYS_ASKED)))
    before = httpx2.get(url + MIRRORED[0]).json()
    provider.metadata = {"issuer": "https://evil.example.com", "jwks_uri": "https://evil.example.com/keys"}

    assert [httpx2.get(url + MIRRORED[0]).json() for _ in range(3)] == [before] * 3
    assert before["issuer"] == provider.issuer
    assert PUBLIC not in before["issuer"]
