"""A tool that the user named for a part of a check, with arguments; else that part is left out, with words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..offer.catalogue import CallableTool, Example
from .inquiry import Inquiry


def named_tool(inquiry: Inquiry, part: str, key: str, what: str) -> CallableTool | None:
    """The tool that stands under `key`; without one the part is skipped, with what to set. `what` says which it is."""
    name = str(getattr(inquiry.means, key))
    if not name:
        inquiry.skip(part, f'it needs {what}: write {key} = "NAME" under [checks], arguments under [tools.NAME]')
        return None
    return _tool(inquiry, name)


def mapped_tool(inquiry: Inquiry, part: str, key: str, example: str) -> CallableTool | None:
    """The same where the user also said what the arguments are called; `example` shows how."""
    mapping: Mapping[str, str] = getattr(inquiry.means, key)
    if not mapping:
        inquiry.skip(part, f"nothing says which tool that is: write {key} = {example} under [checks]")
        return None
    return _tool(inquiry, mapping["tool"])


def with_arguments(tool: CallableTool, **arguments: Any) -> CallableTool:
    """The tool with these arguments beside its own."""
    return replace(tool, arguments={**tool.arguments, **arguments})


def _tool(inquiry: Inquiry, name: str) -> CallableTool:
    example = inquiry.catalogue.examples.get(name, Example())
    return CallableTool(name=name, arguments=example.arguments or {})
