"""Clients that are known by a document: the platform's forms, keys, caches, outages, and documents that lie."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import pytest

from connector.oauth.issuing import Limits
from connector.stores.sqlite import SqliteStore
from tests.loopback import served
from tests.oauth.identity import make_key
from tests.oauth.issuing.documents import AUGUST, CODEX, MAY, OCTOBER, Platform
from tests.oauth.issuing.house import CHATGPT, Clock, House, house, sent_back


@contextmanager
def both(platform: Platform, **choices: Any) -> Iterator[House]:
    """A platform and an authorization server, each on its own loopback port."""
    with served(platform.app) as origin, house(**choices) as at:
        platform.origin = origin
        yield at


@pytest.mark.parametrize("form", [MAY, AUGUST, OCTOBER], ids=["May", "August", "October"])
@pytest.mark.parametrize("audience", ["token endpoint", "issuer", "list"])
def test_every_form_of_the_document_is_understood_with_a_key(form: dict[str, Any], audience: str) -> None:
    """CT-24, incident P-02: 302, then 200 with a client assertion; aud as seen 2026-08-07, or the issuer."""
    platform = Platform(**form)
    with both(platform) as at:
        named = {"token endpoint": f"{at.url}/token", "issuer": at.url, "list": [f"{at.url}/token", "x"]}[audience]
        code = at.code(platform.client_id)

        answer = at.redeem(platform.client_id, code, **platform.assertion(named))
        assert answer.status_code == 200, answer.text
        again = at.refresh(platform.client_id, answer.json()["refresh_token"], **platform.assertion(named))
        assert again.status_code == 200, again.text
        assert at.call(again.json()["access_token"]).json()["client"] == platform.client_id


@pytest.mark.parametrize("form", [AUGUST, OCTOBER, {"token_endpoint_auth_method": "none"}, {}])
def test_where_none_is_among_the_methods_pkce_suffices(form: dict[str, Any]) -> None:
    """CT-24, incident P-02: the plural member counts, alone or beside the singular."""
    platform = Platform(**form)
    with both(platform) as at:
        assert at.redeem(platform.client_id, at.code(platform.client_id)).status_code == 200


def test_where_only_a_key_is_named_it_is_needed_unless_the_owner_says_otherwise() -> None:
    """CT-24 for the form of May 2026: strict by default, since the client asked to be protected by its key."""
    platform = Platform(**MAY)
    with both(platform) as at:
        answer = at.redeem(platform.client_id, at.code(platform.client_id))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert "private_key_jwt" in answer.json()["error_description"]
    with both(platform, requires_client_keys=False) as at:
        assert at.redeem(platform.client_id, at.code(platform.client_id)).status_code == 200
        wrong = platform.assertion("https://evil.test/token")
        assert at.redeem(platform.client_id, at.code(platform.client_id), **wrong).status_code == 401


def test_a_program_on_the_computer_is_known_by_a_document_too() -> None:
    """CT-24 (Codex), incident P-11: any port of the loopback address that the document lists."""
    platform = Platform(**CODEX)
    with both(platform) as at:
        back = "http://127.0.0.1:49152/callback/FLLrQdlez6Uf"
        code = sent_back(at.authorize(platform.client_id, redirect_uri=back), back)["code"]
        assert at.redeem(platform.client_id, code, redirect_uri=back).status_code == 200
        assert at.authorize(platform.client_id, redirect_uri=CHATGPT).status_code == 400


def test_an_elliptic_curve_will_do() -> None:
    """Ours: ES256, as most other hosts sign."""
    platform = Platform(**MAY)
    platform.key = make_key("ES256", "ec")
    platform.keys = [platform.key]
    with both(platform) as at:
        signed = platform.assertion(f"{at.url}/token")
        assert at.redeem(platform.client_id, at.code(platform.client_id), **signed).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://evil.test/token"},
        {"aud": None},
        {"aud": {"x": 1}},
        {"aud": [["x"]]},
        {"iss": "https://evil.test/client.json"},
        {"iss": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": 10**400},
        {"exp": 4_000_000_000},
        {"exp": True},
        {"nbf": 4_000_000_000},
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(claims: dict[str, Any]) -> None:
    """RFC 7523 section 3; the id can be remembered only for so long, so one that lives for years is refused."""
    platform = Platform(**OCTOBER)
    with both(platform) as at:
        signed = platform.assertion(f"{at.url}/token", **claims)
        answer = at.redeem(platform.client_id, at.code(platform.client_id), **signed)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text


def test_an_assertion_counts_once() -> None:
    """RFC 7523 section 3 (jti): a second use is refused, also of one without an id."""
    platform = Platform(**OCTOBER)
    with both(platform) as at:
        for claims in ({}, {"jti": None}):
            signed = platform.assertion(f"{at.url}/token", **claims)
            assert at.redeem(platform.client_id, at.code(platform.client_id), **signed).status_code == 200
            answer = at.redeem(platform.client_id, at.code(platform.client_id), **signed)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("how", ["another key", "none", "HS256 with the public key", "cut off", "no jwt"])
def test_an_assertion_that_the_client_has_not_signed_is_refused(how: str) -> None:
    """Forgery: algorithm confusion included."""
    platform = Platform(**OCTOBER)
    with both(platform) as at:
        good = platform.assertion(f"{at.url}/token")["client_assertion"]
        claims = jwt.decode(good, options={"verify_signature": False})
        head = {"kid": "cimd-1"}
        forged = {
            "another key": jwt.encode(claims, make_key("ES256", "cimd-1").private, "ES256", headers=head),
            "none": jwt.encode(claims, "", "none", headers=head),
            "HS256 with the public key": jwt.encode(claims, "n" * 40, "HS256", headers=head),
            "cut off": good[:-4],
            "no jwt": "abc",
        }[how]
        form = platform.assertion(f"{at.url}/token") | {"client_assertion": forged}
        answer = at.redeem(platform.client_id, at.code(platform.client_id), **form)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text


def test_a_key_that_is_new_is_fetched_at_once() -> None:
    """Facts 3.3: the platform's keys rotate; the copy of the old ones is still fresh then."""
    clock = Clock()
    platform = Platform(**OCTOBER)
    with both(platform, now=clock) as at:

        def redeem() -> int:
            signed = platform.assertion(f"{at.url}/token", exp=int(clock.now) + 300)
            return at.redeem(platform.client_id, at.code(platform.client_id), **signed).status_code

        assert redeem() == 200
        platform.key = make_key("ES256", "cimd-2")
        platform.keys = [platform.key]
        clock.now += 40
        assert redeem() == 200
        assert platform.asked.count("keys") == 2


