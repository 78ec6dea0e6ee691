"""The shape of JSON as a JSON Schema: member names and types, never a value. Pure.

Names that do not look like names are left out. Items of a list share one shape; a member that one item lacks may be
missing in the next.
"""

from collections.abc import Iterable
from functools import reduce
from typing import Any

from .plain import is_name

_DEEPEST = 10  # levels below which anything goes: deeper is a document of its own
_MOST_MEMBERS = 60  # an object with more is a table by some key, and its members share one shape
_MOST_ITEMS = 200  # items looked at: more teach nothing new

Schema = dict[str, Any]


def shape_of(value: Any, depth: int = 0) -> Schema:
    """The schema of a value: what every value of the same kind must be like."""
    if depth > _DEEPEST:
        return {}
    if isinstance(value, dict):
        return _object(value, depth)
    if isinstance(value, list):
        items = merged(shape_of(item, depth + 1) for item in value[:_MOST_ITEMS])
        return {"type": "array", "items": items} if items else {"type": "array"}
    return {"type": _scalar(value)}


def merged(shapes: Iterable[Schema]) -> Schema:
    """One schema that every one of these fits."""
    return reduce(_merge, shapes, {}) if (shapes := list(shapes)) else {}


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return "string"


def _object(value: dict[str, Any], depth: int) -> Schema:
    if len(value) > _MOST_MEMBERS:
        of_all = merged(shape_of(inner, depth + 1) for inner in value.values())
        return {"type": "object", "additionalProperties": of_all}
    members = {name: shape_of(inner, depth + 1) for name, inner in value.items() if is_name(name)}
    return {"type": "object", "required": sorted(members), "properties": members} if members else {"type": "object"}


def _merge(one: Schema, other: Schema) -> Schema:
    if not one or one == other:
        return other
    both = sorted({*_types(one), *_types(other)})
    schema: Schema = {"type": both[0] if len(both) == 1 else both} if both else {}
    if {"properties", "additionalProperties"} & (one.keys() | other.keys()):
        schema |= _merged_members(one, other)
    if "items" in one or "items" in other:
        schema["items"] = _merge(one.get("items", {}), other.get("items", {})) or {}
    return schema


def _merged_members(one: Schema, other: Schema) -> Schema:
    if "additionalProperties" in one or "additionalProperties" in other:
        every = [part for schema in (one, other) for part in _parts(schema)]
        return {"additionalProperties": merged(every)}
    mine, theirs = one.get("properties", {}), other.get("properties", {})
    names = sorted({*mine, *theirs})
    members = {name: _merge(mine.get(name, {}), theirs.get(name, {})) for name in names}
    objects = [schema for schema in (one, other) if "object" in _types(schema)]
    required = set.intersection(*(set(schema.get("required", ())) for schema in objects)) if objects else set()
    return {"properties": members} | ({"required": sorted(required)} if required else {})


def _parts(schema: Schema) -> list[Schema]:
    return [*schema.get("properties", {}).values(), *filter(None, [schema.get("additionalProperties")])]


def _types(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)
