"""Makes and reads codes, access tokens and refresh tokens. They are sealed, and stored nowhere.

A token names its grant and says nothing else worth knowing; whether it still stands, for whom and for what, is asked of
the grant in the store. Nothing that is stored lets anybody make one without the server's secret. The refresh token
that follows another is always the same one, so an answer that was lost can be given again without being kept.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from ..sealing import Seal

_ID_LENGTH: Final = 32
"""Characters of a grant's id: 192 bits of a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What an access token says. `scopes` is None where it may do all that the grant allows."""

    grant_id: str
    generation: int
    expires_at: int
    scopes: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Which of the grant's access tokens it is."""
        return f"{self.generation}.{self.expires_at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """What a refresh token says."""

    grant_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """Makes and reads them."""

    seal: Seal

    def new_code(self) -> str:
        """A code that nobody can guess."""
        return self.seal.close("code", secrets.token_urlsafe(24))

    def is_code(self, text: str) -> bool:
        """Whether this server made that code, whatever has become of it."""
        return self.seal.open("code", text) is not None

    def grant_of(self, code: str) -> str:
        """The id of the grant that comes of a code: known from the code alone, so a second use finds the first's."""
        return self.seal.digest("grant", code)[:_ID_LENGTH]

    def access(self, access: Access) -> str:
        """An access token."""
        said: list[object] = [access.grant_id, access.generation, access.expires_at]
        return self.seal.close("access", said if access.scopes is None else [*said, list(access.scopes)])

    def read_access(self, text: str) -> Access | None:
        """What an access token says; None if this server did not make it."""
        said = self.seal.open("access", text)
        if said is None:
            return None
        scopes = tuple(said[3]) if len(said) > 3 else None  # noqa: PLR2004 the fourth member is optional
        return Access(grant_id=said[0], generation=said[1], expires_at=said[2], scopes=scopes)

    def refresh(self, refresh: Refresh) -> str:
        """A refresh token."""
        return self.seal.close("refresh", [refresh.grant_id, refresh.generation])

    def read_refresh(self, text: str) -> Refresh | None:
        """What a refresh token says; None if this server did not make it."""
        said = self.seal.open("refresh", text)
        return None if said is None else Refresh(grant_id=said[0], generation=said[1])
