"""How one shape differs from what is approved: the deviations, each said once. Pure.

A member that comes with all that is in it is one deviation, as is a value that takes another's place.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from connector.recorder.paths import read
from connector.recorder.shape import Shape

from .finding import Deviation
from .kinds import Kind, Turn
from .lock import LOTS, Approved, Lock, Profile, Trait, place_of, traits_of

_AGENT: Final = "user-agent"
_CAPABILITIES: Final = frozenset({"capabilities", "io.modelcontextprotocol/clientCapabilities"})


def deviations(shape: Shape, lock: Lock) -> tuple[Deviation, ...]:
    """What is new about a shape; what it lacks is among it, whether or not others still have it."""
    approved = lock.places.get(place_of(shape))
    if shape.surface not in lock.surfaces:
        return (_surface(shape),)
    # Few requests have not shown all they can be: what other surfaces send is nothing new of one that is hardly met.
    is_met = lock.seen_of(shape.surface) >= LOTS
    if approved is None:
        is_known = lock.knows_method(shape.channel, shape.method) and not is_met
        return () if is_known else (Deviation(kind=Kind.METHOD, turn=Turn.APPEARED, name=shape.method),)
    is_known = (lock.knows_version(shape.channel, shape.method, shape.version) and not is_met) or (
        lock.speaks(shape.surface, shape.version) and approved.seen < LOTS
    )
    found = [*(() if is_known else _version(shape, approved)), *_pieces(shape, approved, lock)]
    version = shape.version if found and found[0].kind is Kind.VERSION else ""
    return tuple(_products(_said_once(found, version), shape, lock))


def against(shape: Shape, profile: Profile) -> tuple[Deviation, ...]:
    """What tells a shape from one profile, whatever else is known."""
    approved = Approved(versions={shape.version: profile})
    return tuple(_said_once([*_pieces(shape, approved, Lock())], ""))


def nearest(shape: Shape, lock: Lock) -> tuple[str, Profile] | None:
    """The version and the profile that a shape should be compared with: its own, or the most like it; None if nobody
    is known to ask for the same.
    """
    traits = traits_of(shape).keys()
    found = [
        ((place == place_of(shape), version == shape.version, len(traits & profile.traits.keys())), version, profile)
        for place, approved in lock.places.items()
        if (place.channel, place.method) == (shape.channel, shape.method)
        for version, profile in approved.versions.items()
    ]
    return max(found, key=lambda each: each[0])[1:] if found else None


def product_of(shape: Shape) -> str:
    """What a client calls itself in its User-Agent, without a version."""
    return next((word for name, word in shape.values if name == _AGENT), "")


def _surface(shape: Shape) -> Deviation:
    """A surface nobody has met, by what it calls itself where that is a name."""
    product = product_of(shape)
    name = shape.surface if not product or product.startswith("(") else product
    return Deviation(kind=Kind.SURFACE, turn=Turn.APPEARED, name=name)


def presented(deviation: Deviation) -> Deviation:
    """A deviation as it is reported: what declares a capability is a value the protocol knows, wherever it stands."""
    is_capability = deviation.kind is Kind.MEMBER and not _CAPABILITIES.isdisjoint(_segments(deviation.name))
    return replace(deviation, kind=Kind.VALUE) if is_capability else deviation


def _products(found: Iterable[Deviation], shape: Shape, lock: Lock) -> Iterator[Deviation]:
    """A product that was never seen is a surface that nobody has met, also where the tables take it for a known one."""
    found = list(found)
    product = product_of(shape)
    is_new = product and not any(
        (Kind.VALUE, f"{_AGENT}: {product}") in profile.traits
        for approved in lock.places.values()
        for profile in approved.versions.values()
    )
    for each in found:
        if is_new and each.kind is Kind.VALUE and each.name.partition(": ")[0] in {_AGENT, "client"}:
            if each.name.startswith(_AGENT) and each.turn is not Turn.VANISHED:
                yield _surface(shape)
        else:
            yield each


def _version(shape: Shape, approved: Approved) -> Iterator[Deviation]:
    if shape.version in approved.versions or not approved.versions:
        return
    if shape.version:
        yield Deviation(kind=Kind.VERSION, turn=Turn.APPEARED, name=shape.version)
    else:
        yield Deviation(kind=Kind.VERSION, turn=Turn.VANISHED, name="any", was=" or ".join(sorted(approved.versions)))


def _pieces(shape: Shape, approved: Approved, lock: Lock) -> Iterator[Deviation]:
    profile = approved.versions.get(shape.version)
    traits = traits_of(shape)
    elsewhere = lock.elsewhere(shape.channel, shape.method) if approved.seen < LOTS else {}
    for trait, words in traits.items():
        own, known = approved.words(trait), elsewhere.get(trait)
        if own is None and known is None:
            yield Deviation(kind=trait[0], turn=Turn.APPEARED, name=trait[1], now=_types(words))
        elif words - (own or frozenset()) - (known or frozenset()):
            yield Deviation(
                kind=trait[0], turn=Turn.CHANGED, name=trait[1], was=_types(own or known or ()), now=_types(words)
            )
    if profile is not None:
        for trait in sorted(profile.regular - traits.keys()):
            yield _vanished(trait, profile)


def _vanished(trait: Trait, profile: Profile) -> Deviation:
    return Deviation(kind=trait[0], turn=Turn.VANISHED, name=trait[1], was=_types(profile.traits[trait].words))


def _types(words: Iterable[str]) -> str:
    return " or ".join(sorted(words))


def _said_once(found: list[Deviation], version: str) -> Iterator[Deviation]:
    """Leave out what only follows from another deviation."""
    found = [*_exchanged(found)]
    said = {(each.kind, each.name): each for each in found}
    for each in found:
        if each.kind is Kind.MEMBER and _follows_from_parent(each, said):
            continue
        if each.kind is Kind.MEMBER and each.turn is Turn.APPEARED and _is_told_by_value(each, found):
            continue
        is_told = _is_told_by_name(each, found) or each.name.endswith(f": {version}")
        if each.kind is Kind.VALUE and is_told and each.turn is not Turn.CHANGED:
            continue
        yield each


def _exchanged(found: list[Deviation]) -> Iterator[Deviation]:
    """One word gone and one come under the same name is a change."""
    gone, come = _one_word(found, Turn.VANISHED), _one_word(found, Turn.APPEARED)
    for each in found:
        name, _, word = each.name.partition(": ")
        if each.kind is not Kind.VALUE or name not in gone or name not in come:
            yield each
        elif each.turn is Turn.APPEARED:
            yield Deviation(kind=Kind.VALUE, turn=Turn.CHANGED, name=name, was=gone[name], now=word)


def _one_word(found: list[Deviation], turn: Turn) -> Mapping[str, str]:
    """The names with exactly one word that turned so."""
    words: dict[str, list[str]] = {}
    for each in found:
        if (each.kind, each.turn) == (Kind.VALUE, turn):
            name, _, word = each.name.partition(": ")
            words.setdefault(name, []).append(word)
    return {name: own[0] for name, own in words.items() if len(own) == 1}


def _follows_from_parent(each: Deviation, said: Mapping[tuple[Kind, str], Deviation]) -> bool:
    """Whether something around a member has turned, and takes it along."""
    segments = _segments(each.name)
    for (kind, name), other in said.items():
        around = _segments(name) if kind is Kind.MEMBER and name != each.name else ()
        if around and segments[: len(around)] == around and other.turn in {each.turn, Turn.CHANGED}:
            return True
    return False


def _is_told_by_value(member: Deviation, found: list[Deviation]) -> bool:
    """A capability is a member and a word: the word says more."""
    last = _segments(member.name)[-1]
    words = (each.name.partition(": ") for each in found if (each.kind, each.turn) == (Kind.VALUE, Turn.APPEARED))
    return any(word == last != name for name, _, word in words)


def _is_told_by_name(value: Deviation, found: list[Deviation]) -> bool:
    """A header or a member that has turned takes its words along."""
    name = value.name.partition(": ")[0]
    return any(
        each.turn is value.turn and each.name != value.name and name in {each.name, *_segments(each.name)[-1:]}
        for each in found
        if each.kind in {Kind.HEADER, Kind.MEMBER}
    )


def _segments(path: str) -> tuple[str, ...]:
    try:
        return read(path)
    except ValueError:  # somebody wrote it into the lock by hand
        return (path,)
