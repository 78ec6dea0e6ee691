"""What differs between two JSON documents: structural, whatever the order. Pure.

Places are written `redirect_uris[]`, `keys[kid=a].n`: an item of a list is found by its value, or by a member that
names it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST: Final = 200
"""Differences that are told; more are a new document."""

_NAMES: Final = ("kid", "ipv4Prefix", "ipv6Prefix", "ip_prefix", "id", "name", "url")
"""Members that name an item of a list, the best first."""

_LONGEST: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: where, `added`, `removed` or `changed`, and the values as short JSON texts."""

    place: str
    kind: str
    before: str = ""
    after: str = ""


def differences(before: Any, after: Any, place: str = "") -> tuple[Difference, ...]:
    """Return what differs, at most `MOST`, in the order of the documents."""
    found = []
    for difference in _walk(before, after, place):
        found.append(difference)
        if len(found) == MOST:
            break
    return tuple(found)


def _walk(before: Any, after: Any, place: str) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _objects(before, after, place)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(before, after, place)
    elif not _same(before, after):
        yield Difference(place=place, kind="changed", before=_short(before), after=_short(after))


def _objects(before: Mapping[str, Any], after: Mapping[str, Any], place: str) -> Iterator[Difference]:
    for name in [*before, *(name for name in after if name not in before)]:
        there = f"{place}.{name}" if place else name
        if name not in after:
            yield Difference(place=there, kind="removed", before=_short(before[name]))
        elif name not in before:
            yield Difference(place=there, kind="added", after=_short(after[name]))
        else:
            yield from _walk(before[name], after[name], there)


def _lists(before: Sequence[Any], after: Sequence[Any], place: str) -> Iterator[Difference]:
    olds, news = _by_name(before), _by_name(after)
    for key, old in olds.items():
        if key not in news:
            yield Difference(place=f"{place}[]", kind="removed", before=_short(old))
        elif isinstance(old, dict):
            yield from _walk(old, news[key], f"{place}[{key}]")
    for key, new in news.items():
        if key not in olds:
            yield Difference(place=f"{place}[]", kind="added", after=_short(new))


def _by_name(items: Sequence[Any]) -> dict[str, Any]:
    """Items by what names them; equal ones count once, as sets of addresses do."""
    return {_name(item): item for item in items}


def _name(item: Any) -> str:
    if isinstance(item, dict):
        for member in _NAMES:
            if isinstance(item.get(member), str):
                return f"{member}={item[member]}"
    return json.dumps(item, sort_keys=True)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
