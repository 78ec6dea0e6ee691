"""What an old list allows and today's does not: schemas compared."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.surface.narrowing import narrowings

TEXT, NUMBER = {"type": "string"}, {"type": "number"}


def members(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


def places(before: Any, now: Any) -> list[tuple[str, str, str]]:
    return [(found.place, found.before, found.now) for found in narrowings(before, now)]


@pytest.mark.parametrize(
    ("before", "now", "lost"),
    [
        (members(a=TEXT), members(a=NUMBER), [("a", "string", "number")]),
        (members(a=TEXT), members(a=TEXT, b=TEXT, required=["b"]), [("b", "optional", "required")]),
        (members(a=TEXT), {**members(), "additionalProperties": False}, [("a", "taken", "gone")]),
        (members(a=TEXT), members(), [("a", "taken", "gone")]),
        (members(a={"enum": ["x", "y"]}), members(a={"enum": ["x"]}), [("a", 'also ["y"]', 'one of ["x"]')]),
        (members(a=TEXT), members(a={"const": "x"}), [("a", "any value of its type", 'one of ["x"]')]),
        (members(a={"maximum": 9}), members(a={"maximum": 5}), [("a", "maximum 9", "maximum 5")]),
        (members(a=TEXT), members(a={**TEXT, "maxLength": 5}), [("a", "no maxLength", "maxLength 5")]),
        (members(a=TEXT), members(a={**TEXT, "minLength": 1}), [("a", "no minLength", "minLength 1")]),
        (members(a=TEXT), members(a={**TEXT, "pattern": "x"}), [("a", "no pattern", 'pattern "x"')]),
        (
            members(a={"type": "array", "items": members(b={"type": ["string", "null"]})}),
            members(a={"type": "array", "items": members(b=TEXT)}),
            [("a[].b", "null or string", "string")],
        ),
        (
            members(a={"anyOf": [TEXT, {"type": "null"}]}),
            members(a={"anyOf": [{"enum": ["x"]}, {"type": "null"}]}),
            [("a", "any value of its type", 'one of ["x"]')],
        ),
        (
            {**members(a={"$ref": "#/$defs/A"}), "$defs": {"A": members(b=TEXT)}},
            {**members(a={"$ref": "#/$defs/A"}), "$defs": {"A": members(b=NUMBER)}},
            [("a.b", "string", "number")],
        ),
        (True, False, [("", "anything", "nothing")]),
    ],
)
def test_what_was_allowed_and_is_not_is_found(before: Any, now: Any, lost: list[tuple[str, str, str]]) -> None:
    """Issue 8 item 7: what breaks calls made from the old snapshot."""
    assert places(before, now) == lost


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (members(a={"type": "integer"}), members(a=NUMBER)),
        (members(a=TEXT, required=["a"]), members(a=TEXT, b=TEXT)),
        (members(a={"enum": ["x"]}), members(a=TEXT)),
        (members(a={"enum": ["x"]}), members(a={"enum": ["y", "x"]})),
        (members(a={"maximum": 5}), members(a={"maximum": 9})),
        (members(a=TEXT), members(a={"anyOf": [TEXT, {"type": "null"}]})),
        (members(a={**TEXT, "description": "a"}), members(a={**TEXT, "description": "b", "title": "A"})),
        (members(a=TEXT), members(a={**TEXT, "minLength": 0})),
        (members(a={"$ref": "#/$defs/A"}), members(a={"$ref": "#/$defs/A"})),
        (
            {"$defs": {"A": members(a={"$ref": "#/$defs/A"})}, "$ref": "#/$defs/A"},
            {"$defs": {"A": members(a={"$ref": "#/$defs/A"}, b=TEXT)}, "$ref": "#/$defs/A"},
        ),
    ],
)
def test_what_allows_more_or_says_it_otherwise_is_no_loss(before: Any, now: Any) -> None:
    """Only losses are worth an alarm. Schemas may refer to themselves."""
    assert places(before, now) == []


LEAVES = st.sampled_from([None, True, 0, 1, 2.5, 7, "", "x", "longer"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
PLAIN = st.one_of(
    st.just({}),
    st.builds(lambda kind: {"type": kind}, TYPES),
    st.builds(lambda kinds: {"type": kinds}, st.lists(TYPES, min_size=1, max_size=2, unique=True)),
    st.builds(lambda values: {"enum": values}, st.lists(LEAVES, min_size=1, max_size=3)),
    st.builds(lambda low: {"type": "number", "minimum": low}, st.integers(0, 3)),
    st.builds(lambda low, high: {"minLength": low, "maxLength": high}, st.integers(0, 1), st.integers(1, 6)),
)


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    required = st.lists(st.sampled_from("ab"), max_size=1)
    return st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda each: {"anyOf": each}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(
            lambda has, needs, more: {"type": "object", "properties": has, "required": needs, **more},
            properties,
            required,
            st.sampled_from([{}, {"additionalProperties": False}]),
        ),
    )


SCHEMAS = st.recursive(PLAIN, _larger, max_leaves=4)


def _declared(value: Any, schema: Any) -> bool:
    """Whether a value has only members that its schema names: others nobody sends, for nobody knows them."""
    if isinstance(value, list):
        return all(_declared(each, schema.get("items", {})) for each in value)
    if not isinstance(value, dict):
        return True
    has = schema.get("properties")
    return has is not None and all(name in has and _declared(each, has[name]) for name, each in value.items())


@given(before=SCHEMAS, now=SCHEMAS, value=VALUES)
@settings(max_examples=600, deadline=None)
def test_where_nothing_is_lost_every_value_is_still_allowed(before: Any, now: Any, value: Any) -> None:
    """Ours: `jsonschema` decides what is allowed; a loss may be reported too often, never too seldom."""
    if jsonschema.Draft202012Validator(before).is_valid(value) and _declared(value, before):
        is_allowed = jsonschema.Draft202012Validator(now).is_valid(value)

        assert is_allowed or places(before, now)
