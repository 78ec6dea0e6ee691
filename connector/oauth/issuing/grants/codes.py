"""Codes that wait to be redeemed. Each is taken once; the store has a digest of it, not the code."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from ....stores.port import Records
from ..sealing import Seal

_KIND: Final = "oauth-code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a code stands for: what a person allowed, to whom, and where the answer went."""

    client_id: str
    redirect_uri: str
    challenge: str
    subject: str
    scopes: tuple[str, ...]
    resource: str
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The codes that wait."""

    records: Records
    seal: Seal

    async def keep(self, code: str, consent: Consent, *, seconds: float) -> None:
        """Let it wait."""
        value = json.dumps(asdict(consent)).encode()
        await self.records.put(_KIND, self.seal.digest("code", code), value, expires_in=seconds)

    async def look(self, code: str) -> Consent | None:
        """What it stands for; None if it was redeemed, has expired or never was."""
        record = await self.records.get(_KIND, self.seal.digest("code", code))
        return None if record is None else _consent(record.value)

    async def take(self, code: str) -> Consent | None:
        """The same, and nobody else gets it."""
        record = await self.records.take(_KIND, self.seal.digest("code", code))
        return None if record is None else _consent(record.value)


def _consent(stored: bytes) -> Consent:
    said: dict[str, Any] = json.loads(stored)
    return Consent(**{**said, "scopes": tuple(said["scopes"])})
