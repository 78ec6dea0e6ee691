"""The page on which a person decides: what it shows, who can answer it, and how often."""

import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.errors import DeclarationError
from connector.oauth import AuthorizationServer
from connector.oauth.issuing import Approval, Denial, Limits, RedirectRule, SignedIn, Wish, password_hash
from connector.oauth.issuing.people.passwords import is_password
from tests.oauth.issuing.documents import AUGUST, Platform
from tests.oauth.issuing.house import CHALLENGE, CHATGPT, VERIFIER, Clock, House, house, sent_back
from tests.oauth.issuing.test_client_documents import both

PEOPLE = {"anna": password_hash("correct horse", cost=16), "bert": password_hash("battery", cost=16)}

ATTACK = '<script>alert(1)</script>"><img src=x onerror=alert(2)>{{7*7}}'


class Elements(HTMLParser):
    """What a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def wish_on(page: httpx2.Response) -> str:
    found = re.search(r'name="wish" value="([^"]+)"', page.text)
    assert found, page.text
    return html.unescape(found[1])


def answer(at: House, page: httpx2.Response, said: str = "allow", **form: str) -> httpx2.Response:
    return at.http.post(f"{at.url}/authorize/answer", data={"wish": wish_on(page), "answer": said, **form})


def signed_in(at: House, page: httpx2.Response, name: str = "anna", password: str = "correct horse") -> httpx2.Response:
    return answer(at, page, name=name, password=password)


def test_a_person_signs_in_allows_and_the_host_gets_their_tokens() -> None:
    """The whole flow through the page."""
    with house(people=PEOPLE) as at:
        client_id = at.client_id(client_name="ChatGPT")
        page = at.authorize(client_id)
        back = sent_back(signed_in(at, page))

        assert "<h1>Allow ChatGPT to use 127.0.0.1:" in page.text
        assert (back["state"], back["iss"]) == ("af0ifjsldkj", at.url)
        tokens = at.redeem(client_id, back["code"]).json()
        assert at.call(tokens["access_token"]).json()["subject"] == "anna"


def test_the_page_says_who_asks_for_what_and_where_the_answer_goes() -> None:
    """Ours: an unchecked name is said to be one; the host of the redirect cannot be invented."""
    scopes = {"notes.read": "Read your notes"}
    with house(people=PEOPLE, scopes=scopes, title="Notes & more") as at:
        text = at.authorize(at.client_id(client_name="ChatGPT"), scope="notes.read notes.write").text

        assert "<h1>Allow ChatGPT to use Notes &amp; more?</h1>" in text
        assert "Nobody has checked the name" in text
        assert "<li>Read your notes</li>" in text
        assert "<li>notes.write</li>" in text
        assert "<dd>chatgpt.com</dd>" in text


def test_a_document_vouches_for_the_name() -> None:
    """Ours: the host that serves the document is shown."""
    platform = Platform(**AUGUST)
    with both(platform, people=PEOPLE) as at:
        text = at.authorize(platform.client_id).text
        assert f"{platform.origin.removeprefix('http://')} confirms that this is its app" in text
        assert "Nobody has checked" not in text


def test_the_page_can_be_used_without_eyes_and_without_a_mouse() -> None:
    """WCAG 2.2: language, title, one heading of the first level, a label for each field, real buttons."""
    with house(people=PEOPLE) as at:
        page = at.authorize(at.client_id())
        elements = Elements(page.text)

        assert elements.all("html") == [{"lang": "en"}]
        assert len(elements.all("h1")) == len(elements.all("title")) == len(elements.all("main")) == 1
        fields = [field for field in elements.all("input") if field.get("type") != "hidden"]
        labelled = {label["for"] for label in elements.all("label")}
        assert {field["id"] for field in fields} == labelled == {"name", "password"}
        assert [field.get("autocomplete") for field in fields] == ["username", "current-password"]
        assert [button["value"] for button in elements.all("button")] == ["allow", "deny"]
        assert not [each for each in elements.found if "tabindex" in each[1] or "onclick" in each[1]]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_edges_stand_out_in_both_themes(theme: int) -> None:
    """WCAG 2.2, 1.4.3 and 1.4.11: 4.5 to 1 for text, 3 to 1 for the edges of fields and for focus."""
    with house(people=PEOPLE) as at:
        style = at.authorize(at.client_id()).text.partition("<style>")[2]
    block = style.split("{ color-scheme", 1)[1].split("@media")[0] if theme == 0 else style.split(":root {")[2]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))

    def contrast(one: str, other: str) -> float:
        light, dark = sorted((luminance(colours[one]), luminance(colours[other])), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    texts = [("ink", "paper"), ("ink", "panel"), ("soft", "paper"), ("soft", "panel"), ("on-accent", "accent"),
        ("warn", "warn-back")]  # fmt: skip
    assert {pair: round(contrast(*pair), 1) for pair in texts if contrast(*pair) < 4.5} == {}
    edges = [("line", "paper"), ("accent", "paper")]
    assert {pair: round(contrast(*pair), 1) for pair in edges if contrast(*pair) < 3} == {}


def test_the_page_cannot_be_framed_scripted_kept_or_betrayed() -> None:
    """Clickjacking, XSS: no script at all, no inline style but the one whose digest is named."""
    with house(people=PEOPLE) as at:
        for page in (at.authorize(at.client_id()), at.authorize("unknown")):
            policy = page.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "base-uri 'none'" in policy
            assert "unsafe" not in policy
            assert "script-src" not in policy
            assert page.headers["x-frame-options"] == "DENY"
            assert page.headers["referrer-policy"] == "no-referrer"
            assert page.headers["x-content-type-options"] == "nosniff"
            assert page.headers["cache-control"] == "no-store"
            assert "<script" not in page.text


def test_a_name_that_tries_to_be_markup_is_text() -> None:
    """XSS: client_name, scope words, name of the person, state and redirect address, wherever they are shown."""
    with house(people=PEOPLE, scopes={"notes.read": ATTACK}) as at:
        client_id = at.client_id(client_name=ATTACK)
        page = at.authorize(client_id, state=ATTACK)
        again = signed_in(at, page, name='"><script>alert(3)</script>')

        for shown in (page, again):
            elements = Elements(shown.text)
            assert {tag for tag, _ in elements.found} <= {
                "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "ul", "li", "dl", "dt", "dd",
                "form", "input", "label", "div", "button",
            }  # fmt: skip
            assert "{{7*7}}" in shown.text
            assert "alert(1)</script>" not in shown.text
        assert again.status_code == 403
        assert [field["value"] for field in Elements(again.text).all("input") if field.get("id") == "name"] == [
            '"><script>alert(3)</script>'
        ]


@pytest.mark.parametrize("name", ["Chat\u202eTPG", "a\u0000b", "x\r\ny", "\u200b\u200b", "\U0001f600", "A" * 500])
def test_a_name_can_neither_turn_nor_hide_text(name: str) -> None:
    """Ours: bidirectional controls, invisible characters, walls of text."""
    with house(people=PEOPLE) as at:
        text = at.authorize(at.client_id(client_name=name)).text
        heading = re.search(r"<h1>Allow (.*) to use", text)
        assert heading
        assert 1 <= len(heading[1]) <= 60
        assert not set(heading[1]) & {"\u202e", "\u0000", "\r", "\n", "\u200b"}


def test_whoever_says_no_is_asked_for_no_password() -> None:
    """RFC 6749 section 4.1.2.1: access_denied, with state and iss."""
    with house(people=PEOPLE) as at:
        back = sent_back(answer(at, at.authorize(at.client_id()), "deny"))
        assert (back["error"], back["state"], back["iss"]) == ("access_denied", "af0ifjsldkj", at.url)
        assert "code" not in back


def test_a_page_is_answered_once() -> None:
    """Ours: a form that is sent again, by a reload or by somebody who found it, gives no second code."""
    with house(people=PEOPLE) as at:
        page = at.authorize(at.client_id())
        assert sent_back(signed_in(at, page))["code"]
        for again in (signed_in(at, page), answer(at, page, "deny")):
            assert (again.status_code, "location" in again.headers) == (400, False)
            assert "answered before" in again.text


def test_an_answer_from_another_browser_is_not_believed() -> None:
    """CSRF: an attacker's page can send the attacker's form, and has not the cookie of that form."""
    with house(people=PEOPLE) as at, httpx2.Client() as attacker:
        page = at.authorize(at.client_id())
        form = {"wish": wish_on(page), "answer": "allow", "name": "anna", "password": "correct horse"}

        without = attacker.post(f"{at.url}/authorize/answer", data=form)
        other = attacker.post(f"{at.url}/authorize/answer", data=form, headers={"Cookie": "ballast-consent=abc"})
        for refused in (without, other):
            assert (refused.status_code, "location" in refused.headers) == (400, False)
        cookie = page.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert sent_back(signed_in(at, page))["code"]


def test_behind_https_the_cookie_is_bound_to_this_host_and_to_https() -> None:
    """Ours: other hosts of the domain cannot set it."""
    with house(people=PEOPLE, public_url="https://notes.example.com") as at:
        cookie = at.authorize(at.client_id(), resource=None).headers["set-cookie"]
        assert cookie.startswith("__Host-ballast-consent=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


@pytest.mark.parametrize("wish", ["", "abc", "ballast_wish_e30.AAAA", None])
def test_a_form_that_we_did_not_make_is_not_believed(wish: str | None) -> None:
    """Ours: the redirect address stands in the form, so it is sealed."""
    with house(people=PEOPLE) as at:
        at.authorize(at.client_id())
        form = {"answer": "allow", "name": "anna", "password": "correct horse"} | (
            {} if wish is None else {"wish": wish}
        )
        refused = at.http.post(f"{at.url}/authorize/answer", data=form)
        assert (refused.status_code, "location" in refused.headers) == (400, False)


def test_a_page_that_was_open_for_too_long_is_not_believed() -> None:
    """Ours: fifteen minutes."""
    clock = Clock()
    with house(people=PEOPLE, now=clock) as at:
        page = at.authorize(at.client_id())
        clock.now += 901
        assert "open for too long" in signed_in(at, page).text


def test_two_tabs_can_be_open_at_once() -> None:
    """Ours: two hosts being connected at the same time, answered in any order."""
    with house(people=PEOPLE) as at:
        client_id = at.client_id()
        first, second = at.authorize(client_id, state="1"), at.authorize(client_id, state="2")
        assert sent_back(signed_in(at, first))["state"] == "1"
        assert sent_back(signed_in(at, second))["state"] == "2"


def test_wrong_passwords_are_limited_also_after_a_restart() -> None:
    """Brute force: after five for one name, the right one is not even compared for five minutes."""
    clock = Clock()
    with house(people=PEOPLE, now=clock) as at:
        page = at.authorize(at.client_id())
        wrong = [signed_in(at, page, password=f"guess {n}") for n in range(5)]
        at.restart()
        right = signed_in(at, page)

        assert [each.status_code for each in wrong] == [403] * 5
        assert "Name and password do not fit" in wrong[0].text
        assert (right.status_code, right.headers["retry-after"]) == (429, "300")
        assert 'role="alert">Too many' in right.text
        assert sent_back(signed_in(at, page, name="bert", password="battery"))["code"]  # another person goes on
        clock.now += 301
        assert sent_back(signed_in(at, at.authorize(at.client_id())))["code"]


def test_guesses_that_come_at_once_are_limited_as_well() -> None:
    """Brute force: they are counted before they are compared."""
    with house(people=PEOPLE) as at:
        page = at.authorize(at.client_id())
        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(lambda n: signed_in(at, page, password=f"guess {n}").status_code, range(16)))
        assert sorted(statuses) == [403] * 5 + [429] * 11


def test_many_names_from_one_address_are_limited_too() -> None:
    """Brute force: password spraying."""
    with house(people=PEOPLE, limits=Limits(sign_ins=1)) as at:
        page = at.authorize(at.client_id())
        statuses = [signed_in(at, page, name=f"name {n}").status_code for n in range(12)]
        assert statuses == [403] * 10 + [429] * 2


def test_an_unknown_name_is_answered_as_a_wrong_password_is() -> None:
    """Ours: names cannot be found out; neither a missing nor an endless password is an error."""
    with house(people=PEOPLE) as at:
        page = at.authorize(at.client_id())
        texts = [
            re.sub(r'value="[^"]*"', "", signed_in(at, page, name, password).text)
            for name, password in (("anna", "wrong"), ("nobody", "wrong"), ("\u00e4", ""), ("bert", "x" * 5000))
        ]
        assert len(set(texts)) == 1


def test_hashes_are_scrypt_salted_and_compared_as_a_whole() -> None:
    """RFC 7914; a hash made with other parameters still counts."""
    one, two = password_hash("correct horse", cost=16), password_hash("correct horse", cost=32)
    assert one.startswith("scrypt$16$8$3$")
    assert one != password_hash("correct horse", cost=16)
    assert is_password("correct horse", one)
    assert is_password("correct horse", two)
    assert not is_password("correct horse ", one)
    assert not is_password("", one)
    assert password_hash("x").startswith("scrypt$32768$8$3$")


def secret_comparisons(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    """Every pair that is compared in constant time from now on."""
    import hmac

    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def noted(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    return compared


def test_secrets_verifiers_seals_and_passwords_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timing: the comparison that the standard library has for it sees each of them."""
    compared = secret_comparisons(monkeypatch)
    with house(people=PEOPLE) as at:
        said = at.register(token_endpoint_auth_method="client_secret_post").json()
        code = sent_back(signed_in(at, at.authorize(said["client_id"])))["code"]
        compared.clear()
        answer = at.redeem(said["client_id"], code, client_secret="a guess", code_verifier=VERIFIER)
        assert answer.status_code == 401
        assert (said["client_secret"].encode(), b"a guess") in compared
        assert at.redeem(said["client_id"], code, client_secret=said["client_secret"]).status_code == 200
        assert (CHALLENGE.encode(), CHALLENGE.encode()) in compared


