"""A whole connector with the built-in authorization server, from registration to a tool."""

import hashlib

import httpx2
import pytest

from connector.errors import DeclarationError
from connector.oauth import AuthorizationServer, Place
from connector.stores.memory import MemoryStore
from tests.loopback import Serve
from tests.oauth.issuing.house import CHALLENGE, CHATGPT, SECRET, VERIFIER, sent_back
from tests.oauth.notes import PUBLIC, bearer, locked, told
from tests.wire import call, headers, post


def test_a_tool_knows_who_asks_by_which_client_and_with_which_token(serve: Serve) -> None:
    """CT-21b, CT-28b: register, authorize, redeem, call; the scopes are those that the tools declare."""
    url = serve(locked(AuthorizationServer(approve="everyone")))
    body = {"redirect_uris": [CHATGPT], "client_name": "ChatGPT"}
    client = httpx2.post(f"{url}/register", json=body).json()
    asked = {
        "response_type": "code", "client_id": client["client_id"], "code_challenge": CHALLENGE,
        "code_challenge_method": "S256", "resource": f"{PUBLIC}/mcp",
    }  # fmt: skip
    back = sent_back(httpx2.get(f"{url}/authorize", params=asked))
    form = {
        "grant_type": "authorization_code", "code": back["code"], "client_id": client["client_id"],
        "code_verifier": VERIFIER,
    }  # fmt: skip
    tokens = httpx2.post(f"{url}/token", data=form).json()

    assert client["scope"] == tokens["scope"] == "notes.read notes.write"
    assert back["iss"] == PUBLIC
    said = post(url, call("whose_notes", {}), headers() | bearer(tokens["access_token"]))
    digest = hashlib.sha256(tokens["access_token"].encode()).hexdigest()
    assert told(said) == f"developer {client['client_id']} {digest}"
    assert post(url, call("whose_notes", {}), headers() | bearer("made up")).status_code == 401


@pytest.mark.parametrize(
    ("public_url", "secret", "sentence"),
    [
        ("https://notes.example.com/base", SECRET, "has a path"),
        ("https://notes.example.com?x=1", SECRET, "query"),
        ("http://notes.example.com", SECRET, "must be https"),
        ("notes.example.com", SECRET, "is no URL"),
        ("https://notes.example.com", b"short", "has 5 bytes"),
    ],
)
def test_a_place_where_it_cannot_work_is_refused_before_it_starts(
    public_url: str, secret: bytes, sentence: str
) -> None:
    """Issue 5, item 4: refuses to start when strings contradict."""
    place = Place(
        public_url=public_url, path="/mcp", store=MemoryStore(), secret=secret, scopes=frozenset(), notice=print
    )
    with pytest.raises(DeclarationError, match=sentence):
        AuthorizationServer(approve="everyone").fit(place)
