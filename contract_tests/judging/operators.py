"""The operators of the session format, and how JSON values are looked up, compared and shown. Pure.

One table: a new operator is one entry here and one property in the schema.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from ..notation.session import MISSING, Place
from .conformity import why_not

SHOWN = 300
"""Characters of a value in a complaint: enough to recognise it, short enough for a terminal."""


def look_up(value: Any, place: Place) -> Any:
    """Return what stands at a place of JSON, or `MISSING`."""
    for key in place:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, dict) and str(key) in value:
            value = value[str(key)]
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return MISSING
    return value


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def show(value: Any) -> str:
    """Write a JSON value for people, shortened."""
    if value is MISSING:
        return "nothing there"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


@dataclass(frozen=True, slots=True)
class Operator:
    """How one operator judges (None: it holds, else what came instead) and what it asks for, in words."""

    judge: Callable[[Any, Any], str | None]
    expected: Callable[[Any], str]


def _unless(holds: bool, value: Any) -> str | None:
    return None if holds else show(value)


def _contains(value: Any, operand: Any) -> bool:
    if isinstance(value, str):
        return isinstance(operand, str) and operand in value
    return isinstance(value, list | dict) and any(same(item, operand) for item in value)


def _matches(value: Any, pattern: Any) -> bool:
    return isinstance(value, str) and re.search(str(pattern), value) is not None


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = MappingProxyType(
    {
        "object": lambda value: isinstance(value, dict),
        "array": lambda value: isinstance(value, list),
        "string": lambda value: isinstance(value, str),
        "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": lambda value: isinstance(value, bool),
        "null": lambda value: value is None,
    }
)

OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        "present": Operator(
            lambda value, wanted: _unless((value is not MISSING) == wanted, value),
            lambda wanted: "to be there" if wanted else "to be absent",
        ),
        "equals": Operator(lambda value, other: _unless(same(value, other), value), show),
        "one_of": Operator(
            lambda value, others: _unless(any(same(value, other) for other in others), value),
            lambda others: f"one of {show(others)}",
        ),
        "not_one_of": Operator(
            lambda value, others: _unless(not any(same(value, other) for other in others), value),
            lambda others: f"none of {show(others)}",
        ),
        "contains": Operator(
            lambda value, item: _unless(_contains(value, item), value), lambda item: f"to contain {show(item)}"
        ),
        "lacks": Operator(
            lambda value, item: _unless(not _contains(value, item), value), lambda item: f"to be without {show(item)}"
        ),
        "matches": Operator(
            lambda value, pattern: _unless(_matches(value, pattern), value),
            lambda pattern: f"to match {pattern}",
        ),
        "type": Operator(
            lambda value, name: _unless(_TYPES[name](value), value),
            lambda name: f"type {name}",
        ),
        "min_items": Operator(
            lambda value, least: _unless(isinstance(value, list) and len(value) >= least, value),
            lambda least: f"at least {least} items",
        ),
        "conforms": Operator(why_not, lambda _: "what the schema declares"),
    }
)
