"""Anything at all sent to registration, authorization, token and revocation: never a 5xx, never a 422.

What is sent is drawn around what is understood, so that most of it comes far enough to break something. Names do not
resolve here: a host that cannot be looked up is an outage, and rightly a 503, which a fuzz would find at once.
"""

import json
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.oauth.issuing import Fetcher, Limits, password_hash
from tests.oauth.issuing.house import CHALLENGE, CHATGPT, VERIFIER, House, house

FUZZ = settings(
    max_examples=400,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
COUNTS: Counter[str] = Counter()


async def nowhere(host: str, port: int) -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, "no such host")


@pytest.fixture(scope="module")
def at() -> Iterator[House]:
    """One server for everything."""
    much = Limits(registrations=10**9, documents=10**9, sign_ins=10**9)
    with house(limits=much, fetcher=Fetcher(resolve=nowhere)) as built:
        yield built


@pytest.fixture(scope="module")
def asking() -> Iterator[House]:
    """One that shows its page."""
    much = Limits(registrations=10**9, documents=10**9, sign_ins=10**9)
    with house(limits=much, people={"anna": password_hash("x", cost=2)}, fetcher=Fetcher(resolve=nowhere)) as built:
        yield built


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)

MEMBERS = (
    "redirect_uris", "client_name", "grant_types", "response_types", "token_endpoint_auth_method", "scope", "jwks",
    "jwks_uri", "application_type", "client_uri", "contacts", "software_statement", "x",
)  # fmt: skip

PLAUSIBLE = st.sampled_from(
    [CHATGPT, [CHATGPT], "none", "private_key_jwt", "client_secret_post", ["authorization_code"], "native", "code",
     "notes.read", "https://a.example/keys", "http://[", "https://[::1", "javascript:x", "\u202e", "\ud800"]
)  # fmt: skip

BODY = st.dictionaries(st.sampled_from(MEMBERS), PLAUSIBLE | JSON).flatmap(
    lambda body: st.sampled_from([body, {**body, "redirect_uris": [CHATGPT]}])
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    [
        "", "code", "S256", "plain", CHALLENGE, VERIFIER, CHATGPT, "authorization_code", "refresh_token", "a b", "%",
        "\x00", "https://nowhere.invalid/client.json", "https://127.0.0.1/client.json", "http://[", "https://x:99999/a",
        "notes.read", "ballast_client_e30.AAAA", "ballast_refresh_W10.AAAA", "ballast_code_e30.x", "ballast_access_.",
        "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJSUzI1NiIsImtpZCI6W119.eyJzdWIiOltdfQ.AAAA",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    ]
)  # fmt: skip

Pairs = list[tuple[str, Any]]


def pairs(*names: str) -> st.SearchStrategy[Pairs]:
    return st.lists(st.tuples(st.sampled_from(names) | st.text(max_size=8), TEXT), max_size=10)


def counted(endpoint: str, answer: httpx2.Response) -> None:
    COUNTS[f"{endpoint} {answer.status_code}"] += 1
    assert answer.status_code < 500, (endpoint, answer.status_code, answer.text)
    assert answer.status_code != 422, (endpoint, answer.text)


@FUZZ
@given(body=BODY | JSON | st.binary(max_size=200))
def test_registration_answers_anything(at: House, body: Any) -> None:
    """CT-22: 201 without a null or an empty string, or 400 JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = at.http.post(f"{at.url}/register", content=content)
    counted("register", answer)
    assert answer.status_code in {201, 400}
    assert None not in answer.json().values()
    assert "" not in answer.json().values()


AUTHORIZE = (
    "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
    "resource", "prompt", "login_hint", "request", "request_uri",
)  # fmt: skip


@FUZZ
@given(more=pairs(*AUTHORIZE), known=st.booleans(), is_form=st.booleans())
def test_authorization_answers_anything_and_redirects_only_to_its_client(
    at: House, more: Pairs, known: bool, is_form: bool
) -> None:
    """CT-25, open redirect: whatever is asked, the answer goes to the registered address or to a page."""
    right: Pairs = [("response_type", "code"), ("client_id", at.client_id()), ("code_challenge", CHALLENGE)]
    said = [*right, ("code_challenge_method", "S256"), *more] if known else more
    encoded = str(httpx2.QueryParams(said))
    answer = (
        at.http.post(f"{at.url}/authorize", content=encoded)
        if is_form
        else at.http.get(httpx2.URL(f"{at.url}/authorize", query=encoded.encode()))
    )
    counted("authorize", answer)
    assert answer.headers.get("location", CHATGPT).startswith(CHATGPT)


TOKEN = (
    "grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier", "resource", "refresh_token",
    "scope", "client_assertion", "client_assertion_type", "token",
)  # fmt: skip


@FUZZ
@given(
    more=pairs(*TOKEN),
    grant=st.sampled_from(["authorization_code", "refresh_token", None]),
    known=st.booleans(),
    real=st.booleans(),
    header=st.none() | st.sampled_from(["Basic", "Basic Og==", "Basic OjovLw==", "Bearer x", "basic ////"]),
    raw=st.none() | st.binary(max_size=100),
)
@pytest.mark.parametrize("endpoint", ["token", "revoke"])
def test_token_and_revocation_answer_anything(
    at: House, endpoint: str, more: Pairs, grant: str | None, known: bool, real: bool,
    header: str | None, raw: bytes | None,
) -> None:  # fmt: skip
    """CT-26: 200, 400 or 401, as JSON that nobody keeps."""
    client_id = at.client_id()
    said: Pairs = [*more, *([("grant_type", grant)] if grant else []), *([("client_id", client_id)] if known else [])]
    if real:
        right = {"grant_type": "authorization_code", "client_id": client_id, "code_verifier": VERIFIER}
        said = [*right.items(), ("code", at.code(client_id)), *more[:2]]
    content = str(httpx2.QueryParams(said)).encode() if raw is None else raw
    answer = at.http.post(
        f"{at.url}/{endpoint}", content=content, headers={} if header is None else {"Authorization": header}
    )
    counted(endpoint, answer)
    assert answer.status_code in {200, 400, 401}
    assert answer.headers["cache-control"] == "no-store"
    assert isinstance(answer.json(), dict)


@settings(FUZZ, max_examples=200)
@given(more=pairs("wish", "answer", "name", "password"), name=st.text(st.characters(), max_size=30))
def test_the_page_and_its_form_answer_anything(asking: House, more: Pairs, name: str) -> None:
    """Ours: a page for any name, and a page for any answer."""
    body = json.dumps({"redirect_uris": [CHATGPT], "client_name": name})
    client_id = asking.http.post(f"{asking.url}/register", content=body).json()["client_id"]
    page = asking.authorize(client_id)
    counted("page", page)
    counted("answer", asking.http.post(f"{asking.url}/authorize/answer", content=str(httpx2.QueryParams(more))))
    assert page.status_code == 200


def test_the_fuzz_has_come_far_enough_to_mean_something() -> None:
    """Ours: a fuzz that is turned away at the first check proves nothing. Says how much was sent."""
    print(f"\nfuzz: {sum(COUNTS.values())} requests: {dict(sorted(COUNTS.items()))}")  # noqa: T201
    reached = ("register 201", "register 400", "authorize 302", "authorize 400", "token 200", "token 400", "token 401",
        "revoke 200", "page 200")  # fmt: skip
    assert [each for each in reached if not COUNTS[each]] == []
