"""Tools that ask the client during a call, by requests of their own: sampling and elicitation up to 2025-11-25.

They need a way back to the client, which only a session has. On the stateless engine they fail, and must (see
`expectations.py`); with sessions they work. Names, messages and schemas are the suite's.
"""

from typing import Annotated, Any, Final, Literal

from mcp_types import CallToolResult, ElicitResult, SamplingMessage, TextContent
from pydantic import BaseModel, Field

from connector import Call, tool
from tests.conformance.contents import answer

_OPTIONS: Final = ["option1", "option2", "option3"]

ENUMS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": _OPTIONS},
        "titledSingle": {
            "type": "string",
            "oneOf": [
                {"const": "value1", "title": "First Option"},
                {"const": "value2", "title": "Second Option"},
                {"const": "value3", "title": "Third Option"},
            ],
        },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": _OPTIONS}},
        "titledMulti": {
            "type": "array",
            "items": {
                "anyOf": [
                    {"const": "value1", "title": "First Choice"},
                    {"const": "value2", "title": "Second Choice"},
                    {"const": "value3", "title": "Third Choice"},
                ]
            },
        },
    },
    "required": [],
}
"""The five ways to offer a choice (SEP-1330)."""


class Person(BaseModel):
    """Who answers."""

    username: Annotated[str, Field(description="User's response")]
    email: Annotated[str, Field(description="User's email address")]


class Defaults(BaseModel):
    """One field of every primitive type, each with a default (SEP-1034)."""

    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: Literal["active", "inactive", "pending"] = "active"
    verified: bool = True


class Questions:
    """To be mixed into a connector."""

    @tool
    async def test_sampling(self, prompt: str, call: Call) -> CallToolResult:
        """Have the client's model answer a prompt."""
        asked = SamplingMessage(role="user", content=TextContent(text=prompt))
        reply = await call.context.session.create_message(
            messages=[asked], max_tokens=100, related_request_id=call.context.request_id
        )
        return answer(
            f"LLM response: {reply.content.text if isinstance(reply.content, TextContent) else reply.content}"
        )

    @tool
    async def test_elicitation(self, message: str, call: Call) -> CallToolResult:
        """Ask the user for a name and an address."""
        reply = await call.context.elicit(message, Person)
        content = reply.data.model_dump() if reply.action == "accept" else None
        return answer(f"User response: action={reply.action}, content={content}")

    @tool
    async def test_elicitation_sep1034_defaults(self, call: Call) -> CallToolResult:
        """Ask with a default in every field."""
        return await _elicit(call, "Check what is filled in", Defaults.model_json_schema())

    @tool
    async def test_elicitation_sep1330_enums(self, call: Call) -> CallToolResult:
        """Ask for a choice in five ways."""
        return await _elicit(call, "Choose", ENUMS)


async def _elicit(call: Call, message: str, schema: dict[str, Any]) -> CallToolResult:
    reply: ElicitResult = await call.context.session.elicit_form(
        message, schema, related_request_id=call.context.request_id
    )
    return answer(f"Elicitation completed: action={reply.action}, content={reply.content}")
