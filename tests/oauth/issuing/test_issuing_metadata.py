"""What the authorization server says of itself, and that it is one string everywhere."""

import pytest

from tests.oauth.issuing.house import CHATGPT, house, sent_back

PATHS = (
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/mcp",
    "/mcp/.well-known/openid-configuration",
)


def test_the_same_document_is_found_under_every_spelling() -> None:
    """CT-20: RFC 8414 and OpenID spelling, at the root and with the path inserted, without credentials."""
    with house() as at:
        answers = [at.http.get(at.url + path) for path in PATHS]

        assert [answer.status_code for answer in answers] == [200] * 5
        assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
        assert {answer.text for answer in answers} == {answers[0].text}


def test_it_claims_what_is_there() -> None:
    """Facts 3.2: S256, client documents, iss in every response; RFC 8414 for the rest."""
    with house() as at:
        assert at.metadata() == {
            "issuer": at.url,
            "authorization_endpoint": f"{at.url}/authorize",
            "token_endpoint": f"{at.url}/token",
            "registration_endpoint": f"{at.url}/register",
            "revocation_endpoint": f"{at.url}/revoke",
            "scopes_supported": ["notes.read", "notes.write"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": [
                "none", "client_secret_basic", "client_secret_post", "private_key_jwt",
            ],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
            "revocation_endpoint_auth_methods_supported": [
                "none", "client_secret_basic", "client_secret_post", "private_key_jwt",
            ],
            "revocation_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
            "authorization_response_iss_parameter_supported": True,
            "client_id_metadata_document_supported": True,
        }  # fmt: skip


def test_what_is_turned_off_is_not_claimed() -> None:
    """Ours: a claim that does not hold sends hosts into a dead end."""
    with house(client_documents=False) as at:
        assert at.metadata()["client_id_metadata_document_supported"] is False
        answer = at.authorize("https://chatgpt.com/oauth/client.json")
        assert answer.status_code == 400


@pytest.mark.parametrize("public_url", ["https://notes.example.com", "https://notes.example.com/"])
def test_the_issuer_is_the_public_url_byte_for_byte(public_url: str) -> None:
    """CT-21, incident P-33: clients compare strings; a slash more or less kills the login."""
    with house(public_url=public_url) as at:
        resource = at.http.get(f"{at.url}/.well-known/oauth-protected-resource/mcp").json()
        back = sent_back(at.authorize(at.client_id(), resource=None))

        assert at.metadata()["issuer"] == public_url
        assert resource["authorization_servers"] == [public_url]
        assert resource["resource"] == "https://notes.example.com/mcp"
        assert back["iss"] == public_url
        assert at.metadata()["token_endpoint"] == "https://notes.example.com/token"


def test_a_page_of_any_origin_may_read_the_documents_and_use_the_endpoints() -> None:
    """Ours: inspectors in a browser; the answers carry no cookie's authority."""
    with house() as at:
        asked = {"Origin": "http://localhost:6274", "Access-Control-Request-Method": "POST"}
        for path in ("/register", "/token", "/revoke"):
            answer = at.http.options(at.url + path, headers=asked)
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*"), path
        assert at.register().headers["access-control-allow-origin"] == "*"
        assert at.http.get(at.url + PATHS[0]).headers["access-control-allow-origin"] == "*"
        assert CHATGPT in at.register().text