@pytest.mark.parametrize(
    "members",
    [
        {"client_id": "https://chatgpt.com/oauth/client.json"},
        {"client_id": None},
        {"redirect_uris": []},
        {"redirect_uris": None},
        {"redirect_uris": ["http://evil.test/cb", "javascript:alert(1)", None]},
    ],
)
def test_a_document_that_is_anothers_or_names_no_address_is_refused(members: dict[str, Any]) -> None:
    """Mix-up: client_id in the document has to be its own address, byte for byte."""
    platform = Platform(**members)
    with both(platform) as at:
        answer = at.authorize(platform.client_id)
        assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_members_nobody_knows_are_ignored_and_noticed_and_nulls_do_not_matter() -> None:
    """Issue 5, item 3."""
    platform = Platform(x_new_member="secret-value", logo_uri=None, scope=None, jwks=None, client_name=None)
    with both(platform) as at:
        assert at.redeem(platform.client_id, at.code(platform.client_id)).status_code == 200
        seen = [(thing.kind.value, thing.where.value, thing.name) for thing in at.notices.seen]
        assert seen == [("member", "client document", "x_new_member")]


def test_a_document_is_fetched_once_while_it_is_fresh_and_again_after_that() -> None:
    """Facts 3.3: max-age=300."""
    clock = Clock()
    platform = Platform(**AUGUST)
    with both(platform, now=clock) as at:
        for _ in range(3):
            at.granted(platform.client_id)
        assert platform.asked == ["document"]
        clock.now += 301
        at.granted(platform.client_id)
        assert platform.asked == ["document", "document"]


@pytest.mark.parametrize(
    ("said", "fresh_for"),
    [("no-store", 60), ("max-age=0", 60), ("max-age=1", 60), ("max-age=99999999", 86_400), ("", 300), ("public", 300)],
)
def test_what_its_sender_says_of_keeping_it_holds_within_bounds(said: str, fresh_for: int) -> None:
    """Ours: neither a fetch for each request nor a document for years."""
    clock = Clock()
    platform = Platform(**AUGUST)
    platform.headers = {"Cache-Control": said}
    with both(platform, now=clock) as at:
        at.granted(platform.client_id)
        clock.now += fresh_for - 1
        at.granted(platform.client_id)
        assert platform.asked.count("document") == 1
        clock.now += 2
        at.granted(platform.client_id)
        assert platform.asked.count("document") == 2


@pytest.mark.parametrize("status", [500, 503, 403, 429])
def test_in_an_outage_the_old_copy_serves_also_after_a_restart(status: int, tmp_path: Any) -> None:
    """CT-24b; some data centres are answered 403."""
    clock = Clock()
    platform = Platform(**AUGUST)
    path = tmp_path / "records.sqlite3"
    with both(platform, now=clock, store=SqliteStore(path)) as at:
        tokens = at.granted(platform.client_id)
        platform.status = status
        clock.now += 86_400
        at.restart(store=SqliteStore(path))

        assert at.refresh(platform.client_id, tokens["refresh_token"]).status_code == 200
        at.granted(platform.client_id)
        assert platform.asked.count("document") == 2  # and not again within half a minute


def test_a_document_that_was_taken_away_counts_for_an_hour_more() -> None:
    """Ours: long enough for a deployment that went wrong, too short for a client that was withdrawn."""
    clock = Clock()
    platform = Platform(**AUGUST)
    with both(platform, now=clock) as at:
        at.granted(platform.client_id)
        platform.status = 404
        clock.now += 300 + 3599
        at.granted(platform.client_id)
        clock.now += 31
        assert at.authorize(platform.client_id).status_code == 400


def test_without_a_copy_an_outage_is_said_to_be_one() -> None:
    """CT-24b: a retryable error; never invalid_client, on which hosts forget a client."""
    platform = Platform(**AUGUST)
    platform.status = 503
    clock = Clock()
    with both(platform, now=clock) as at:
        for answer in (at.authorize(platform.client_id), at.redeem(platform.client_id, "x")):
            assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
            assert int(answer.headers["retry-after"]) > 0
        platform.status = 200
        clock.now += 31
        assert at.authorize(platform.client_id).status_code == 302


def test_one_address_cannot_have_any_number_of_documents_fetched() -> None:
    """Ours: this server is no tool for others' floods."""
    platform = Platform(**AUGUST)
    with both(platform, limits=Limits(documents=2)) as at:
        answers = [at.authorize(f"{platform.origin}/oauth/{n}.json").status_code for n in range(4)]
        assert answers == [400, 400, 429, 429]
        assert at.granted(at.client_id())
