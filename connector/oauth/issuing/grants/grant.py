"""A grant: what one person allowed one client, and which of its refresh tokens is the current one. Pure.

Refresh tokens are numbered. Using the current one makes the next number current. The one before is answered with the
current one for a while, because hosts refresh in parallel and lose answers (incident O-01); after that its use means
that two hold the grant, and the grant ends (RFC 9700 section 4.14.2).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

_MOST: Final = 100
"""Numbers remembered within one window, and access tokens that were revoked one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant. `superseded` holds when each earlier number ceased to be current, `revoked` until when each access token
    that was given back would have been valid; all times are seconds since 1970.
    """

    client_id: str
    subject: str
    scopes: tuple[str, ...]
    resource: str
    granted_at: float
    generation: int = 0
    superseded: Mapping[int, float] = field(default_factory=dict)
    revoked: Mapping[str, float] = field(default_factory=dict)
    is_ended: bool = False

    def to_json(self) -> bytes:
        """As it is stored."""
        return json.dumps(
            {
                "v": 1,
                "client_id": self.client_id,
                "subject": self.subject,
                "scopes": self.scopes,
                "resource": self.resource,
                "granted_at": self.granted_at,
                "generation": self.generation,
                "superseded": {str(number): at for number, at in self.superseded.items()},
                "revoked": dict(self.revoked),
                "is_ended": self.is_ended,
            }
        ).encode()

    @classmethod
    def from_json(cls, stored: bytes, *, scopes: tuple[str, ...], resource: str) -> Self:
        """A stored grant. What an older version did not store yet is `scopes` and `resource` (CT-25)."""
        said: dict[str, Any] = json.loads(stored)
        granted = said.get("scopes", said.get("scope", scopes))
        return cls(
            client_id=said["client_id"],
            subject=said["subject"],
            scopes=tuple(granted.split() if isinstance(granted, str) else granted),
            resource=said.get("resource") or resource,
            granted_at=said.get("granted_at", 0.0),
            generation=said.get("generation", 0),
            superseded={int(number): at for number, at in said.get("superseded", {}).items()},
            revoked=said.get("revoked", {}),
            is_ended=said.get("is_ended", False),
        )

    def ended(self) -> Self:
        """Without any power from now on."""
        return replace(self, is_ended=True)

    def without(self, access: str, *, expires_at: float, now: float) -> Self:
        """With one access token given back. More than can be remembered end the grant."""
        revoked = {name: until for name, until in self.revoked.items() if until > now} | {access: expires_at}
        return replace(self, revoked=revoked, is_ended=self.is_ended or len(revoked) > _MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """The current refresh token was used: the grant as it is now, to be stored."""

    grant: Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """An earlier one was used again in time: answer with the current one. `since` is when it ceased to be current."""

    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """An earlier one was used again too late: the grant has to end."""


def turn(grant: Grant, generation: int, *, now: float, window: float) -> Turned | Repeated | Replayed:
    """What using refresh token number `generation` means. `window` is seconds.

    A number ahead of the stored one was issued by us all the same, or it would bear no seal: the store has lost its
    last write, and the holder has not done anything wrong.
    """
    if generation >= grant.generation:
        recent = {number: at for number, at in grant.superseded.items() if now - at <= window}
        kept = dict(sorted(recent.items())[-_MOST:])
        return Turned(grant=replace(grant, generation=generation + 1, superseded=kept | {generation: now}))
    since = grant.superseded.get(generation)
    if since is not None and now - since <= window:
        return Repeated(since=since)
    return Replayed()
