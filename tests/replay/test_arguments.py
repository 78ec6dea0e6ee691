"""Arguments made from input schemas: they fit, they are the same every time, and impossible ones are explained."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.errors import CannotMakeArguments
from contract_tests.offer.arguments import make_arguments
from contract_tests.offer.pattern import sample


def one(schema: Any, **root: Any) -> Any:
    """Make the one required member of an object."""
    return make_arguments({"type": "object", "properties": {"it": schema}, "required": ["it"], **root})["it"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, "example"),
        ({}, "example"),
        (True, "example"),
        ({"type": "string", "minLength": 10}, "exampleexample"),
        ({"type": "string", "minLength": 9, "maxLength": 9}, "exampleex"),
        ({"type": "string", "maxLength": 2}, "ex"),
        ({"type": "string", "maxLength": 0}, ""),
        ({"type": "string", "format": "date"}, "2026-01-15"),
        ({"type": "string", "format": "email"}, "someone@example.com"),
        ({"type": "string", "format": "unheard-of"}, "example"),
        ({"type": "string", "pattern": "^INV-[0-9]{6}$"}, "INV-000000"),
        ({"type": "string", "pattern": "^[A-Z]{2}$", "maxLength": 2}, "AA"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "minimum": 10, "multipleOf": 7}, 14),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 1),
        ({"type": "string", "enum": ["b", "a"]}, "b"),
        ({"const": {"x": 1}}, {"x": 1}),
        ({"type": "integer", "default": 20}, 20),
        ({"type": "string", "default": None}, "example"),
        ({"type": "string", "examples": ["Zurich"], "default": "x"}, "Zurich"),
        ({"type": "string", "examples": [7, "Zurich"]}, "Zurich"),
        ({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 3}]}, 3),
        ({"oneOf": [{"type": "string", "minLength": 8}, {"type": "integer"}]}, "exampleexample"),
        ({"allOf": [{"type": "string"}, {"minLength": 8}, {"maxLength": 8}]}, "exampleexample"[:8]),
        ({"type": "array", "items": {"type": "integer"}}, []),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": True}, ["example", "a"]),
        ({"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 2, "uniqueItems": True}, ["x", "y"]),
        ({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a"]}, {"a": 1}),
        ({"type": "object", "required": ["z"], "additionalProperties": {"type": "integer"}}, {"z": 1}),
        ({"type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}}, "minProperties": 1}, {"a": 1}),
        ({"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"a": 1}),
        ({"not": {"const": "example"}}, "a"),
    ],
)  # fmt: skip
def test_a_member_is_made_as_its_schema_asks(schema: Any, expected: Any) -> None:
    """JSON Schema 2020-12, and what SDKs write of it."""
    assert one(schema) == expected


@pytest.mark.parametrize(
    ("reference", "root"),
    [
        ("#/$defs/Size", {"$defs": {"Size": {"enum": ["L", "S"]}}}),
        ("#/definitions/Size", {"definitions": {"Size": {"enum": ["L", "S"]}}}),
        ("#/$defs/a~1b", {"$defs": {"a/b": {"$ref": "#/$defs/Size"}, "Size": {"enum": ["L"]}}}),
    ],
)
def test_references_within_the_schema_are_followed(reference: str, root: Any) -> None:
    """RFC 6901 escapes included."""
    assert one({"$ref": reference}, **root) == "L"


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.com/schema"},
        {"$ref": "#/$defs/Missing"},
        False,
        {"type": "string", "pattern": "^(?=never)x$"},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "array", "minItems": 10_000, "items": {}},
        {"allOf": [{"type": "string"}, {"type": "integer"}], "minLength": 2},
    ],
)
def test_what_cannot_be_made_is_said_and_names_the_member(schema: Any) -> None:
    """MCP: a reference is never fetched; a session is then not checked."""
    with pytest.raises(CannotMakeArguments, match=r"no value could be made for 'it'|fit|is not"):
        one(schema)


def test_a_schema_that_is_none_is_said_to_be_none() -> None:
    """Ours: draft 4 wrote exclusiveness as a boolean, 2020-12 does not."""
    with pytest.raises(CannotMakeArguments, match="the schema itself is not valid: True is not of type 'number'"):
        one({"type": "integer", "minimum": 10, "exclusiveMinimum": True})


def test_a_schema_that_requires_itself_ends() -> None:
    """Ours: recursion without an end has no example."""
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "required": ["next"]}
    with pytest.raises(CannotMakeArguments):
        make_arguments({"$ref": "#/$defs/Node", "$defs": {"Node": node}})


def test_alternatives_of_required_members_are_met() -> None:
    """JSON Schema: oneOf beside properties."""
    schema = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
        "oneOf": [{"required": ["id"]}, {"required": ["name"]}],
    }
    assert make_arguments(schema) == {"id": 1}


@pytest.mark.parametrize("schema", [None, {}, True, {"type": "object"}, {"type": "object", "properties": {"a": {}}}])
def test_a_tool_without_required_arguments_gets_none(schema: Any) -> None:
    """Ours: least surprise."""
    assert make_arguments(schema) == {}


LEAVES = st.sampled_from(
    [
        {"type": "string", "minLength": 3},
        {"type": "integer", "minimum": 4},
        {"enum": [1, "x"]},
        {"type": "number", "maximum": -1.5},
        {"type": "string", "pattern": "^[a-f]+-\\d\\d$"},
        {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
    ]
)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(st.sampled_from("abcd"), inner, max_size=3).map(
        lambda members: {"type": "object", "properties": members, "required": sorted(members)}
    )
    arrays = inner.map(lambda item: {"type": "array", "items": item, "minItems": 1})
    return objects | arrays


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from("abcd"), st.recursive(LEAVES, nested, max_leaves=6), max_size=4))
def test_whatever_is_made_fits_and_is_made_the_same_again(members: dict[str, Any]) -> None:
    """Ours: a made call that is rejected would blame the server."""
    schema = {"type": "object", "properties": members, "required": sorted(members), "additionalProperties": False}
    made = make_arguments(schema)

    jsonschema.validate(made, schema)
    assert make_arguments(schema) == made


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^\d{3}-\d{2}$", "000-00"),
        (r"^(foo|bar)$", "foo"),
        (r"^[^a-z]$", "0"),
        (r"^#?([a-f0-9]{6}|[a-f0-9]{3})$", "aaaaaa"),
        (r"^\+?[1-9]\d{1,14}$", "10"),
        (r"^(?P<year>\d{4})/(?:a|b)\x41$", "0000/aA"),
        (r"^\w+@\w+\.(com|org)$", "a@a.com"),
        (r"[]x-]{2}", "]]"),
        (r"^a{2,}?b*$", "aa"),
    ],
)
def test_a_text_is_made_for_the_common_patterns(pattern: str, expected: str) -> None:
    """Ours: what people write into schemas."""
    assert next(sample(pattern)) == expected


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(a)\1", r"\p{L}", r"[z-a]", r"(", r"a\b", "[", r"(?<!a)b", "\\"])
def test_a_pattern_that_cannot_be_read_gives_nothing(pattern: str) -> None:
    """Ours: no wrong text is ever given out."""
    assert list(sample(pattern)) == []
