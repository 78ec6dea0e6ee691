"""First sight of what a platform sends and this library does not know: an event, never a refusal.

Decides what may be said of an unknown thing: its kind, where it was, and its name if that looks like a name. Refuses to
know values. What is noted here is what breaks strict servers a day later (incidents P-28, O-08, O-16).
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Final

from ..telemetry.meters import Meters
from ..telemetry.watched import Watched

logger = logging.getLogger("ballast.oauth")

REDACTED: Final = "(redacted)"

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:/+#-]{0,79}")
"""A member, grant, header or method: `token_endpoint_auth_method`, `urn:ietf:params:oauth:grant-type:device_code`."""

_SECRETIVE: Final = re.compile(
    r"[0-9a-fA-F]{12,}|\d{6,}|eyJ[A-Za-z0-9_-]{8,}|[A-Za-z0-9+/]{33,}|[a-z]{25,}|[A-Z]{25,}|://|@"
)
"""Hexadecimal or decimal ids, JWT heads, long unbroken runs, addresses: what stands in a name's place by mistake."""


class Kind(Enum):
    """What sort of thing is unknown."""

    MEMBER = "member"
    PARAMETER = "parameter"
    GRANT = "grant"
    METHOD = "method"
    HEADER = "header"
    AUTH_METHOD = "auth method"
    SCOPE = "scope"


class Where(Enum):
    """Where it was seen."""

    REGISTRATION = "registration"
    AUTHORIZE = "authorize"
    TOKEN = "token"  # noqa: S105 the endpoint's name
    REVOCATION = "revocation"
    METADATA = "metadata"
    CLIENT_DOCUMENT = "client document"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """One unknown thing. `name` is already redacted; `first_seen` is seconds since 1970. There is no value."""

    kind: Kind
    where: Where
    name: str
    first_seen: float


def noticed(kind: Kind, where: Where, name: object, *, now: float) -> Noticed:
    """What may be said of an unknown thing called `name`, which comes from a stranger and can be anything."""
    return Noticed(kind=kind, where=where, name=as_name(name), first_seen=now)


def as_name(said: object) -> str:
    """`said` if it looks like a name, else `(redacted)`: ids, tokens and addresses do not reach a log."""
    if not isinstance(said, str) or not _NAME.fullmatch(said) or _SECRETIVE.search(said):
        return REDACTED
    words = re.split(r"[_.:/+#-]", said)
    is_id = _turns("".join(words)) >= 5 or any(_is_random(word) for word in words)  # noqa: PLR2004 `A128CBC-HS256`: 3
    return REDACTED if is_id else said


def _is_random(word: str) -> bool:
    """Whether a word mixes digits or cases as only generated ones do: `FLLrQdlez6Uf`, not `sha256` or `clientName`."""
    cases = sum(a.isalpha() and b.isalpha() and a.isupper() != b.isupper() for a, b in pairwise(word))
    return len(word) >= 8 and (_turns(word) >= 2 or 3 * cases > len(word))  # noqa: PLR2004 what names are not made of


def _turns(text: str) -> int:
    """How often digits and letters take turns."""
    return sum(a.isdigit() != b.isdigit() for a, b in pairwise(text))


Listener = Callable[[Noticed], None]


@dataclass(slots=True, kw_only=True)
class Notices:
    """Says every unknown thing once: one log line, and one call of each listener. Memory is bounded by `most`.

    Beyond `most` different things nothing new is said, only counted: somebody is inventing names.
    """

    most: int = 500
    clock: Callable[[], float] = time.time
    meters: Meters | None = None
    listeners: list[Listener] = field(default_factory=list)
    _seen: dict[tuple[Kind, Where, str], Noticed] = field(default_factory=dict)
    _sightings: dict[Kind, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.meters is not None:
            self.meters.watch(Watched.NOTICED, self.sightings)

    def __call__(self, thing: Noticed) -> None:
        """Take note of it. Never raises for what the thing is."""
        self._sightings[thing.kind] = self._sightings.get(thing.kind, 0) + 1
        key = (thing.kind, thing.where, thing.name)
        if key in self._seen or len(self._seen) >= self.most:
            return
        self._seen[key] = thing
        logger.info("First sight of an unknown %s in %s: %s", thing.kind.value, thing.where.value, thing.name)
        for listener in self.listeners:
            listener(thing)

    def see(self, kind: Kind, where: Where, name: object) -> None:
        """Take note of an unknown thing as it arrived."""
        self(noticed(kind, where, name, now=self.clock()))

    @property
    def seen(self) -> tuple[Noticed, ...]:
        """Everything that was seen for the first time, in that order."""
        return tuple(self._seen.values())

    def sightings(self) -> dict[str, float]:
        """How often something unknown came, by kind."""
        return {kind.value: count for kind, count in self._sightings.copy().items()}
