"""Registration: what is asked is replaced by what is supported, and refused only where that protects somebody."""

import base64
import json
from typing import Any

import httpx2
import pytest

from connector.oauth.issuing import Limits
from connector.stores.memory import MemoryStore
from tests.oauth.issuing.house import CHATGPT, house

VSCODE = {
    "client_name": "Visual Studio Code",
    "client_uri": "https://code.visualstudio.com",
    "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    "response_types": ["code"],
    "redirect_uris": [
        "https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect", "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
    ],
    "token_endpoint_auth_method": "none",
    "application_type": "native",
}  # fmt: skip

WITH = {"redirect_uris": [CHATGPT]}

NAMES = (
    "client_name", "scope", "grant_types", "response_types", "contacts", "jwks", "token_endpoint_auth_method",
    "application_type", "logo_uri", "software_statement", "client_uri",
)  # fmt: skip

VALUES: list[Any] = [None, "", 7, [], {}, [None], "unheard-of"]

ODD = [{**WITH, name: value} for name in NAMES for value in VALUES]

BODIES: list[Any] = [
    WITH,
    VSCODE,
    {**WITH, "client_name": "ChatGPT", "scope": "mcp offline_access mcp", "token_endpoint_auth_method": "none"},
    *ODD,
    {**WITH, "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"]},
    {**WITH, "response_types": ["code", "none"]},
    {**WITH, "scope": "openid profile email offline_access"},
    {**WITH, "application_type": "native"},
    {**WITH, "token_endpoint_auth_method": "client_secret_jwt"},
    {**WITH, "token_endpoint_auth_method": "tls_client_auth"},
    {**WITH, "token_endpoint_auth_method": "private_key_jwt"},
    {**WITH, "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}},
    {**WITH, "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://a.example/\ud800"},
    {**WITH, "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://" + "a" * 900},
    {**WITH, "software_statement": "eyJhbGciOiJub25lIn0.e30."},
    {**WITH, "client_id": "I choose it", "client_secret": "and this"},
    {**WITH, "x_new_member": {"deep": [1, 2, {"er": None}]}},
    {**WITH, "client_name": "\ud800 half a character"},
    {**WITH, "client_name": "x" * 5000},
    {"redirect_uris": CHATGPT},
    {"redirect_uris": [CHATGPT, "https://evil.test/x", None, 7]},
    {"redirect_uris": ["warp://mcp/oauth2callback"], "client_name": "Warp"},
    {"redirect_uris": ["com.example.app:/callback"]},
]  # fmt: skip

REFUSED: list[Any] = [
    {},
    [],
    None,
    "text",
    7,
    {"redirect_uris": None},
    {"redirect_uris": []},
    {"redirect_uris": {}},
    {"redirect_uris": [None, 7, {}]},
    {"redirect_uris": ["https://chatgpt.com.evil.test/connector/oauth/x"]},
    {"redirect_uris": ["https://chatgpt.com/connector/oauth/../x"]},
    {"redirect_uris": ["https://chatgpt.com@evil.test/connector/oauth/x"]},
    {"redirect_uris": ["javascript:alert(1)"]},
    {"redirect_uris": ["http://chatgpt.com/connector/oauth/x"]},
    {"redirect_uris": [f"http://127.0.0.1/{n}" for n in range(11)]},
    {"redirect_uris": ["https://chatgpt.com/connector/oauth/" + "x" * 900, "http://127.0.0.1/" + "y" * 900]},
]


def holds_nothing(value: Any) -> bool:
    """Whether a null or an empty string is anywhere in it."""
    if isinstance(value, dict | list):
        return any(map(holds_nothing, value.values() if isinstance(value, dict) else value))
    return value is None or value == ""


