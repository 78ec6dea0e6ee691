"""What one run of a tool came to, in the SDK's words and in the desk's.

Knows the SDK's public results and errors. Every failure of a tool becomes an `isError` result that the model can read.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, get_args

from mcp.server.mcpserver.exceptions import ResourceError, ToolError, UnexpectedToolError
from mcp.server.mcpserver.utilities.types import Audio, Image
from mcp_types import CallToolResult, ContentBlock, InputRequiredResult, TextContent
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from ..errors import OutcomeUnknown
from ..guard import Failures
from ..stores.port import State
from ..telemetry.failures import fields_of, log_crash
from .deadline import NotEnoughTime
from .outcome import NO_JSON, Ended, refusal
from .pieces import PIECES

ToolResult = CallToolResult | InputRequiredResult

_BLOCKS: Final[TypeAdapter[Any]] = TypeAdapter(ContentBlock)


async def answer(name: str, run: Callable[[], Awaitable[ToolResult]]) -> tuple[ToolResult, State | None]:
    """Run a tool. What it raises becomes a result; the state says what is known of its effect, None if none."""
    try:
        return compact(await run()), State.DONE
    except ToolError as failed:
        return told(name, failed), _state_after(failed.__cause__)


def told(name: str, failed: ToolError) -> CallToolResult:
    """What a tool raised, as a result, with what it had given before."""
    pieces = PIECES.get()
    given = [] if pieces is None else [_BLOCKS.validate_python(block) for block in pieces.blocks]
    return CallToolResult(content=[TextContent(text=_explain(name, failed)), *given], is_error=True)


def blocks_of(content: Any) -> list[dict[str, Any]]:
    """Partial content as content blocks in JSON, worded as the same value is in a result: a text as it is, the SDK's
    blocks and helpers as such, a list as its items, and any other value as JSON.
    """
    if isinstance(content, list | tuple):
        return [block for item in content for block in blocks_of(item)]
    if isinstance(content, Image):
        content = content.to_image_content()
    elif isinstance(content, Audio):
        content = content.to_audio_content()
    if not isinstance(content, get_args(ContentBlock)):
        content = TextContent(text=content if isinstance(content, str) else to_json(content, fallback=str).decode())
    block: dict[str, Any] = content.model_dump(mode="json", by_alias=True, exclude_none=True)
    return [block]


def ended(result: ToolResult, state: State | None, failures: Failures) -> Ended:
    """The same as JSON data for the desk; with no state where nothing of it may be kept."""
    try:
        data = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    except PydanticSerializationError as raised:  # the work is done, so this is no reason to let it run again
        log_crash("A tool's result cannot be put into JSON", raised)
        return Ended(state=State.FAILED, result=refusal(NO_JSON))
    is_open = isinstance(result, InputRequiredResult)
    is_retried = failures == "retried" and state is State.FAILED
    return Ended(state=None if is_open or is_retried else state, result=data)


def _state_after(cause: BaseException | None) -> State | None:
    if isinstance(cause, ValidationError | NotEnoughTime):
        return None
    return State.UNKNOWN if isinstance(cause, OutcomeUnknown) else State.FAILED


def compact(result: ToolResult) -> ToolResult:
    """The text of a structured result on one line: the SDK indents it, and hosts count tokens."""
    structured = result.structured_content if isinstance(result, CallToolResult) else None
    if not isinstance(result, CallToolResult) or not isinstance(structured, dict):
        return result
    wrapped = structured["result"] if structured.keys() == {"result"} else structured
    for block, value in zip(result.content, wrapped if isinstance(wrapped, list) else [wrapped], strict=False):
        if isinstance(value, dict | list) and isinstance(block, TextContent) and _is_indented(block.text, value):
            block.text = to_json(value).decode()
    return result


def not_called(name: str, invalid: ValidationError) -> CallToolResult:
    """The answer to arguments that do not fit."""
    said = f"{name} was not called: its arguments do not fit ({fields_of(invalid)}). Correct them and call again."
    return CallToolResult(content=[TextContent(text=said)], is_error=True)


def _is_indented(text: str, value: Any) -> bool:
    return text[:2] in {"{\n", "[\n"} and text == to_json(value, indent=2).decode()


def _explain(name: str, failed: ToolError) -> str:
    """The sentence the model reads. The SDK wraps what was raised; what matters is behind the wrapper."""
    cause = failed.__cause__
    if isinstance(failed, UnexpectedToolError):
        log_crash(f"Tool {name!r} failed", cause or failed)
        return f"{name} failed unexpectedly. The reason is in the connector's log."
    if isinstance(cause, ValidationError):
        return f"{name} was not called: its arguments do not fit ({fields_of(cause)}). Correct them and call again."
    return str(cause if isinstance(cause, ToolError | ResourceError) else failed)
