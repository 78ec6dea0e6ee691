"""What of tools/list and of a result hosts stumble over. Pure: JSON in, complaints out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..judging.conformity import why_invalid, why_not
from ..judging.matchers import Complaint
from ..judging.operators import show
from ..notation.session import MISSING

_NAME: Final = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
_NAMES: Final = ("P-38", "CT-32")
_SHAPES: Final = ("P-39", "CT-32")
_SINCE: Final[Mapping[str, str]] = {
    "text": "2024-11-05",
    "image": "2024-11-05",
    "resource": "2024-11-05",
    "audio": "2025-03-26",
    "resource_link": "2025-06-18",
}
"""Kinds of content by the revision that brought them; clients of an older one reject the whole result."""


def lint_tools(tools: Sequence[Any]) -> Iterator[Complaint]:
    """Complain about the tools of a list."""
    seen: dict[str, str] = {}
    for number, tool in enumerate(tools):
        where = f"result.tools[{number}]"
        if not isinstance(tool, Mapping):
            yield Complaint(where=where, expected="an object", actual=show(tool))
            continue
        name = tool.get("name")
        yield from _name(name, where, seen)
        yield from _schemas(tool, where)


def _name(name: Any, where: str, seen: dict[str, str]) -> Iterator[Complaint]:
    if not isinstance(name, str) or not _NAME.match(name):
        expected = "to match ^[a-zA-Z0-9_-]{1,64}$"
        yield Complaint(where=f"{where}.name", expected=expected, actual=show(name), incidents=_NAMES, advice=_NAMING)
        return
    other = seen.setdefault(name.casefold(), where)
    if other != where:
        expected = f"another name than {other}, also without regard to case"
        yield Complaint(where=f"{where}.name", expected=expected, actual=show(name), incidents=_NAMES, advice=_NAMING)


_NAMING: Final = "Use letters, digits, - and _, up to 64, no two alike: one bad name makes hosts reject the connector."


def _schemas(tool: Mapping[str, Any], where: str) -> Iterator[Complaint]:
    for member, is_needed in (("inputSchema", True), ("outputSchema", False)):
        schema = tool.get(member, MISSING)
        if schema is MISSING and not is_needed:
            continue
        kind = schema.get("type") if isinstance(schema, Mapping) else MISSING
        if kind != "object":
            yield Complaint(where=f"{where}.{member}.type", expected='"object"', actual=show(kind), incidents=_SHAPES)
        elif problem := why_invalid(schema):
            yield Complaint(where=f"{where}.{member}", expected="a JSON Schema", actual=problem, incidents=_SHAPES)


def lint_result(result: Any, schema: Any, version: str) -> Iterator[Complaint]:
    """Complain about the result of a call, in a revision, given the tool's output schema (None: it has none)."""
    if not isinstance(result, Mapping):
        yield Complaint(where="result", expected="an object", actual=show(result), incidents=_SHAPES)
        return
    content = result.get("content", MISSING)
    if not isinstance(content, list):
        yield Complaint(where="result.content", expected="an array", actual=show(content), incidents=("P-06", "CT-32"))
    for number, item in enumerate(content if isinstance(content, list) else ()):
        yield from _content(item, f"result.content[{number}]", version)
    structured = result.get("structuredContent", MISSING)
    is_error = result.get("isError") is True
    if schema is None or (is_error and structured is MISSING):
        return
    if problem := why_not(structured, schema):
        where, expected = "result.structuredContent", "what outputSchema declares, or isError without it"
        yield Complaint(where=where, expected=expected, actual=problem, incidents=_SHAPES, advice=_FITTING)


_FITTING: Final = "Give structuredContent that fits the declared outputSchema, or isError without it."


def _content(item: Any, where: str, version: str) -> Iterator[Complaint]:
    kind = item.get("type") if isinstance(item, Mapping) else MISSING
    since = _SINCE.get(kind) if isinstance(kind, str) else None
    if since is None or since > version:
        known = [name for name, begins in _SINCE.items() if begins <= version]
        incidents = ("P-06", "CT-32")
        yield Complaint(where=f"{where}.type", expected=f"one of {show(known)}", actual=show(kind), incidents=incidents)