def test_every_shape_of_body_is_registered_with_what_is_supported() -> None:
    """CT-22, incidents P-28, O-08, O-12, O-16: 201, and no null or empty string in the answer."""
    with house() as at:
        for body in BODIES:
            answer = at.http.post(f"{at.url}/register", content=json.dumps(body))
            assert answer.status_code == 201, (body, answer.text)
            said = answer.json()
            assert not holds_nothing(said), (body, said)
            assert "authorization_code" in said["grant_types"], body
            assert set(said["grant_types"]) <= {"authorization_code", "refresh_token"}, body
            assert said["response_types"] == ["code"], body
            assert set(said["scope"].split()) <= {"notes.read", "notes.write"}, body
            assert said["token_endpoint_auth_method"] in {"none", "client_secret_basic", "client_secret_post"}
            assert "https://evil.test/x" not in said["redirect_uris"]
        assert len(BODIES) >= 60


def test_what_nobody_could_send_a_code_to_is_refused_in_the_words_of_the_rfc() -> None:
    """CT-22, CT-23: RFC 7591 section 3.2.2; never 422, never 500."""
    with house() as at:
        for body in REFUSED:
            answer = at.http.post(f"{at.url}/register", content=json.dumps(body))
            assert answer.status_code == 400, (body, answer.text)
            assert answer.json()["error"] in {"invalid_redirect_uri", "invalid_client_metadata"}, body
            assert answer.json()["error_description"]
            assert answer.headers["cache-control"] == "no-store"


def test_what_is_no_json_is_refused_as_metadata() -> None:
    """CT-22: broken, empty, deeply nested and oversized bodies."""
    with house() as at:
        for body in (
            b"",
            b"{",
            b"redirect_uris=https://a",
            b"\xff\xfe",
            b"[" * 50_000,
            b'{"a":' * 9_000,
            b" " * 70_000,
        ):
            answer = at.http.post(f"{at.url}/register", content=body)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata"), body[:20]


def test_visual_studio_code_gets_what_it_asked_for_without_the_device_grant() -> None:
    """Incident P-28, its literal body."""
    with house() as at:
        said = at.http.post(f"{at.url}/register", json=VSCODE).json()

        assert said["grant_types"] == ["authorization_code", "refresh_token"]
        assert said["redirect_uris"] == VSCODE["redirect_uris"]
        assert said["client_name"] == "Visual Studio Code"
        assert said["application_type"] == "native"
        assert said["token_endpoint_auth_method"] == "none"
        assert said["scope"] == "notes.read notes.write"
        assert "client_secret" not in said


def test_keys_that_are_named_at_registration_are_kept_with_the_id() -> None:
    """RFC 7591 section 2: private_key_jwt with jwks_uri; without it the client is a public one."""
    with house() as at:
        keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://a.example/jwks.json"}
        said = at.register(**keys).json()
        refused = at.redeem(said["client_id"], at.code(said["client_id"]))

        assert (said["token_endpoint_auth_method"], said["jwks_uri"]) == ("private_key_jwt", keys["jwks_uri"])
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        assert "jwks_uri" not in at.register(jwks_uri=keys["jwks_uri"]).json()


def test_unknown_members_grants_methods_and_scopes_are_noticed_by_name() -> None:
    """Issue 5, item 3: noted, not refused; never a value."""
    with house() as at:
        at.register(
            x_new_member="a value nobody may see",
            grant_types=["urn:ietf:params:oauth:grant-type:device_code"],
            token_endpoint_auth_method="attest_jwt_client_auth",
            scope="notes.read offline_access",
        )

        seen = {(thing.kind.value, thing.where.value, thing.name) for thing in at.notices.seen}
        assert seen == {
            ("member", "registration", "x_new_member"),
            ("grant", "registration", "urn:ietf:params:oauth:grant-type:device_code"),
            ("auth method", "registration", "attest_jwt_client_auth"),
            ("scope", "registration", "offline_access"),
        }
        assert "nobody may see" not in repr(at.notices)


def test_a_client_id_survives_a_restart_without_having_been_stored() -> None:
    """CT-29, incident T-08: a new process with an empty store still knows the client."""
    with house() as at:
        client_id = at.client_id()
        at.restart(store=MemoryStore())

        assert at.authorize(client_id).status_code == 302
        assert at.granted(client_id)["token_type"] == "Bearer"


