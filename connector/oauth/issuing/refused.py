"""Why a request is not granted, in the words of RFC 6749, 7009 and 7591. Knows no HTTP but the status."""

import re
from typing import Final

from ...errors import BallastError

_UNSAYABLE: Final = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
"""What `error_description` cannot hold (RFC 6749, appendix A.8)."""


class Refused(BallastError):
    """The request is refused. `error` is the code on the wire; the message says what to do and holds no value sent.

    `retry_after` is in seconds, for what may be granted later.
    """

    def __init__(self, error: str, message: str, *, status: int = 400, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.error = error
        self.status = status
        self.retry_after = retry_after

    def members(self) -> dict[str, str]:
        """The members of the error response."""
        return {"error": self.error, "error_description": _UNSAYABLE.sub("'", str(self))}


def unknown_client(message: str) -> Refused:
    """401 `invalid_client`: on nothing else do hosts register again (incidents T-08, CT-26)."""
    return Refused("invalid_client", message, status=401)


def not_now(message: str, *, retry_after: int = 5) -> Refused:
    """503 `temporarily_unavailable`: what is asked for may be right, but something else cannot be reached now."""
    return Refused("temporarily_unavailable", message, status=503, retry_after=retry_after)


def too_many(retry_after: float) -> Refused:
    """429: as many as this address may ask in a while."""
    seconds = max(1, round(retry_after))
    message = f"Too many requests from this address; try again in {seconds} seconds"
    return Refused("temporarily_unavailable", message, status=429, retry_after=seconds)
