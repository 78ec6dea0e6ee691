"""The authorization endpoint: tolerant of what hosts add, strict about where answers go and about PKCE."""

from urllib.parse import quote

import pytest

from tests.oauth.issuing.house import CHALLENGE, CHATGPT, house, sent_back


def test_an_answer_has_a_code_the_state_and_the_issuer() -> None:
    """RFC 9207, facts 3.2: iss in every response once it is advertised."""
    with house() as at:
        answer = at.authorize(at.client_id())

        back = sent_back(answer)
        assert answer.status_code == 302
        assert set(back) == {"code", "state", "iss"}
        assert (back["state"], back["iss"]) == ("af0ifjsldkj", at.url)
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "A"}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1] + "!"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"resource": "https://evil.test/mcp"}, "invalid_target"),
        ({"resource": "https://connector.example.com/mcp"}, "invalid_target"),
    ],
)
def test_a_verified_client_is_told_by_redirect_what_it_cannot_have(changed: dict[str, str], error: str) -> None:
    """PKCE downgrade, foreign resource (RFC 8707), RFC 6749 section 4.1.2.1: with state and iss, and no code."""
    with house() as at:
        back = sent_back(at.authorize(at.client_id(), **changed))

        assert back["error"] == error
        assert back["state"] == "af0ifjsldkj"
        assert back["iss"] == at.url
        assert "code" not in back


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.test/callback",
        "https://chatgpt.com/connector/oauth/AbC123xyz",
        "https://chatgpt.com/connector_platform_oauth_redirect/",
        "https://chatgpt.com/connector_platform_oauth_redirect?x=1",
        "https://chatgpt.com/connector_platform_oauth_redirect/../evil",
        "https://chatgpt.com.evil.test/connector_platform_oauth_redirect",
        "http://chatgpt.com/connector_platform_oauth_redirect",
        "//evil.test",
        "javascript:alert(1)",
    ],
)
def test_a_foreign_redirect_address_gets_a_page_and_no_redirect(redirect_uri: str) -> None:
    """Open redirect: an address that is not the client's own learns nothing, not even an error."""
    with house() as at:
        answer = at.authorize(at.client_id(), redirect_uri=redirect_uri)

        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert answer.headers["content-type"].startswith("text/html")
        assert "evil.test" not in answer.text


def test_a_program_on_the_computer_takes_any_port_and_nothing_else() -> None:
    """RFC 8252 section 7.3."""
    with house() as at:
        client_id = at.client_id(redirect_uris=["http://127.0.0.1/callback/FLLrQdlez6Uf"])

        good = at.authorize(client_id, redirect_uri="http://127.0.0.1:49321/callback/FLLrQdlez6Uf")
        bad = at.authorize(client_id, redirect_uri="http://127.0.0.1:49321/callback/other")

        assert sent_back(good, "http://127.0.0.1:49321/callback/FLLrQdlez6Uf?")["code"]
        assert (bad.status_code, "location" in bad.headers) == (400, False)


def test_an_own_scheme_and_a_query_of_the_client_stay_as_they_are() -> None:
    """RFC 6749 section 3.1.2: the query the address has is kept."""
    with house() as at:
        own = "cursor://anysphere.cursor-mcp/oauth/callback"
        query = "http://127.0.0.1:8000/callback?flow=1"
        client_id = at.client_id(redirect_uris=[own, query])

        assert sent_back(at.authorize(client_id, redirect_uri=own), own + "?code=")["state"]
        assert sent_back(at.authorize(client_id, redirect_uri=query), query + "&code=")["flow"] == "1"


def test_one_registered_address_need_not_be_named_and_one_of_several_must() -> None:
    """RFC 6749 section 3.1.2.3."""
    with house() as at:
        one, two = at.client_id(), at.client_id(redirect_uris=[CHATGPT, "http://127.0.0.1/cb"])

        assert sent_back(at.authorize(one, redirect_uri=None))["code"]
        assert at.authorize(two, redirect_uri=None).status_code == 400


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("notes.read", "notes.read"),
        ("notes.write notes.read notes.write", "notes.read notes.write"),
        ("notes.read openid offline_access", "notes.read"),
        ("openid offline_access", "notes.read notes.write"),
        (None, "notes.read notes.write"),
        ("", "notes.read notes.write"),
    ],
)
def test_unknown_scopes_are_dropped_and_a_missing_scope_has_a_default(scope: str | None, granted: str) -> None:
    """CT-25, incident P-09: the token response lists what was granted."""
    with house() as at:
        assert at.granted(at.client_id(), scope=scope)["scope"] == granted


