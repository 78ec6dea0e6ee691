"""Arguments for a tool, made from its input schema. Pure and deterministic: the same schema gives the same arguments.

Only required members are made; what the schema offers itself (const, enum, examples, default) is preferred. The
result is checked against the schema before it is given out. References outside the schema are not followed.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from ..errors import CannotMakeArguments
from ..judging.conformity import why_invalid, why_not
from ..notation.session import MISSING
from .pattern import sample

_DEEPEST = 12  # nested schemas followed: a recursive schema whose recursion is required has no finite example
_MOST_ITEMS = 100  # array members made: a schema that demands more is not meant for an example
_MOST_TRIES = 200  # candidates checked against the schema before giving up

_FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "date": "2026-01-15",
        "date-time": "2026-01-15T12:00:00Z",
        "time": "12:00:00Z",
        "duration": "PT1H",
        "email": "someone@example.com",
        "idn-email": "someone@example.com",
        "hostname": "www.example.com",
        "idn-hostname": "www.example.com",
        "ipv4": "192.0.2.1",
        "ipv6": "2001:db8::1",
        "uri": "https://www.example.com/",
        "uri-reference": "https://www.example.com/",
        "iri": "https://www.example.com/",
        "iri-reference": "https://www.example.com/",
        "url": "https://www.example.com/",
        "uri-template": "https://www.example.com/{id}",
        "uuid": "3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
        "json-pointer": "/a",
        "relative-json-pointer": "0",
        "regex": "^a$",
        "byte": "ZXhhbXBsZQ==",
        "base64": "ZXhhbXBsZQ==",
        "decimal": "1",
    }
)


def make_arguments(schema: Any) -> dict[str, Any]:
    """Make arguments that fit a tool's `inputSchema`.

    Raises:
        CannotMakeArguments: the schema cannot be satisfied with what it says about itself.
    """
    root = schema if isinstance(schema, Mapping) else {}
    if invalid := why_invalid(root):
        raise CannotMakeArguments(invalid)
    maker = _Maker(root)
    complaint = ""
    for candidate in islice(maker.values(root, 0), _MOST_TRIES):
        if not isinstance(candidate, dict):
            continue
        reason = why_not(candidate, root)
        if reason is None:
            return candidate
        complaint = reason
    raise CannotMakeArguments(complaint or maker.trouble)


class _Maker:
    """Yields candidates for the parts of one schema, likeliest first."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self.trouble = "its input schema allows no object"

    def values(self, schema: Any, depth: int) -> Iterator[Any]:
        """Yield candidates for a schema; none if it allows nothing or is nested too deep."""
        if schema is False or depth > _DEEPEST:
            return
        schema = self._resolved(schema if isinstance(schema, Mapping) else {}, depth)
        if schema is None:
            return
        yield from _offered(schema)
        for option in self._alternatives(schema, depth):
            for kind in _kinds(option):
                yield from _MAKERS[kind](self, option, depth)

    def _resolved(self, schema: Mapping[str, Any], depth: int) -> Mapping[str, Any] | None:
        """Merge a schema with what it refers to and with all of its `allOf`; None for an outside reference."""
        while "$ref" in schema:
            target = self._target(str(schema["$ref"]))
            if target is None or depth > _DEEPEST:
                return None
            schema, depth = _merged(target, {k: v for k, v in schema.items() if k != "$ref"}), depth + 1
        for part in schema.get("allOf", ()):
            inner = self._resolved(part, depth + 1) if isinstance(part, Mapping) else {}
            if inner is None:
                return None
            schema = _merged({k: v for k, v in schema.items() if k != "allOf"}, inner)
        return schema

    def _target(self, reference: str) -> Mapping[str, Any] | None:
        if not reference.startswith("#"):
            return None
        node: Any = self._root
        for part in reference[1:].split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            node = node.get(key) if isinstance(node, Mapping) else None
        return node if isinstance(node, Mapping) else None

    def _alternatives(self, schema: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
        options = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
        if not options:
            yield schema
        plain = {key: value for key, value in schema.items() if key not in {"oneOf", "anyOf"}}
        for option in sorted(options, key=_is_null):
            resolved = self._resolved(option, depth + 1) if isinstance(option, Mapping) else None
            if resolved is not None:
                yield from self._alternatives(_merged(plain, resolved), depth + 1) if depth < _DEEPEST else ()

    def objects(self, schema: Mapping[str, Any], depth: int) -> Iterator[Any]:
        """Yield the object with every required member, each with its likeliest value, then with other ones."""
        properties = schema.get("properties", {})
        required = [name for name in schema.get("required", ()) if isinstance(name, str)]
        made: dict[str, Any] = {}
        unlisted = schema.get("additionalProperties", {})
        for name in required:
            value = next(self._fitting(properties.get(name, unlisted), depth + 1), MISSING)
            if value is MISSING:
                self.trouble = f"no value could be made for {name!r}"
                return
            made[name] = value
        for name in islice((name for name in properties if name not in made), schema.get("minProperties", 0)):
            made[name] = next(self._fitting(properties[name], depth + 1), None)
        yield made

    def arrays(self, schema: Mapping[str, Any], depth: int) -> Iterator[Any]:
        """Yield the shortest array the schema allows; one item where it allows that and asks for none."""
        prefix = [next(self._fitting(item, depth + 1), None) for item in schema.get("prefixItems", ())]
        least = max(schema.get("minItems", 0), 0)
        if least > _MOST_ITEMS:
            return
        item = schema.get("items", {})
        wanted = max(least - len(prefix), 0)
        if schema.get("uniqueItems") and wanted > 1:
            rest = list(islice(self._different(item, depth + 1), wanted))
        else:
            rest = list(islice(self._fitting(item, depth + 1), 1)) * wanted
        if len(rest) == wanted:
            yield [*prefix[: max(least, len(prefix))], *rest]

    def _different(self, schema: Any, depth: int) -> Iterator[Any]:
        seen: list[Any] = []
        for value in self._fitting(schema, depth):
            if value not in seen:
                seen.append(value)
                yield value
        for number in range(_MOST_ITEMS):
            for value in (f"example {number}", number):
                if value not in seen and why_not(value, self._within(schema)) is None:
                    seen.append(value)
                    yield value

    def _fitting(self, schema: Any, depth: int) -> Iterator[Any]:
        whole = self._within(schema)
        return (value for value in islice(self.values(schema, depth), 30) if why_not(value, whole) is None)

    def _within(self, schema: Any) -> Any:
        """The part with the definitions it may refer to, so that it can be judged alone."""
        if not isinstance(schema, Mapping):
            return schema
        definitions = {key: self._root[key] for key in ("$defs", "definitions") if key in self._root}
        return {**definitions, **schema}


def _offered(schema: Mapping[str, Any]) -> Iterator[Any]:
    if "const" in schema:
        yield schema["const"]
    examples = schema.get("examples", ())
    yield from examples if isinstance(examples, list) else ()
    if "example" in schema:
        yield schema["example"]
    if schema.get("default") is not None:
        yield schema["default"]
    yield from schema.get("enum", ())


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    said = schema.get("type")
    kinds = [said] if isinstance(said, str) else list(said) if isinstance(said, list) else []
    known = [kind for kind in sorted(kinds, key="null".__eq__) if kind in _MAKERS]
    if known or said is not None:
        return known
    for kind, words in _TELLING.items():
        if any(word in schema for word in words):
            return [kind]
    return [] if any(word in schema for word in ("const", "enum")) else ["string", "object", "integer"]


_TELLING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "object": ("properties", "required", "additionalProperties", "patternProperties"),
        "array": ("items", "prefixItems", "minItems", "maxItems"),
        "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        "string": ("minLength", "maxLength", "pattern", "format"),
    }
)


