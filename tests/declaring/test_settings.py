"""Settings from arguments and from the environment."""

import pytest

from connector import AccessSettings, Connector, DeclarationError, Settings, StreamSettings


class Bare(Connector):
    """Nothing but a name."""

    name = "bare"


def test_every_variable_is_read_and_the_rest_keeps_its_default() -> None:
    """DESIGN section 2."""
    read = Settings.from_environment(
        {
            "BALLAST_PUBLIC_URL": "https://a.example.com",
            "BALLAST_ALLOWED_HOSTS": "b.internal, c:8000,",
            "BALLAST_HEARTBEAT_INTERVAL": "2.5",
            "BALLAST_MAX_BODY": "1000",
            "BALLAST_THREADS": " ",
        }
    )

    assert read.access == AccessSettings(public_url="https://a.example.com", allowed_hosts=("b.internal", "c:8000"))
    assert read.stream == StreamSettings(first_byte=1.0, interval=2.5)
    assert (read.limits.max_body, read.limits.threads) == (1000, 32)


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN section 2."""
    monkeypatch.setenv("BALLAST_PUBLIC_URL", "https://environment.example.com")
    monkeypatch.setenv("BALLAST_FIRST_BYTE", "0.5")
    made = Bare(public_url="https://argument.example.com")

    assert made.configuration.access.public_url == "https://argument.example.com"
    assert made.configuration.stream.first_byte == 0.5


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("BALLAST_FIRST_BYTE", "soon", "BALLAST_FIRST_BYTE='soon' cannot be read: set a number, e.g. 2.5"),
        ("BALLAST_MAX_BODY", "4MiB", "BALLAST_MAX_BODY='4MiB' cannot be read: set a whole number"),
        ("BALLAST_HEARTBEAT_INTERVAL", "0", "interval=0.0 must be a positive, finite number"),
        ("BALLAST_FIRST_BYTE", "inf", "first_byte=inf must be a positive, finite number"),
        ("BALLAST_PROGRESS_FRAMES", "maybe", "BALLAST_PROGRESS_FRAMES='maybe' cannot be read: set true or false"),
        ("BALLAST_HEARTBEAT_JITTER", "1", "jitter=1.0 must be a fraction of the interval"),
        ("BALLAST_DRAIN", "0", "within=0.0 must be a positive, finite number"),
        ("BALLAST_DRAIN_NOTICE", "60", "notice=60.0 must be 0 or more, and less than within=30.0"),
        ("BALLAST_THREADS", "-1", "threads=-1 must be a positive, finite number"),
        ("BALLAST_PUBLIC_URL", "example.com", "needs a scheme and a host"),
        ("BALLAST_PATH", "mcp", "path 'mcp' must begin with a slash"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    """Bad input gets a clear error."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(DeclarationError) as raised:
        Bare()
    assert says in str(raised.value)