def test_a_missing_scope_means_what_the_client_registered() -> None:
    """Incident P-09: after Disconnect and Connect there is no scope."""
    with house() as at:
        client_id = at.client_id(scope="notes.write")
        assert at.granted(client_id, scope=None)["scope"] == "notes.write"
        assert at.granted(client_id, scope="notes.read notes.write")["scope"] == "notes.read notes.write"  # step-up


@pytest.mark.parametrize("form", ["{url}/mcp", "{url}/mcp/", "{url}", "{url}/", "{url}/mcp?kb_name=X", None])
def test_every_spelling_of_the_resource_leads_to_a_token_that_works(form: str | None) -> None:
    """CT-25, incidents O-04 and O-05: the whole flow per form, and facts 3.1 for the query."""
    with house() as at:
        resource, client_id = form and form.format(url=at.url), at.client_id()

        answer = at.redeem(client_id, at.code(client_id, resource=resource), resource=resource)
        tokens = answer.json()

        assert answer.status_code == 200, answer.text
        assert at.call(tokens["access_token"]).json()["subject"] == "developer"
        assert at.refresh(client_id, tokens["refresh_token"], resource=resource).status_code == 200


def test_what_hosts_add_is_ignored_and_noticed() -> None:
    """CT-25, incident O-16: prompt, login_hint and id_token_hint are known; what is new is noted by name."""
    with house() as at:
        answer = at.authorize(
            at.client_id(),
            prompt="consent",
            login_hint="anna@example.com",
            id_token_hint="eyJhbGciOiJSUzI1NiJ9.e30.x",
            ui_locales="de",
            response_mode="query",
            x_host_trial="a value nobody may see",
            scope="notes.read brand.new",
        )

        assert sent_back(answer)["code"]
        seen = [(thing.kind.value, thing.where.value, thing.name) for thing in at.notices.seen]
        assert seen == [("parameter", "authorize", "x_host_trial"), ("scope", "authorize", "brand.new")]


@pytest.mark.parametrize(
    "state", ["a b&c=d#e", "\u00fc\u4e2d\U0001f600", "x" * 3000, '"><script>alert(1)</script>', "%0d%0a"]
)
def test_the_state_comes_back_as_it_was(state: str) -> None:
    """RFC 6749 section 4.1.2: the exact value."""
    with house() as at:
        assert sent_back(at.authorize(at.client_id(), state=state))["state"] == state


def test_even_a_state_that_is_no_text_comes_back_byte_for_byte() -> None:
    """Ours: hosts compare it."""
    with house() as at:
        asked = f"response_type=code&client_id={quote(at.client_id())}&code_challenge={CHALLENGE}"
        answer = at.http.get(f"{at.url}/authorize?{asked}&code_challenge_method=S256&state=%FF%00%C3%28")

        assert "state=%FF%00%C3%28&" in answer.headers["location"]


def test_without_a_state_there_is_none_in_the_answer() -> None:
    """RFC 6749 section 4.1.2: it is required only if it was sent."""
    with house() as at:
        assert set(sent_back(at.authorize(at.client_id(), state=None))) == {"code", "iss"}


def test_a_parameter_given_twice_with_two_values_is_refused_and_with_one_is_not() -> None:
    """RFC 6749 section 3.1; a client_id or redirect_uri given twice is answered on a page."""
    with house() as at:
        client_id = at.client_id()
        asked = [
            ("response_type", "code"), ("client_id", client_id), ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"), ("redirect_uri", CHATGPT),
        ]  # fmt: skip

        def get(*more: tuple[str, str]) -> tuple[int, str]:
            answer = at.http.get(f"{at.url}/authorize", params=[*asked, *more])
            return answer.status_code, answer.headers.get("location", "")

        assert get(("client_id", client_id), ("code_challenge", CHALLENGE))[1].startswith(f"{CHATGPT}?code=")
        assert "error=invalid_request" in get(("code_challenge_method", "plain"))[1]
        assert get(("redirect_uri", "https://evil.test")) == (400, "")
        assert get(("client_id", "other")) == (400, "")
        assert f"{CHATGPT}?error=invalid_request" in get(("state", "1"), ("state", "2"))[1]


def test_a_request_may_come_as_a_form() -> None:
    """OpenID Connect Core section 3.1.2.1: POST as well as GET."""
    with house() as at:
        form = {
            "response_type": "code", "client_id": at.client_id(), "redirect_uri": CHATGPT, "state": "s",
            "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        }  # fmt: skip
        assert sent_back(at.http.post(f"{at.url}/authorize", data=form))["state"] == "s"


def test_a_program_that_asks_wrongly_gets_json() -> None:
    """Ours: pages are for people."""
    with house() as at:
        answer = at.http.get(f"{at.url}/authorize", headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
