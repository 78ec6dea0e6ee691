"""The token endpoint: codes and refresh tokens, used as hosts use them and as attackers would."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from connector.oauth.issuing import Lifetimes
from connector.stores.sqlite import SqliteStore
from tests.oauth.issuing.house import CHATGPT, VERIFIER, Clock, house


def refused(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


def test_a_code_becomes_tokens_with_which_the_connector_can_be_called() -> None:
    """CT-21b, facts 3.6: the whole flow, then a call in the name of the person and the client."""
    with house() as at:
        client_id = at.client_id()
        answer = at.redeem(client_id, at.code(client_id))
        tokens = answer.json()

        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"
        assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
        assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 3600, "notes.read")
        assert at.call(tokens["access_token"]).json() == {
            "subject": "developer", "client": client_id, "scopes": ["notes.read"],
        }  # fmt: skip


def test_a_code_that_comes_again_is_refused_and_ends_what_was_given_for_it() -> None:
    """Code reuse: RFC 6749 section 4.1.2, RFC 9700 section 2.1.1."""
    with house() as at:
        client_id = at.client_id()
        code = at.code(client_id)
        tokens = at.redeem(client_id, code).json()
        assert at.call(tokens["access_token"]).status_code == 200

        assert refused(at.redeem(client_id, code)) == (400, "invalid_grant")
        assert at.call(tokens["access_token"]).status_code == 401
        assert refused(at.refresh(client_id, tokens["refresh_token"])) == (400, "invalid_grant")


def test_of_many_who_redeem_one_code_at_once_at_most_one_gets_tokens_and_they_do_not_last() -> None:
    """Code reuse under race: whoever loses ends what the winner got."""
    with house() as at:
        client_id = at.client_id()
        code = at.code(client_id)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: at.redeem(client_id, code), range(8)))

        given = [answer.json() for answer in answers if answer.status_code == 200]
        assert len(given) <= 1
        assert {answer.status_code for answer in answers} <= {200, 400}
        assert all(at.call(tokens["access_token"]).status_code == 401 for tokens in given)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": None}, (400, "invalid_grant")),
        ({"code_verifier": VERIFIER[:-1] + "X"}, (400, "invalid_grant")),
        ({"code_verifier": "short"}, (400, "invalid_grant")),
        ({"code_verifier": VERIFIER + "\u00e9"}, (400, "invalid_grant")),
        ({"redirect_uri": "https://evil.test/callback"}, (400, "invalid_grant")),
        ({"redirect_uri": CHATGPT + "/"}, (400, "invalid_grant")),
        ({"resource": "https://evil.test/mcp"}, (400, "invalid_target")),
        ({"code": None}, (400, "invalid_grant")),
        ({"code": "made-up"}, (400, "invalid_grant")),
        ({"grant_type": None}, (400, "invalid_request")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, (400, "unsupported_grant_type")),
        ({"client_id": None}, (401, "invalid_client")),
        ({"client_id": "unknown"}, (401, "invalid_client")),
        ({"client_id": "https://nowhere.invalid/client.json"}, (401, "invalid_client")),
    ],
)
def test_what_does_not_fit_the_code_gets_no_token(changed: dict[str, str], error: tuple[int, str]) -> None:
    """PKCE, redirect and audience checks; CT-26: incomplete or unknown clients get 401, never 5xx."""
    with house() as at:
        client_id = at.client_id()
        assert refused(at.redeem(client_id, at.code(client_id), **changed)) == error


def test_another_client_cannot_redeem_a_code_nor_spoil_it() -> None:
    """Code injection (RFC 9700 section 4.5)."""
    with house() as at:
        one, other = at.client_id(), at.client_id(client_name="Another")
        code = at.code(one)

        assert refused(at.redeem(other, code)) == (400, "invalid_grant")
        assert at.redeem(one, code).status_code == 200


def test_a_code_expires() -> None:
    """Ours: after its five minutes it is worth nothing; decided by a clock the test sets."""
    clock = Clock()
    with house(now=clock) as at:
        client_id = at.client_id()
        code = at.code(client_id)
        clock.now += 301
        assert refused(at.redeem(client_id, code)) == (400, "invalid_grant")


def test_what_stands_in_the_url_of_the_token_endpoint_does_not_count() -> None:
    """Token in query: URLs are written into logs (RFC 6749 section 2.3.1)."""
    with house() as at:
        client_id = at.client_id()
        code = at.code(client_id)
        form = {"grant_type": "authorization_code", "code": code, "client_id": client_id, "code_verifier": VERIFIER}

        in_query = at.http.post(f"{at.url}/token", params=form)
        assert refused(in_query) == (400, "invalid_request")
        assert at.http.get(f"{at.url}/token", params=form).status_code == 405
        tokens = at.redeem(client_id, code).json()
        assert at.http.post(f"{at.url}/mcp", params={"access_token": tokens["access_token"]}).status_code in {400, 401}


def test_forms_are_read_whatever_their_type_says_and_what_hosts_add_is_noticed() -> None:
    """Facts 3.6, ours: a charset, another type, JSON; unknown parameters are noted by name."""
    with house() as at:
        client_id = at.client_id()
        form = {"grant_type": "authorization_code", "client_id": client_id, "code_verifier": VERIFIER, "x_new": "1"}
        types = ("application/x-www-form-urlencoded; charset=UTF-8", "text/plain", "application/x-www-form-urlencoded")
        for content_type in types:
            body = str(httpx2.QueryParams({**form, "code": at.code(client_id)}))
            answer = at.http.post(f"{at.url}/token", content=body, headers={"Content-Type": content_type})
            assert answer.status_code == 200, content_type
        assert at.http.post(f"{at.url}/token", json={**form, "code": at.code(client_id)}).status_code == 200

        seen = [(thing.kind.value, thing.where.value, thing.name) for thing in at.notices.seen]
        assert seen == [("parameter", "token", "x_new")]


def test_an_unknown_grant_is_noticed() -> None:
    """Issue 5, item 3: a new grant is an event before it is an incident."""
    with house() as at:
        at.token(grant_type="urn:openid:params:grant-type:ciba", client_id=at.client_id())
        assert [(thing.kind.value, thing.name) for thing in at.notices.seen] == [
            ("grant", "urn:openid:params:grant-type:ciba")
        ]


def test_eight_parallel_refreshes_and_one_after_a_minute_all_get_tokens_that_work(tmp_path: Path) -> None:
    """CT-27, incident O-01: 200 for all nine, every access token valid, and after ten minutes invalid_grant."""
    clock = Clock()
    with house(now=clock, store=SqliteStore(tmp_path / "records.sqlite3")) as at:
        client_id = at.client_id()
        first = at.granted(client_id)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: at.refresh(client_id, first["refresh_token"]), range(8)))
        clock.now += 60
        answers.append(at.refresh(client_id, first["refresh_token"]))

        assert [answer.status_code for answer in answers] == [200] * 9
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1
        assert [at.call(answer.json()["access_token"]).status_code for answer in answers] == [200] * 9
        assert at.call(first["access_token"]).status_code == 200

        clock.now += 540
        latest = answers[0].json()["refresh_token"]
        assert refused(at.refresh(client_id, first["refresh_token"])) == (400, "invalid_grant")
        assert refused(at.refresh(client_id, latest)) == (400, "invalid_grant")
        assert at.call(answers[8].json()["access_token"]).status_code == 401


def test_a_refresh_token_replayed_after_the_window_ends_the_grant_of_whoever_holds_the_next_one() -> None:
    """RFC 9700 section 4.14.2: the attacker and the victim both have to start again."""
    clock = Clock()
    with house(now=clock) as at:
        client_id = at.client_id()
        stolen = at.granted(client_id)["refresh_token"]
        victim = at.refresh(client_id, stolen).json()
        clock.now += 121

        assert refused(at.refresh(client_id, stolen)) == (400, "invalid_grant")
        assert at.call(victim["access_token"]).status_code == 401
        assert refused(at.refresh(client_id, victim["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.parametrize(("seconds", "status"), [(0, 200), (119, 200), (120, 200), (121, 400)])
def test_the_window_is_two_minutes(seconds: int, status: int) -> None:
    """Incident O-01: bursts of 33 to 76 s; decided from times in the record."""
    clock = Clock()
    with house(now=clock) as at:
        client_id = at.client_id()
        first = at.granted(client_id)["refresh_token"]
        assert at.refresh(client_id, first).status_code == 200
        clock.now += seconds
        assert at.refresh(client_id, first).status_code == status


def test_within_the_window_a_late_one_is_answered_with_the_current_tokens() -> None:
    """Ours: three generations within a burst stay one grant."""
    clock = Clock()
    with house(now=clock) as at:
        client_id = at.client_id()
        first = at.granted(client_id)["refresh_token"]
        second = at.refresh(client_id, first).json()["refresh_token"]
        third = at.refresh(client_id, second).json()
        clock.now += 90

        late = at.refresh(client_id, first).json()
        assert late["refresh_token"] == third["refresh_token"]
        assert (late["access_token"], late["expires_in"]) == (third["access_token"], 3510)
        assert len({first, second, third["refresh_token"]}) == 3


def test_a_window_longer_than_the_access_token_still_gives_one_that_works() -> None:
    """Ours: the same answer, but not one that is over."""
    clock = Clock()
    with house(now=clock, lifetimes=Lifetimes(access=60, reuse=600)) as at:
        client_id = at.client_id()
        first = at.granted(client_id)["refresh_token"]
        at.refresh(client_id, first)
        clock.now += 300
        late = at.refresh(client_id, first).json()
        assert late["expires_in"] == 60
        assert at.call(late["access_token"]).status_code == 200


def test_an_access_token_expires() -> None:
    """RFC 6750 section 3.1: 401 invalid_token, on which hosts refresh."""
    clock = Clock()
    with house(now=clock) as at:
        client_id = at.client_id()
        tokens = at.granted(client_id)
        clock.now += 3600
        answer = at.call(tokens["access_token"])
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert at.call(at.refresh(client_id, tokens["refresh_token"]).json()["access_token"]).status_code == 200


def test_a_refresh_may_narrow_its_access_token_and_never_widen_it() -> None:
    """RFC 6749 section 6: not beyond what was granted; the next refresh has it all again."""
    with house() as at:
        client_id = at.client_id()
        both = at.granted(client_id, scope="notes.read notes.write")
        one = at.granted(client_id, scope="notes.read")

        narrow = at.refresh(client_id, both["refresh_token"], scope="notes.read offline_access").json()
        again = at.refresh(client_id, narrow["refresh_token"]).json()
        wide = at.refresh(client_id, one["refresh_token"], scope="notes.read notes.write").json()

        assert at.call(narrow["access_token"]).json()["scopes"] == ["notes.read"]
        assert (narrow["scope"], again["scope"], wide["scope"]) == (
            "notes.read",
            "notes.read notes.write",
            "notes.read",
        )


def test_another_client_cannot_use_a_refresh_token() -> None:
    """RFC 6749 section 10.4; and the grant goes on for its own client."""
    with house() as at:
        one, other = at.client_id(), at.client_id(client_name="Another")
        tokens = at.granted(one)

        assert refused(at.refresh(other, tokens["refresh_token"])) == (400, "invalid_grant")
        assert refused(at.refresh(one, tokens["access_token"])) == (400, "invalid_grant")
        assert refused(at.refresh(one, tokens["refresh_token"] + "A")) == (400, "invalid_grant")
        assert at.refresh(one, tokens["refresh_token"]).status_code == 200


def test_a_token_of_another_connector_is_worth_nothing_even_on_the_same_store_with_the_same_secret() -> None:
    """Audience confusion: tokens, codes and clients of one address are nothing at another."""
    with house() as at, house(store=at.store) as other:
        client_id = at.client_id()
        tokens = at.granted(client_id)

        assert at.call(tokens["access_token"]).status_code == 200
        assert other.call(tokens["access_token"]).status_code == 401
        assert refused(other.refresh(other.client_id(), tokens["refresh_token"])) == (400, "invalid_grant")
        assert refused(other.redeem(client_id, at.code(client_id), resource=None)) == (401, "invalid_client")


def test_no_token_code_or_secret_is_in_the_store() -> None:
    """Ours: whoever reads the store cannot act with what is in it."""
    with house() as at:
        client_id = at.client_id()
        code = at.code(client_id)
        kept = repr(at.kept("oauth-code"))
        tokens = at.redeem(client_id, code).json()
        kept += repr(at.kept("oauth-grant"))

        assert kept.count('"subject": "developer"') == 2
        assert repr(at.store) == "MemoryStore(calls=0, records=1)"
        for secret in (code, VERIFIER, tokens["access_token"], tokens["refresh_token"]):
            assert secret not in kept
            assert secret.rpartition(".")[2] not in kept


def test_a_refresh_token_that_is_given_back_ends_the_grant_and_an_access_token_only_itself() -> None:
    """RFC 7009 section 2.1; some hosts give the old access token back after a refresh."""
    with house() as at:
        client_id = at.client_id()
        first = at.granted(client_id)
        second = at.refresh(client_id, first["refresh_token"]).json()

        gone = at.http.post(f"{at.url}/revoke", data={"token": first["access_token"], "client_id": client_id})
        assert gone.status_code == 200
        assert at.call(first["access_token"]).status_code == 401
        assert at.call(second["access_token"]).status_code == 200

        at.http.post(f"{at.url}/revoke", data={"token": second["refresh_token"], "client_id": client_id})
        assert at.call(second["access_token"]).status_code == 401
        assert refused(at.refresh(client_id, second["refresh_token"])) == (400, "invalid_grant")


def test_giving_back_what_is_unknown_is_fine_and_what_is_another_clients_is_not() -> None:
    """RFC 7009 sections 2.1 and 2.2."""
    with house() as at:
        one, other = at.client_id(), at.client_id(client_name="Another")
        tokens = at.granted(one)

        def revoke(**form: str) -> httpx2.Response:
            return at.http.post(f"{at.url}/revoke", data=form)

        assert revoke(token="unknown", client_id=one, token_type_hint="new_hint").status_code == 200
        assert revoke(client_id=one).status_code == 200
        assert refused(revoke(token=tokens["refresh_token"], client_id=other)) == (400, "invalid_grant")
        assert refused(revoke(token=tokens["refresh_token"])) == (401, "invalid_client")
        assert at.call(tokens["access_token"]).status_code == 200


def test_a_request_that_names_two_clients_is_refused() -> None:
    """Ours: which of the two would it be?"""
    with house() as at:
        one, other = at.client_id(), at.client_id(client_name="Another")
        answer = at.http.post(
            f"{at.url}/token",
            data={"grant_type": "authorization_code", "code": at.code(one), "client_id": one},
            auth=httpx2.BasicAuth(other, ""),
        )
        assert refused(answer) == (401, "invalid_client")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic YWJj", "Bearer x", "Basic " + "/" * 4000, "Digest a=b"]
)
def test_a_header_that_names_no_client_is_answered_like_any_unknown_client(header: str) -> None:
    """CT-26: 200 or 401, never 5xx."""
    with house() as at:
        answer = at.http.post(
            f"{at.url}/token",
            data={"grant_type": "refresh_token", "refresh_token": "x"},
            headers={"Authorization": header},
        )
        assert refused(answer) == (401, "invalid_client")