@contextmanager
def approving(approve: Any) -> Iterator[House]:
    with house(approve=approve) as at:
        yield at


def test_ones_own_login_says_who_it_is_and_the_page_asks_them() -> None:
    """Ours: `SignedIn` leads to the page, without a password; the person's name is on it."""

    async def approve(request: Request, wish: Wish) -> SignedIn | Response:
        user = request.cookies.get("session")
        if user is None:
            return RedirectResponse(f"/login?next={wish.url}", status_code=303)
        return SignedIn(subject=f"user-{user}", shown_as="Anna A.")

    with approving(approve) as at:
        client_id = at.client_id()
        to_login = at.authorize(client_id)
        assert to_login.status_code == 303
        assert to_login.headers["location"].startswith("/login?next=/authorize?response_type=code&client_id=")

        at.http.cookies.set("session", "17")
        page = at.authorize(client_id)
        assert "<dd>Anna A.</dd>" in page.text
        assert "password" not in page.text.split("</style>")[1]
        code = sent_back(answer(at, page))["code"]
        assert at.call(at.redeem(client_id, code).json()["access_token"]).json()["subject"] == "user-17"


def test_a_login_that_says_neither_lets_nobody_in() -> None:
    """Ours: a mistake of the owner's; the server's log says what to return."""
    with approving(lambda request, wish: "anna") as at:
        refused = at.authorize(at.client_id())
        assert (refused.status_code, "location" in refused.headers) == (500, False)


