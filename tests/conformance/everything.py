"""The connector that the conformance suite is run against: every fixture its server scenarios ask for by name.

Written against the public door only: `Connector`, `@tool`, `Call`, and what `MCPServer` passes on (`resource`,
`prompt`, `completion`, `tools=`, `middleware=`). `python -m tests.conformance.everything` serves it on a free
loopback port, prints its origin, and stops when its standard input ends, so that it never outlives a test.
"""

import base64
import json
import sys
import warnings
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import Message, UserMessage
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolResult,
    Completion,
    CompletionArgument,
    CompletionContext,
    ImageContent,
    InputRequiredResult,
    PromptReference,
    ResourceTemplateReference,
)

from connector import Call, Connector, tool
from tests.conformance.contents import PNG, Contents, answer, embedded
from tests.conformance.questions import Questions
from tests.conformance.rounds import Rounds, ask, form, said
from tests.conformance.schemas import tool_with_own_schema
from tests.loopback import served


async def subscriptions(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Take subscriptions to single resources, which exist up to 2025-11-25 and which `MCPServer` does not offer."""
    if ctx.method in {"resources/subscribe", "resources/unsubscribe"} and ctx.protocol_version < "2026-07-28":
        return {}
    return await call_next(ctx)


class Everything(Contents, Questions, Rounds, Connector):
    """Fixtures for the official conformance suite."""

    name = "everything"
    version = "1.0.0"

    def __init__(self, **options: Any) -> None:
        super().__init__(tools=[tool_with_own_schema()], middleware=[subscriptions], **options)
        _add_resources(self)
        _add_prompts(self)
        _add_completion(self)

    @tool
    async def test_missing_capability(self, call: Call) -> CallToolResult:
        """Work only for a client that can sample."""
        able = call.context.client_capabilities
        if able is None or able.sampling is None:
            raise MCPError(
                code=MISSING_REQUIRED_CLIENT_CAPABILITY,
                message="This tool needs a client that can sample",
                data={"requiredCapabilities": {"sampling": {}}},
            )
        return answer("The client can sample.")

    @tool
    async def test_trigger_tool_change(self, call: Call) -> CallToolResult:
        """Say that the tools changed. They do not: another scenario compares two lists meanwhile."""
        await call.context.notify_tools_changed()
        return answer("Announced.")

    @tool
    async def test_trigger_prompt_change(self, call: Call) -> CallToolResult:
        """Say that the prompts changed."""
        await call.context.notify_prompts_changed()
        return answer("Announced.")


def _add_resources(server: Connector) -> None:
    @server.resource("test://static-text", mime_type="text/plain", description="A text")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png", description="An image")
    def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://watched-resource", mime_type="text/plain", description="May be subscribed to")
    def watched_resource() -> str:
        return "Watch me."

    @server.resource("test://template/{id}/data", mime_type="application/json", description="Data of one id")
    def template(id: str) -> str:  # noqa: A002  # the template's variable
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def _add_prompts(server: Connector) -> None:
    @server.prompt(description="A text")
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description="A text with two arguments in it")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description="A resource in a prompt")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[Message]:  # noqa: N803  # the suite's name
        resource = embedded(resourceUri, "Embedded resource content for testing.")
        return [UserMessage(resource), UserMessage("Please process the embedded resource above.")]

    @server.prompt(description="An image in a prompt")
    def test_prompt_with_image() -> list[Message]:
        image = ImageContent(data=PNG, mime_type="image/png")
        return [UserMessage(image), UserMessage("Please analyze the image above.")]

    @server.prompt(description="Asks for its context first")
    async def test_input_required_result_prompt(ctx: Context[Any, Any]) -> str | InputRequiredResult:
        context = said(ctx, "user_context", "context")
        if context is None:
            return ask({"user_context": form("What context should the prompt use?", "context")})
        return f"Use this context: {context}"


def _add_completion(server: Connector) -> None:
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        known = ["paris", "park", "party", "test"]
        return Completion(values=[value for value in known if value.startswith(argument.value)])

    completion: Any = server.completion  # the SDK leaves it untyped
    completion()(complete)


def main() -> None:
    """Serve until standard input ends. Arguments are options of `Connector`, as `name=value`."""
    options: dict[str, Any] = dict(word.split("=", 1) for word in sys.argv[1:])
    warnings.simplefilter("ignore", MCPDeprecationWarning)  # log messages are deprecated, and still demanded
    with served(Everything(log_level="CRITICAL", **options).app()) as origin:
        print(origin, flush=True)  # noqa: T201  # read by the test
        sys.stdin.read()


if __name__ == "__main__":
    main()
