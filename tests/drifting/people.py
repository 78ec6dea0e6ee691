"""The people who use the simulated platform: devices, languages, places, and what of it their requests say."""

from dataclasses import dataclass
from random import Random
from typing import Any

_BROWSERS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_6 like Mac OS X) AppleWebKit/605.1.15 Version/26.6 Safari/604.1",
)
_PLACES = (("San Carlos", "California", "US", "America/Los_Angeles"), ("Leipzig", "Sachsen", "DE", "Europe/Berlin"))
_LOCALES = ("en-US", "de-DE", "fr-FR", "ja-JP", "pt-BR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody, by what the platform says of them."""

    subject: str
    token: str
    organization: str
    locale: str
    browser: str
    location: dict[str, str]

    def meta(self, random: Random, session: str) -> dict[str, Any]:
        """`_meta` of a call: some of it is always there, some comes and goes."""
        said: dict[str, Any] = {
            "openai/locale": self.locale,
            "openai/session": session,
            "openai/subject": self.subject,
            "openai/userAgent": self.browser,
        }
        if self.organization:
            said["openai/organization"] = self.organization
        if self.location:
            said |= {"timezone": self.location["timezone"], "openai/userLocation": self.location}
        if random.random() < 0.2:
            said |= {
                "sessionId": f"{random.getrandbits(128):032x}",
                "windowId": "0",
                "callId": f"{random.getrandbits(60):x}",
            }
        if random.random() < 0.1:
            said["progressToken"] = random.choice((random.randrange(99), f"{random.getrandbits(50):x}"))
        return said


def people(random: Random, number: int) -> list[Person]:
    """So many people, the same for the same seed."""
    return [_person(random) for _ in range(number)]


def _person(random: Random) -> Person:
    city, region, country, timezone = random.choice(_PLACES)
    location = {"city": city, "country": country, "timezone": timezone}
    if random.random() < 0.8:  # a Linux browser was seen without the rest
        location |= {
            "region": region,
            "latitude": f"{random.uniform(-60, 60):.5f}",
            "longitude": f"{random.random():.14f}",
        }
    return Person(
        subject=f"v1/{random.getrandbits(160):040x}",
        token=f"at_{random.getrandbits(160):040x}",
        organization=f"v1/{random.getrandbits(160):040x}" if random.random() < 0.6 else "",
        locale=random.choice(_LOCALES),
        browser=random.choice(_BROWSERS),
        location=location if random.random() < 0.9 else {},
    )