def test_if_somebody_else_has_signed_in_meanwhile_they_are_asked_themselves() -> None:
    """Ours: the page named one person; the answer of another does not count for them."""
    with approving(lambda request, wish: SignedIn(subject=request.cookies["session"])) as at:
        at.http.cookies.set("session", "anna")
        page = at.authorize(at.client_id())
        at.http.cookies.set("session", "bert")
        again = answer(at, page)
        assert again.status_code == 303
        assert again.headers["location"].startswith("/authorize?response_type=code")


def test_ones_own_login_may_approve_or_deny_without_the_page() -> None:
    """Ours: `Approval` and `Denial` decide at once; an approval may be for less than was asked."""

    def approve(request: Request, wish: Wish) -> Approval | Denial:
        if wish.state == "nothing":
            return Approval(subject="anna", scopes=frozenset())
        assert wish.client.name == "ChatGPT"
        assert wish.redirect_uri == CHATGPT
        assert wish.scopes == ("notes.read", "notes.write")
        if wish.state == "no":
            return Denial()
        return Approval(subject="anna", scopes=frozenset({"notes.read", "admin"}))

    with approving(approve) as at:
        client_id, both_scopes = at.client_id(client_name="ChatGPT"), "notes.read notes.write"
        assert at.granted(client_id, scope=both_scopes)["scope"] == "notes.read"
        for state in ("no", "nothing"):
            assert sent_back(at.authorize(client_id, scope=both_scopes, state=state))["error"] == "access_denied"


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({}, "give one of the two"),
        ({"approve": "everyone", "people": PEOPLE}, "give one of the two"),
        ({"approve": "nobody"}, "'nobody' is not known"),
        ({"people": {"anna": "a password in clear"}}, "Make one with"),
        ({"people": {"anna": "scrypt$99999999999$8$1$AAAA$AAAA"}}, "more memory"),
        ({"approve": "everyone", "scopes": "notes.read"}, r"write \['one'\]"),
    ],
)
def test_what_cannot_work_is_said_before_it_is_tried(choices: dict[str, Any], sentence: str) -> None:
    """Ours: at declaration, with what to do."""
    with pytest.raises(DeclarationError, match=sentence):
        AuthorizationServer(**choices)


def test_letting_everybody_in_is_said_loudly(caplog: pytest.LogCaptureFixture) -> None:
    """Issue 5: approve='everyone' prints a warning; no secret of the server is in its representation."""
    with house(redirects=[RedirectRule(platform="x", host="x.example", path="/cb")]) as at:
        assert f"approve='everyone' lets everybody in at {at.url}" in caplog.text
        assert repr(at.lock) == "AuthorizationServer(approve='everyone')"
        assert repr(AuthorizationServer(people=PEOPLE)) == "AuthorizationServer(people=2)"
        assert at.client_id(redirect_uris=["https://x.example/cb"])
        assert at.register().status_code == 400