def _strings(_: _Maker, schema: Mapping[str, Any], __: int) -> Iterator[Any]:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    for text in (_FORMATS.get(str(schema.get("format", "")), "example"), "example", "a", "1", "A", "a1b2c3"):
        repeated = text * -(-least // len(text)) if len(text) < least else text
        yield repeated if most is None else repeated[:most]
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        yield from sample(pattern, least)


def _integers(_: _Maker, schema: Mapping[str, Any], __: int) -> Iterator[Any]:
    for value in _numbers_of(schema):
        if float(value).is_integer():
            yield int(value)


def _numbers(_: _Maker, schema: Mapping[str, Any], __: int) -> Iterator[Any]:
    yield from _numbers_of(schema)


def _numbers_of(schema: Mapping[str, Any]) -> Iterator[Any]:
    step = schema.get("multipleOf", 1)
    low = _bound(schema, "minimum", "exclusiveMinimum", step)
    high = _bound(schema, "maximum", "exclusiveMaximum", -step)
    yield 1
    for edge in (low, high):
        if edge is not None:
            yield edge
            yield -(-edge // step) * step
            yield edge // step * step
    if low is not None and high is not None:
        yield (low + high) / 2
    yield from (0, step, -step)


def _bound(schema: Mapping[str, Any], inclusive: str, exclusive: str, inside: Any) -> Any:
    """The bound itself, or one step inside an exclusive one."""
    return schema[exclusive] + inside if exclusive in schema else schema.get(inclusive)


_MAKERS: Final[Mapping[str, Callable[[_Maker, Mapping[str, Any], int], Iterator[Any]]]] = MappingProxyType(
    {
        "object": _Maker.objects,
        "array": _Maker.arrays,
        "string": _strings,
        "integer": _integers,
        "number": _numbers,
        "boolean": lambda _, __, ___: iter((False, True)),
        "null": lambda _, __, ___: iter((None,)),
    }
)


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both schemas as one; members of `properties` and `required` are joined, the rest of `other` wins."""
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        joined["required"] = list(dict.fromkeys([*one["required"], *other["required"]]))
    if "allOf" in one and "allOf" in other:
        joined["allOf"] = [*one["allOf"], *other["allOf"]]
    return joined


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "null"
