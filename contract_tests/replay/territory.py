"""Where a replay may go: the target's own origin, and origins the user named. Pure.

A target under test on loopback that calls itself by its public address is played on loopback all the same.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from .values import origin_of


class LeadsElsewhere(Exception):
    """An address is neither the target's nor one the user allowed; the text says what to do."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        super().__init__(
            f"it leads to {origin}, which is not the target; to play against it too, "
            f'write follow = ["{origin}"] under [oauth] in ballast.toml'
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Territory:
    """The target's address, the origin it gives itself in public, and foreign origins that may be talked to."""

    url: str
    public_origin: str = ""
    follow: tuple[str, ...] = ()

    def address(self, place: str) -> str:
        """Where to send what is meant for `place`, a path or a whole address.

        Raises:
            LeadsElsewhere: it is outside.
        """
        url = place if "://" in place else origin_of(self.url) + place
        if self.public_origin and origin_of(url) == self.public_origin:
            url = origin_of(self.url) + url.removeprefix(self.public_origin)
        if not self.is_own(url) and origin_of(url) not in self.follow:
            raise LeadsElsewhere(origin_of(url))
        return url

    def is_own(self, url: str) -> bool:
        """Whether an address has the target's own origin."""
        return origin_of(url) == origin_of(self.url)


def leads_to(location: str, address: str) -> bool:
    """Whether a redirect goes to an address, whatever its query."""
    one, other = urlsplit(location), urlsplit(address)
    return (one.scheme, one.netloc, one.path or "/") == (other.scheme, other.netloc, other.path or "/")
