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


def why_not(value: Any, schema: Any) -> str | None:
    """Return why a value does not conform, or None if it does; a schema of None asks nothing."""
    if schema is None:
        return None
    if value is MISSING:
        return "nothing there"
    try:
        validator_class = validator_for(schema, default=Draft202012Validator)
        validator_class.check_schema(schema)
        error = best_match(validator_class(schema, registry=Registry()).iter_errors(value))
    except SchemaError as problem:
        return f"the schema itself is not valid: {problem.message}"
    except Unresolvable as problem:
        return f"the schema refers to something it does not contain: {problem}"
    if error is None:
        return None
    place = dotted(tuple(error.absolute_path))
    return f"{error.message} (at {place})" if place else error.message
