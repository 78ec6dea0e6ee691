"""The members of a request and their JSON types, without a value and without a key that is somebody's. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from ..paths import ANY, ITEM, written
from .content import ABSENT, Content
from .naming import is_name
from .seen import Pairs
from .vocabulary import DECLARED, KNOWN_NAMES, LEAVES, MAPS

_DEEPEST: Final = 8
_MOST_UNKNOWN: Final = 24
"""Members of one object that are in no table; an object with more is a map by some key."""
_MOST_ITEMS: Final = 50
_MOST: Final = 256

Place = tuple[str, ...]


def members_of(content: Content) -> Pairs:
    """Places and types, sorted, each once."""
    found = {(written(("query", name_of(name))), "string") for name, _ in content.query}
    found |= {(written(("form", name_of(name))), "string") for name, _ in content.form}
    if content.json is not ABSENT:
        found |= set(_walk(content.json, ()))
    if len(found) > _MOST:  # nobody's protocol: what stands on top tells enough
        found = {pair for pair in found if pair[0].count(".") + pair[0].count("[") <= 1}
    return tuple(sorted(found)[:_MOST])


def name_of(name: str) -> str:
    """A member's name, or what stands for one that could be anything."""
    return name if is_name(name) else ANY


def type_of(value: Any) -> str:
    """The JSON type. All numbers are one: whether 37 or 37.5 is sent depends on where somebody is."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def is_leaf(place: Place) -> bool:
    """Whether nothing below this place is looked at.

    That is so where a tool's own words begin, and one level below what no table knows: an unknown member may hold
    somebody's data, named as they like. What declares capabilities is looked at further down.
    """
    if not place:
        return False
    if len(place) >= _DEEPEST or place[-1] in LEAVES:
        return True
    if DECLARED.intersection(place):
        return False
    unknown = [part for part in place if part not in KNOWN_NAMES and part != ITEM]
    return len(unknown) > 1


def names_in(value: dict[str, Any], place: Place) -> dict[str, str]:
    """For each key the name it is said by."""
    is_declared = bool(DECLARED.intersection(place))
    if place and place[-1] in MAPS and not is_declared:
        return dict.fromkeys(value, ANY)
    unknown = [key for key in value if key not in KNOWN_NAMES]
    if len(unknown) > _MOST_UNKNOWN:
        return {key: key if key in KNOWN_NAMES else ANY for key in value}
    return {key: name_of(key) for key in value}


def _walk(value: Any, place: Place) -> Iterator[tuple[str, str]]:
    if place:
        yield written(place), type_of(value)
    if is_leaf(place):
        return
    if isinstance(value, dict):
        names = names_in(value, place)
        for key, inner in value.items():
            yield from _walk(inner, (*place, names[key]))
    elif isinstance(value, list):
        for item in value[:_MOST_ITEMS]:
            yield from _walk(item, (*place, ITEM))