def test_registering_writes_nothing_to_the_store() -> None:
    """Ours: nobody fills it by registering."""
    with house() as at:
        before = repr(at.store)
        for _ in range(20):
            at.client_id()
        assert repr(at.store) == before == "MemoryStore(calls=0, records=0)"


@pytest.mark.parametrize("what", ["another server's", "changed", "cut off", "made up"])
def test_a_client_id_that_was_not_given_here_is_unknown(what: str) -> None:
    """Ours: ids are sealed; CT-26: 401 invalid_client, on which hosts register again."""
    with house() as at, house(secret=b"another secret, also 32 bytes...") as other:
        own, foreign = at.client_id(), other.client_id()
        body, _, mac = own.partition(".")
        said = base64.urlsafe_b64decode(body.split("_", 2)[2] + "==").replace(b"chatgpt.com", b"evil.test.x")
        forged = "ballast_client_" + base64.urlsafe_b64encode(said).decode().rstrip("=") + "." + mac
        client_id = {"another server's": foreign, "changed": forged, "cut off": own[:-1], "made up": "abc"}[what]

        page = at.authorize(client_id)
        answer = at.redeem(client_id, at.code(own))

        assert (page.status_code, "location" in page.headers) == (400, False)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize("shown", ["basic", "post"])
def test_a_client_with_a_secret_may_show_it_either_way(method: str, shown: str) -> None:
    """Incident O-08; the secret outlives every restart as the id does."""
    with house() as at:
        said = at.register(token_endpoint_auth_method=method).json()
        at.restart(store=MemoryStore())
        client_id, secret = said["client_id"], said["client_secret"]
        code = at.code(client_id)
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": (
            "correct-horse-battery-staple-0123456789-abcdefg")}  # fmt: skip

        if shown == "basic":
            answer = at.http.post(f"{at.url}/token", data=form, auth=httpx2.BasicAuth(client_id, secret))
        else:
            answer = at.token(**form, client_id=client_id, client_secret=secret)

        assert said["client_secret_expires_at"] == 0
        assert answer.status_code == 200, answer.text


def test_a_secret_that_is_missing_or_wrong_is_refused() -> None:
    """RFC 6749 section 5.2: 401 invalid_client, and a challenge where a header was sent."""
    with house() as at:
        said = at.register(token_endpoint_auth_method="client_secret_basic").json()
        code = at.code(said["client_id"])

        for answer in (
            at.redeem(said["client_id"], code),
            at.redeem(said["client_id"], code, client_secret="wrong"),
            at.redeem(said["client_id"], code, client_secret="w\u00f6rng"),
            at.http.post(f"{at.url}/token", data={"grant_type": "authorization_code", "code": code},
                         auth=httpx2.BasicAuth(said["client_id"], "wrong")),
        ):  # fmt: skip
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert at.redeem(said["client_id"], code, client_secret=said["client_secret"]).status_code == 200


def test_more_registrations_than_an_address_may_make_are_put_off() -> None:
    """Ours: 429 with Retry-After, and the next minute is a new one."""
    with house(limits=Limits(registrations=3)) as at:
        answers = [at.register() for _ in range(4)]

        assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
        assert 1 <= int(answers[3].headers["retry-after"]) <= 60
        assert answers[3].json()["error"] == "temporarily_unavailable"


def test_a_client_id_fits_into_a_url() -> None:
    """Ours: proxies cut request lines at 4 or 8 KiB, and state and challenge need room as well."""
    with house() as at:
        longest = at.register(
            redirect_uris=[f"http://127.0.0.1/{n}{'x' * 100}" for n in range(9)], client_name="\U0001f600" * 60
        )
        assert len(at.http.post(f"{at.url}/register", json=VSCODE).json()["client_id"]) < 600
        assert len(longest.json()["client_id"]) < 3000
