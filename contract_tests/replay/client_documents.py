"""`ClientDocuments`: where the client documents of sessions are published, and who signs for them."""

from collections.abc import Mapping
from typing import Any, Protocol


class ClientDocuments(Protocol):
    """A place that authorization servers can read client documents from."""

    @property
    def jwks(self) -> str:
        """The address of the public key."""

    def url(self, session_id: str) -> str:
        """The address of one session's document."""

    def was_ignored(self, session_id: str) -> bool:
        """Whether nobody has asked for the document yet; False where that cannot be known."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Sign claims as a JWT (RS256); `exp`, `iat` and `jti` are added where they are missing."""
