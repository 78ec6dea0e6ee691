"""What is said of unknown things: their kind, their place, their name if it is one; never a value, and once."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.oauth import Kind, Notices, Where
from connector.oauth.noticed import REDACTED, as_name, noticed

NAMES = [
    "token_endpoint_auth_method",
    "urn:ietf:params:oauth:grant-type:device_code",
    "tls_client_certificate_bound_access_tokens",
    "client_name#ja-Jpan-JP",
    "x-openai-session",
    "clientName",
    "ES256",
    "A128CBC-HS256",
    "offline_access",
    "notes.read",
]

NO_NAMES = [
    "FLLrQdlez6Uf",
    "LU3_gWQc0r-6",
    "550e8400-e29b-41d4-a716-446655440000",
    "eyJhbGciOiJSUzI1NiJ9.e30.x",
    "v1/kXqPzRtWvLmNbHgF",
    "https://evil.example.com",
    "anna@example.com",
    "abcdefabcdef0123",
    "1234567",
    "two words",
    "line\nbreak",
    "",
    "x" * 200,
    None,
    7,
    {"a": "b"},
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_said(name: str) -> None:
    """Incidents P-28, O-16: names like these are what platforms add."""
    assert as_name(name) == name


@pytest.mark.parametrize("said", NO_NAMES)
def test_what_is_no_name_is_redacted(said: object) -> None:
    """Ours: ids, tokens and addresses stand in a name's place by mistake, or on purpose."""
    assert as_name(said) == REDACTED


@given(said=st.text() | st.binary() | st.integers() | st.lists(st.text()))
def test_whatever_arrives_is_a_name_or_redacted(said: object) -> None:
    """Ours: never an exception, never a line break in a log."""
    name = as_name(said)

    assert name == REDACTED or (name == said and name.isprintable() and len(name) <= 80)


def test_the_first_sight_is_one_line_and_the_rest_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Ours: an unknown member comes with every registration; one line is enough."""
    heard: list[str] = []
    notices = Notices(clock=lambda: 100.0, listeners=[lambda thing: heard.append(thing.name)])

    with caplog.at_level(logging.INFO, logger="ballast.oauth"):
        for _ in range(3):
            notices.see(Kind.GRANT, Where.REGISTRATION, "urn:ietf:params:oauth:grant-type:device_code")
        notices.see(Kind.MEMBER, Where.REGISTRATION, "software_id")

    assert [record.getMessage() for record in caplog.records] == [
        "First sight of an unknown grant in registration: urn:ietf:params:oauth:grant-type:device_code",
        "First sight of an unknown member in registration: software_id",
    ]
    assert heard == ["urn:ietf:params:oauth:grant-type:device_code", "software_id"]
    assert notices.sightings() == {"grant": 3, "member": 1}
    assert notices.seen[0].first_seen == 100.0


def test_somebody_who_invents_names_fills_no_memory() -> None:
    """Incident L-04: small maps that grow with what strangers send."""
    notices = Notices(most=10)
    for number in range(1000):
        notices.see(Kind.PARAMETER, Where.AUTHORIZE, f"made_up_{number}")

    assert len(notices.seen) == 10
    assert notices.sightings() == {"parameter": 1000}


def test_what_is_noted_is_redacted_before_anybody_sees_it() -> None:
    """Ours: a secret sent as a member's name reaches no log and no store."""
    thing = noticed(Kind.MEMBER, Where.TOKEN, "sk_live_4eC39HqLyjWDarjtT1zdp7dc", now=1.0)

    assert thing.name == REDACTED
