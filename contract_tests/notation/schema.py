"""The shape of a session file, checked against the JSON Schema that ships with the sessions.

It turns a schema error into a sentence about a line of the file. What a file means is judged in `meaning`.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    """A schema error without its library: what was there, what the schema says about it, and the rule it breaks."""

    instance: Any
    schema: Any
    rule: str
    wanted: Any
    message: str


_Explanation: TypeAlias = tuple[tuple[str, ...], str, str]
"""What to add to the place, what is wrong, and what to do."""


def _explained(document: Document, error: ValidationError) -> SessionFileError:
    fault = _Fault(
        instance=error.instance,
        schema=error.schema,
        rule=str(error.validator),
        wanted=error.validator_value,
        message=error.message,
    )
    extra, problem, remedy = _EXPLAIN.get(fault.rule, _explain_plainly)(fault)
    return document.error((*error.absolute_path, *extra), problem, remedy)


_TYPE_NAMES: Mapping[str, str] = {"object": "a mapping", "array": "a list", "string": "text"}


def _explain_plainly(fault: _Fault) -> _Explanation:
    return (), f"{_short(fault.instance)} does not fit here: {fault.message}.", "See docs/sessions.md."


def _explain_unknown_member(fault: _Fault) -> _Explanation:
    allowed = list(fault.schema.get("properties", {}))
    unknown = next(name for name in fault.instance if name not in allowed)
    near = difflib.get_close_matches(str(unknown), allowed, n=1)
    remedy = f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(allowed)}."
    return (unknown,), f"The member {unknown!r} is unknown.", remedy


def _explain_missing_member(fault: _Fault) -> _Explanation:
    missing = next(name for name in fault.wanted if name not in fault.instance)
    about = fault.schema.get("properties", {}).get(missing, {}).get("description", "")
    return (), f"The member {missing!r} is missing.", f"Add it. {about}".rstrip()


def _explain_value(fault: _Fault) -> _Explanation:
    allowed = fault.wanted if fault.rule == "enum" else [fault.wanted]
    known = ", ".join(str(value) for value in allowed)
    return (), f"{_short(fault.instance)} is not possible here.", f"Use {known}."


def _explain_type(fault: _Fault) -> _Explanation:
    wanted = fault.wanted if isinstance(fault.wanted, list) else [fault.wanted]
    words = " or ".join(_TYPE_NAMES.get(str(name), f"a {name}") for name in wanted)
    hint = " Put it in quotes." if "string" in wanted and isinstance(fault.instance, bool | int | float) else ""
    return (), f"{_short(fault.instance)} is not {words}.", f"Write {words} here.{hint}"


def _explain_operator(fault: _Fault) -> _Explanation:
    choices = [name for option in fault.wanted for name in option.get("required", [])]
    if not choices or not isinstance(fault.instance, dict):
        about = fault.schema.get("description", "")
        return (), f"{_short(fault.instance)} does not fit here.", about or "See docs/sessions.md."
    given = [name for name in choices if isinstance(fault.instance, dict) and name in fault.instance]
    problem = f"There are {len(given)} of them: {', '.join(given)}." if given else "None of them is there."
    return (), problem, f"Give exactly one of {', '.join(choices)}."


def _explain_conflict(fault: _Fault) -> _Explanation:
    names = " and ".join(fault.wanted.get("required", []))
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
