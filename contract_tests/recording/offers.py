"""What tools the target was seen to offer, and how a recorded call is written: without its arguments unless allowed.

A call whose arguments are withheld gets others that fit the tool's own schema, if the tool is read-only; else any
tool that may be called stands for it. So no replay writes unless its author allowed it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..credentials import clean
from ..errors import CannotMakeArguments
from ..offer.arguments import make_arguments
from .addresses import literal
from .placeholders import SHORTEST_SOUGHT
from .plain import is_name, is_plain
from .redacting import Redactor
from .rules import is_credential

_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_SECRET_FORM = re.compile(
    r"eyJ[\w-]{6,}(?:\.[\w-]*){0,4}|[\w.%+-]+@[\w-]+(?:\.[\w-]+)+"
    rf"|(?!{_UUID})(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])[\w+/=-]{{20,}}|-?\d{{1,3}}\.\d{{4,}}",
    re.IGNORECASE,
)


class Offers:
    """The tools of the lists that were recorded, by name."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self.allowed = frozenset(allowed)
        self._tools: dict[str, Mapping[str, Any]] = {}

    def learn(self, message: Any) -> None:
        """Take the tools of a reply, if it lists any."""
        result = message.get("result") if isinstance(message, dict) else None
        tools = result.get("tools") if isinstance(result, dict) else None
        for tool in tools if isinstance(tools, list) else ():
            if isinstance(tool, dict) and isinstance(tool.get("name"), str):
                self._tools[tool["name"]] = tool

    def call(self, name: str, arguments: Any, redactor: Redactor) -> tuple[str, Any]:
        """The templates of a call's name and arguments."""
        if name in self.allowed:
            return literal(name), allowed_arguments(arguments, redactor)
        redactor.note(arguments)
        made = self._made(name, arguments)
        if made is not None:
            return name, _literals(made)
        redactor.needs.add("tool")
        return "${tool.name}", "${tool.arguments}"

    def _made(self, name: str, arguments: Any) -> Any:
        tool = self._tools.get(name, {})
        annotations = tool.get("annotations")
        is_read_only = isinstance(annotations, dict) and annotations.get("readOnlyHint") is True
        schema = tool.get("inputSchema")
        if not is_read_only or not is_name(name) or not isinstance(schema, dict):
            return None
        try:
            made = make_arguments(_requiring(schema, arguments))
        except CannotMakeArguments:
            return None
        return made if _is_innocent(made) else None


def types_of(arguments: Any) -> str:
    """The arguments of a call in words: the names that look like names, and the JSON types."""
    if not isinstance(arguments, dict):
        return "none"
    return ", ".join(f"{name} ({_type(value)})" for name, value in arguments.items() if is_name(name)) or "none"


def allowed_arguments(value: Any, redactor: Redactor, name: str = "argument") -> Any:
    """Arguments as they were, but for credentials, e-mail addresses, coordinates and what looks like a token."""
    if isinstance(value, dict):
        return {
            literal(_SECRET_FORM.sub("{member}", key)): allowed_arguments(inner, redactor, key)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [allowed_arguments(item, redactor, name) for item in value]
    if isinstance(value, float) and _SECRET_FORM.search(repr(value)):
        return redactor.placeholders.number(value)
    if not isinstance(value, str):
        return value
    if is_credential(name):
        return redactor.secret(name, value)
    return literal(clean(_SECRET_FORM.sub(lambda match: redactor.placeholders.text(name, match[0]), value)))


def _requiring(schema: Mapping[str, Any], arguments: Any) -> dict[str, Any]:
    """The schema of arguments with the same members as were given."""
    known = schema.get("properties")
    given = [name for name in arguments if isinstance(known, dict) and name in known] if arguments else []
    required = schema.get("required")
    required = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    return {**schema, "required": list(dict.fromkeys([*required, *given]))}


def _is_innocent(value: Any) -> bool:
    """Whether made arguments are plain: defaults and examples of a schema are the target's own data."""
    if isinstance(value, dict):
        return all(is_name(name) and _is_innocent(inner) for name, inner in value.items())
    if isinstance(value, list):
        return all(map(_is_innocent, value))
    return is_plain(value) if isinstance(value, str) else len(str(value)) < SHORTEST_SOUGHT


def _literals(value: Any) -> Any:
    if isinstance(value, dict):
        return {literal(name): _literals(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_literals(item) for item in value]
    return literal(value) if isinstance(value, str) else value


def _type(value: Any) -> str:
    match value:
        case dict():
            return "object"
        case list():
            return "array"
        case str():
            return "string"
        case bool():
            return "boolean"
        case None:
            return "null"
        case _:
            return "number"
