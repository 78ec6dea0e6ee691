"""A tool whose input schema is written by hand and must come out of `tools/list` as it was put in.

The keywords are those that the suite's `json-schema-2020-12` looks for.
"""

from typing import Any, Final

from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult

from tests.conformance.contents import answer

_ADDRESS: Final = {
    "$anchor": "addressDef",
    "type": "object",
    "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
}

SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": _ADDRESS},
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


async def _contact(name: str = "", phone: str = "", email: str = "") -> CallToolResult:
    return answer(f"{name}: {phone or email}")


def tool_with_own_schema() -> Tool:
    """For `Connector(tools=[...])`."""
    made = Tool.from_function(_contact, name="json_schema_2020_12_tool", description="Keep a contact.")
    return made.model_copy(update={"parameters": SCHEMA})
