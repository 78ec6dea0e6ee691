"""The shape of a session file, checked against the JSON Schema that ships with the sessions.

It turns a schema error into a sentence about a line of the file. What a file means is judged in `meaning`.
"""

import difflib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from ..errors import SessionFileError
from .document import Document

SCHEMA_FILE = Path(__file__).parent.parent / "sessions" / "session.schema.json"


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


def check_shape(document: Document) -> None:
    """Check one file against the schema.

    Raises:
        SessionFileError: for the most telling of its faults.
    """
    error = best_match(_validator().iter_errors(document.value))
    if error is not None:
        raise _explained(document, error)


def _explained(document: Document, error: ValidationError) -> SessionFileError:
    place = tuple(error.absolute_path)
    explain = _EXPLAIN.get(str(error.validator), _explain_plainly)
    extra, problem, remedy = explain(error)
    return document.error((*place, *extra), problem, remedy)


type_names: Mapping[str, str] = {"object": "a mapping", "array": "a list", "string": "text"}


def _explain_plainly(error: ValidationError) -> tuple[tuple[str, ...], str, str]:
    return (), f"{_short(error.instance)} does not fit here: {error.message}.", "See docs/sessions.md."


def _explain_unknown_member(error: ValidationError) -> tuple[tuple[str, ...], str, str]:
    allowed = list(error.schema.get("properties", {}))
    unknown = next(name for name in error.instance if name not in allowed)
    near = difflib.get_close_matches(str(unknown), allowed, n=1)
    remedy = f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(allowed)}."
    return (unknown,), f"The member {unknown!r} is unknown.", remedy


def _explain_missing_member(error: ValidationError) -> tuple[tuple[str, ...], str, str]:
    missing = next(name for name in error.validator_value if name not in error.instance)
    about = error.schema.get("properties", {}).get(missing, {}).get("description", "")
    return (), f"The member {missing!r} is missing.", f"Add it. {about}".rstrip()


def _explain_value(error: ValidationError) -> tuple[tuple[str, ...], str, str]:
    allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
    known = ", ".join(str(value) for value in allowed)
    return (), f"{_short(error.instance)} is not possible here.", f"Use {known}."


def _explain_type(error: ValidationError) -> tuple[tuple[str, ...], str, str]:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    words = " or ".join(type_names.get(str(name), f"a {name}") for name in wanted)
    hint = " Put it in quotes." if "string" in wanted and isinstance(error.instance, bool | int | float) else ""
    return (), f"{_short(error.instance)} is not {words}.", f"Write {words} here.{hint}"


def _explain_operator(error: ValidationError) -> tuple[tuple[str, ...], str, str]:
    choices = [name for option in error.validator_value for name in option.get("required", [])]
    if not choices:
        return _explain_plainly(error)
    given = [name for name in choices if isinstance(error.instance, dict) and name in error.instance]
    problem = f"There are {len(given)} of them: {', '.join(given)}." if given else "None of them is there."
    return (), problem, f"Give exactly one of {', '.join(choices)}."


def _explain_conflict(error: ValidationError) -> tuple[tuple[str, ...], str, str]:
    names = " and ".join(error.validator_value.get("required", []))
    return (), f"There are both {names}.", "A request has one body: keep one of json, raw and form."


_EXPLAIN = {
    "additionalProperties": _explain_unknown_member,
    "required": _explain_missing_member,
    "const": _explain_value,
    "enum": _explain_value,
    "type": _explain_type,
    "oneOf": _explain_operator,
    "not": _explain_conflict,
}


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - fits one line of a terminal
