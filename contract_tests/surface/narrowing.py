"""Whether what one JSON Schema allows is still allowed by another: the places where it is not. Pure.

No full proof is tried, which JSON Schema does not permit: what schemas of tools are made of is compared member by
member, and what is neither equal nor understood is said to be changed. A place is `a.b[]`, as people write it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ..judging.operators import show

_DEEPEST: Final = 40
_ALL: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """A value that was allowed and may not be any more: where, what was allowed, and what is."""

    place: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """One place in both schemas. `depth` ends what refers to itself."""

    before: Any
    now: Any
    roots: tuple[Any, Any]
    place: str = ""
    depth: int = 0

    def into(self, before: Any, now: Any, step: str = "") -> "_Pair":
        place = f"{self.place}{step}" if step.startswith("[") or not self.place else f"{self.place}.{step}"
        return replace(self, before=before, now=now, place=place if step else self.place, depth=self.depth + 1)

    def narrowing(self, before: Any, now: Any) -> Narrowing:
        return Narrowing(place=self.place, before=str(before), now=str(now))


def narrowings(before: Any, now: Any) -> Iterator[Narrowing]:
    """Every place where `now` allows less than `before`."""
    yield from _compare(_Pair(before=before, now=now, roots=(before, now)))


def _compare(pair: _Pair) -> Iterator[Narrowing]:
    pair = replace(pair, before=_resolved(pair.before, pair.roots[0]), now=_resolved(pair.now, pair.roots[1]))
    is_same = pair.before == pair.now and pair.roots[0] == pair.roots[1]
    if is_same or pair.depth > _DEEPEST or pair.before is False or not _asks(pair.now):
        return
    if pair.now is False:
        yield pair.narrowing("anything" if pair.before is True else "allowed", "nothing")
    elif choices := _choices(pair.before):
        for choice in choices:
            yield from _compare(pair.into(choice, pair.now))
    elif choices := _choices(pair.now):
        yield from _in_one_of(pair, choices)
    else:
        before = pair.before if isinstance(pair.before, Mapping) else {}
        yield from _plain(replace(pair, before=before))


def _in_one_of(pair: _Pair, choices: list[Any]) -> Iterator[Narrowing]:
    """It is enough if one of several takes it; otherwise the nearest one says why not."""
    reasons = [list(_compare(pair.into(pair.before, choice))) for choice in choices]
    if all(reasons):
        fitting = [found for found in reasons if not any(each.place == pair.place for each in found)]
        yield from min(fitting or reasons, key=len)


def _plain(pair: _Pair) -> Iterator[Narrowing]:
    lost = _types(pair.before) - _wider(_types(pair.now))
    if lost:
        yield pair.narrowing(_named(_types(pair.before)), _named(_types(pair.now)))
        return
    for rule in _RULES:
        yield from rule(pair)


def _values(pair: _Pair) -> Iterator[Narrowing]:
    allowed = _enumerated(pair.now)
    if allowed is None:
        return
    was = _enumerated(pair.before)
    if was is None:
        yield pair.narrowing("any value of its type", f"one of {show(allowed)}")
    elif gone := [value for value in was if value not in allowed]:
        yield pair.narrowing(f"also {show(gone)}", f"one of {show(allowed)}")


def _limits(pair: _Pair) -> Iterator[Narrowing]:
    for name, is_floor in _LIMITS.items():
        was, is_now = pair.before.get(name), pair.now.get(name)
        if not isinstance(is_now, int | float) or isinstance(is_now, bool):
            continue
        is_open = not isinstance(was, int | float)
        if is_open or (is_now > was if is_floor else is_now < was):
            if is_open and is_floor and is_now <= 0 and name.startswith("min") and name != "minimum":
                continue  # no length is below 0
            yield pair.narrowing(f"{name} {was}" if not is_open else f"no {name}", f"{name} {is_now}")


_LIMITS: Final[Mapping[str, bool]] = {
    "minimum": True,
    "exclusiveMinimum": True,
    "minLength": True,
    "minItems": True,
    "minProperties": True,
    "maximum": False,
    "exclusiveMaximum": False,
    "maxLength": False,
    "maxItems": False,
    "maxProperties": False,
}
"""Members that limit, and whether from below."""


def _wording(pair: _Pair) -> Iterator[Narrowing]:
    """What cannot be compared by size: it is less as soon as it is another."""
    for name in ("pattern", "format", "multipleOf", "not", "if", "allOf", "contains", "propertyNames"):
        was, is_now = pair.before.get(name), pair.now.get(name)
        if name in pair.now and is_now != was:
            yield pair.narrowing(
                f"{name} {show(was)}" if name in pair.before else f"no {name}", f"{name} {show(is_now)}"
            )
    if pair.now.get("uniqueItems") is True and pair.before.get("uniqueItems") is not True:
        yield pair.narrowing("repeated items", "no item twice")


def _required(pair: _Pair) -> Iterator[Narrowing]:
    was, is_now = (set(map(str, schema.get("required") or ())) for schema in (pair.before, pair.now))
    for name in sorted(is_now - was):
        yield pair.into(None, None, name).narrowing("optional", "required")


def _members(pair: _Pair) -> Iterator[Narrowing]:
    was, is_now = (_table(schema.get("properties")) for schema in (pair.before, pair.now))
    others = pair.now.get("additionalProperties", True)
    for name, schema in was.items():
        inner = pair.into(schema, is_now.get(name, others), name)
        if name in is_now or isinstance(others, Mapping):
            yield from _compare(inner)
        else:
            yield inner.narrowing("taken", "gone")
    loose = pair.before.get("additionalProperties")
    if isinstance(loose, Mapping) and others is not True:
        yield from _compare(pair.into(loose, others, "*"))


def _items(pair: _Pair) -> Iterator[Narrowing]:
    if "items" in pair.now:
        yield from _compare(pair.into(pair.before.get("items", True), pair.now["items"], "[]"))
    if pair.now.get("prefixItems", []) != pair.before.get("prefixItems", []):
        yield pair.narrowing(show(pair.before.get("prefixItems", [])), show(pair.now.get("prefixItems", [])))


_RULES: Final[tuple[Callable[[_Pair], Iterator[Narrowing]], ...]] = (
    _values, _limits, _wording, _required, _members, _items,
)  # fmt: skip


def _asks(schema: Any) -> bool:
    return schema is False or (isinstance(schema, Mapping) and bool(schema))


def _choices(schema: Any) -> list[Any]:
    """The alternatives of a schema, each with what stands beside them."""
    for name in ("anyOf", "oneOf"):
        if isinstance(schema, Mapping) and isinstance(found := schema.get(name), list) and found:
            beside = {key: value for key, value in schema.items() if key != name}
            return [{**beside, **choice} if isinstance(choice, Mapping) else choice for choice in found]
    return []


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    said = schema.get("type")
    if isinstance(said, str):
        return frozenset({said})
    if isinstance(said, list):
        return frozenset(map(str, said))
    values = _enumerated(schema)
    return _ALL if values is None else frozenset(map(_type_of, values))


def _wider(types: frozenset[str]) -> frozenset[str]:
    return types | {"integer"} if "number" in types else types


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    named = {type(None): "null", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return named.get(type(value), "object")


def _enumerated(schema: Mapping[str, Any]) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if isinstance(values, list) else None


def _named(types: frozenset[str]) -> str:
    return "any type" if types >= _ALL else " or ".join(sorted(types))


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _resolved(schema: Any, root: Any) -> Any:
    """A schema behind its local references; what cannot be found is left as it is, and compared as it stands."""
    for _ in range(_DEEPEST):
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not (isinstance(reference, str) and reference.startswith("#/")):
            return schema
        found: Any = root
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
        if found is None:
            return schema
        schema = found
    return True
