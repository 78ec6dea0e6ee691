"""What was done at the lock, counted: tokens given, refused, refreshed; challenges said. No names, only kinds."""

from collections import Counter
from enum import Enum


class Deed(Enum):
    """What became of one request at the gate or at the token endpoint. The values are labels of metrics."""

    ISSUED = "issued"
    """A code was redeemed."""
    REFRESHED = "refreshed"
    REUSED = "reused"
    """A code or a refresh token came after it was used, or too late; its grant has ended."""
    REFUSED = "refused"
    """The token endpoint refused, a reuse included."""
    REVOKED = "revoked"
    CHALLENGED = "challenged"
    """401: no token where one is needed, or in the tool's result."""
    REJECTED = "rejected"
    """401: a token that is not good."""
    FORBIDDEN = "forbidden"
    """403: a token that does not allow what was asked."""
    UNVERIFIED = "unverified"
    """503: nobody could be asked what the token is worth."""


class Deeds:
    """Counts deeds."""

    def __init__(self) -> None:
        self._counts: Counter[Deed] = Counter()

    def __call__(self, deed: Deed) -> None:
        """One more."""
        self._counts[deed] += 1

    def counts(self) -> dict[str, float]:
        """How often each was done. From any thread."""
        return {deed.value: count for deed, count in self._counts.copy().items()}
