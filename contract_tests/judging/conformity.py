"""Whether a value conforms to a JSON Schema that a target published. Pure: no reference is ever fetched.

The specification forbids following `$ref` over the network on one's own; such a schema is reported, not followed.
"""

from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from ..notation.document import dotted
from ..notation.session import MISSING


def why_invalid(schema: Any) -> str | None:
    """Return why something is no JSON Schema of the dialect it names (2020-12 without a name), or None if it is one."""
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as problem:
        return f"the schema itself is not valid: {problem.message}"
    return None


def why_not(value: Any, schema: Any) -> str | None:
    """Return why a value does not conform, or None if it does; a schema of None asks nothing."""
    if schema is None:
        return None
    if value is MISSING:
        return "nothing there"
    if invalid := why_invalid(schema):
        return invalid
    try:
        validator = validator_for(schema, default=Draft202012Validator)(schema, registry=Registry())
        error = best_match(validator.iter_errors(value))
    except Unresolvable as problem:
        return f"the schema refers to something it does not contain: {problem}"
    if error is None:
        return None
    place = dotted(tuple(error.absolute_path))
    return f"{error.message} (at {place})" if place else error.message
