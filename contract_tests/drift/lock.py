"""`Lock`: what somebody has approved, as values: who asks for what, with which headers, members and values. Pure.

It holds pieces and how regularly they come, not whole requests: optional pieces that come and go in new combinations
are nothing new. It knows no file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from connector.recorder.shape import Shape

from .kinds import Kind

FEW: Final = 3
MANY: Final = 30
LOTS: Final = 300
"""Requests from which on something is said to be always there. What one in ten lacks, thirty hardly all have (rule of
three); but one conversation is many requests, so what comes in part is told from what goes only by some hundreds."""

Trait: TypeAlias = tuple[Kind, str]
"""A piece of a request: a header by its name, a member by its place, a value as `name: word`."""

Measure: TypeAlias = float | tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Who asks for what: a surface, a channel (mcp, oauth, discovery, other), a method or a verb with its path."""

    surface: str
    channel: str
    method: str

    def __str__(self) -> str:
        return f"{self.surface}, {self.channel} {self.method}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How a piece is used: in every request that was seen, or in some; of a member also its JSON types."""

    is_always: bool
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What requests of one version look like. `seen` says how many it was made of, at least: 1, FEW, MANY or LOTS."""

    seen: int = 1
    traits: Mapping[Trait, Usage] = field(default_factory=dict)

    @property
    def regular(self) -> frozenset[Trait]:
        """The pieces that every request had, if there were enough to say so."""
        if self.seen < FEW:
            return frozenset()
        return frozenset(trait for trait, usage in self.traits.items() if usage.is_always)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What is approved for one place: by version of the protocol, and the rhythm in which it comes."""

    versions: Mapping[str, Profile] = field(default_factory=dict)
    rhythm: Mapping[str, Measure] = field(default_factory=dict)

    @property
    def seen(self) -> int:
        """How well it is known: by the version that is known best."""
        return max((profile.seen for profile in self.versions.values()), default=0)

    def words(self, trait: Trait) -> frozenset[str] | None:
        """Every type a member was approved with, whatever the version; None if the piece is unknown here."""
        found = [profile.traits[trait].words for profile in self.versions.values() if trait in profile.traits]
        return frozenset().union(*found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Everything that is approved: place by place, what holds for all of them, and headers that the way here adds."""

    places: Mapping[Place, Approved] = field(default_factory=dict)
    rhythm: Mapping[str, Measure] = field(default_factory=dict)
    edge: frozenset[str] = frozenset()

    @property
    def surfaces(self) -> frozenset[str]:
        """Every part of a platform that is known."""
        return frozenset(place.surface for place in self.places)

    def elsewhere(self, channel: str, method: str) -> Mapping[Trait, frozenset[str]]:
        """Every piece that any surface is known to send with a method, and its types."""
        found: dict[Trait, frozenset[str]] = {}
        for profile in self._profiles(channel, method):
            for trait, usage in profile.traits.items():
                found[trait] = found.get(trait, frozenset()) | usage.words
        return found

    def seen_of(self, surface: str) -> int:
        """How well a surface is known: by the place that is known best."""
        own = (approved for place, approved in self.places.items() if place.surface == surface)
        return max((profile.seen for approved in own for profile in approved.versions.values()), default=0)

    def speaks(self, surface: str, version: str) -> bool:
        """Whether a surface is known to ask for anything under a version."""
        return any(version in approved.versions for place, approved in self.places.items() if place.surface == surface)

    def knows_version(self, channel: str, method: str, version: str) -> bool:
        """Whether any surface is known to ask for it under a version."""
        return any(
            version in approved.versions
            for place, approved in self.places.items()
            if (place.channel, place.method) == (channel, method)
        )

    def _profiles(self, channel: str, method: str) -> Iterator[Profile]:
        for place, approved in self.places.items():
            if (place.channel, place.method) == (channel, method):
                yield from approved.versions.values()

    def knows_method(self, channel: str, method: str) -> bool:
        """Whether any surface is known to ask for it."""
        return any((place.channel, place.method) == (channel, method) for place in self.places)


def place_of(shape: Shape) -> Place:
    """The place of a request."""
    return Place(surface=shape.surface, channel=shape.channel, method=shape.method)


def traits_of(shape: Shape) -> dict[Trait, frozenset[str]]:
    """The pieces of a request; of a member also its JSON types, for one place can have several."""
    types: dict[Trait, frozenset[str]] = {}
    for path, type_ in shape.members:
        types[Kind.MEMBER, path] = types.get((Kind.MEMBER, path), frozenset()) | {type_}
    headers: dict[Trait, frozenset[str]] = {(Kind.HEADER, name): frozenset() for name in shape.headers}
    values: dict[Trait, frozenset[str]] = {(Kind.VALUE, f"{name}: {word}"): frozenset() for name, word in shape.values}
    return headers | types | values
