"""Tools that ask the client between calls: the multi-round trips of 2026-07-28 (SEP-2322).

A call that lacks an answer ends with `input_required`; the client repeats it with the answer. Nothing is kept here:
what the next round must know travels in `requestState`, which the SDK seals. Names and messages are the suite's.
"""

from collections.abc import Mapping
from typing import Any, Final

from mcp.server.mcpserver import Context
from mcp_types import (
    CallToolResult,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    SamplingMessage,
    TextContent,
)

from connector import Call, tool
from tests.conformance.contents import answer

Round = CallToolResult | InputRequiredResult


def form(message: str, field: str, type_: str = "string") -> InputRequest:
    """A question with one required field."""
    schema: dict[str, Any] = {"type": "object", "properties": {field: {"type": type_}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def sample(prompt: str, max_tokens: int = 100) -> InputRequest:
    """A prompt for the client's model."""
    message = SamplingMessage(role="user", content=TextContent(text=prompt))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=max_tokens))


def ask(requests: Mapping[str, InputRequest], *, state: str | None = None) -> InputRequiredResult:
    """End the round with questions."""
    return InputRequiredResult(input_requests=dict(requests), request_state=state)


def said(context: Context[Any, Any], key: str, field: str) -> Any:
    """What the user put into `field` of the form `key`; None if there is no such answer."""
    reply = (context.input_responses or {}).get(key)
    return (reply.content or {}).get(field) if isinstance(reply, ElicitResult) else None


_NAME: Final = form("What is your name?", "name")
_CONFIRM: Final = form("Please confirm", "ok", "boolean")


class Rounds:
    """To be mixed into a connector."""

    @tool
    async def test_input_required_result_elicitation(self, call: Call) -> Round:
        """Greet by name, asking for it first."""
        name = said(call.context, "user_name", "name")
        return ask({"user_name": _NAME}) if name is None else answer(f"Hello, {name}!")

    @tool
    async def test_input_required_result_sampling(self, call: Call) -> Round:
        """Ask the client's model for a capital."""
        reply = (call.context.input_responses or {}).get("capital_question")
        if not isinstance(reply, CreateMessageResult):
            return ask({"capital_question": sample("What is the capital of France?")})
        return answer(reply.content if isinstance(reply.content, TextContent) else "no text")

    @tool
    async def test_input_required_result_list_roots(self, call: Call) -> Round:
        """Name the client's roots."""
        reply = (call.context.input_responses or {}).get("client_roots")
        if not isinstance(reply, ListRootsResult):
            return ask({"client_roots": ListRootsRequest()})
        return answer("Roots: " + ", ".join(str(root.uri) for root in reply.roots))

    @tool
    async def test_input_required_result_request_state(self, call: Call) -> Round:
        """Carry a state through one round."""
        if said(call.context, "confirm", "ok") is None or call.context.request_state != "asked":
            return ask({"confirm": _CONFIRM}, state="asked")
        return answer("state-ok")

    @tool
    async def test_input_required_result_tampered_state(self, call: Call) -> Round:
        """Carry a state that a client must not change."""
        if call.context.request_state != "sealed":
            return ask({"confirm": _CONFIRM}, state="sealed")
        return answer("state-ok")

    @tool
    async def test_input_required_result_multiple_inputs(self, call: Call) -> Round:
        """Ask three questions of three kinds at once."""
        questions = {
            "user_name": _NAME,
            "greeting": sample("Generate a greeting", 50),
            "client_roots": ListRootsRequest(),
        }
        answered = (call.context.input_responses or {}).keys()
        return answer("All answered") if questions.keys() <= answered else ask(questions, state="asked")

    @tool
    async def test_input_required_result_multi_round(self, call: Call) -> Round:
        """Ask for a name, then for a colour."""
        state, name = call.context.request_state or "", said(call.context, "step1", "name")
        if state.startswith("name=") and (color := said(call.context, "step2", "color")) is not None:
            return answer(f"{state.removeprefix('name=')} likes {color}")
        if state == "step1" and name is not None:
            return ask({"step2": form("Step 2: What is your favorite color?", "color")}, state=f"name={name}")
        return ask({"step1": form("Step 1: What is your name?", "name")}, state="step1")

    @tool
    async def test_input_required_result_capabilities(self, call: Call) -> Round:
        """Ask only what this client says it can answer."""
        able = call.context.client_capabilities
        questions: dict[str, InputRequest] = {}
        if able is not None and able.sampling is not None:
            questions["capital_question"] = sample("What is the capital of France?")
        if able is not None and able.elicitation is not None:
            questions["user_name"] = _NAME
        answered = (call.context.input_responses or {}).keys()
        return answer("Nothing to ask") if questions.keys() <= answered else ask(questions)

    @tool
    async def test_streaming_elicitation(self, call: Call) -> Round:
        """Ask at the end of a stream: what is on the way is notifications, never a request."""
        await call.progress(1, 2)
        return ask({"user_name": _NAME})
