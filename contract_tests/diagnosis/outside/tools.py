"""From the reply of a quick tool to an answer of the table. Pure."""

from http import HTTPStatus
from typing import Any

from ...judging.conformity import why_not
from ...judging.reply import read_reply
from ...notation.session import MISSING
from ...outcome import Ending, Received
from ...report.words import first_line, seconds
from ..weighing.verdict import Sign
from .observations import Observations, Question

_KINDS = ("text", "image", "audio", "resource", "resource_link")
_INTERNAL = -32603
_LONGEST = 160


def tool_sign(seen: Observations) -> Sign | None:
    """What became of the call of a tool that reads; None if none was called, or nothing came."""
    received = seen.of(Question.TOOL)
    if received is None or seen.tool is None:
        return None
    answer, fact = _judged(received, seen)
    return Sign(question="tool", answer=answer, fact=f"{seen.tool.name}: {fact}") if answer else None


def _judged(received: Received, seen: Observations) -> tuple[str, str]:
    message = read_reply(received).message
    if received.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return "internal-error", f"status {received.status}"
    if received.ending is not Ending.COMPLETE or message is MISSING or not isinstance(message, dict):
        return "", ""
    if "result" in message:
        return _result(message["result"], seen)
    error = message.get("error")
    said = first_line(str(error.get("message", "")), longest=_LONGEST) if isinstance(error, dict) else ""
    if isinstance(error, dict) and error.get("code") == _INTERNAL:
        return "internal-error", said
    return _errors(seen), said


def _result(result: Any, seen: Observations) -> tuple[str, str]:
    if not isinstance(result, dict):
        return "invalid-result", "its result is no object"
    if result.get("isError") is True:
        return _errors(seen), first_line(_text(result), longest=_LONGEST) or "isError without a text"
    trouble = _strange(result) or _schema_broken(result, seen)
    if trouble:
        return "invalid-result", trouble
    received = seen.of(Question.TOOL)
    return "works", f"answered after {seconds(received.duration if received else None)}"


def _errors(seen: Observations) -> str:
    return "errors" if seen.is_example or not (seen.tool and seen.tool.arguments) else "errors-to-made-up"


def _strange(result: dict[str, Any]) -> str:
    content = result.get("content", [])
    if not isinstance(content, list):
        return "content is no list"
    kinds = [item.get("type") if isinstance(item, dict) else None for item in content]
    strangers = [kind for kind in kinds if kind not in _KINDS]
    return f"content of the type {strangers[0]!r}, which the protocol does not have" if strangers else ""


def _schema_broken(result: dict[str, Any], seen: Observations) -> str:
    schema = seen.tool.output_schema if seen.tool else None
    if schema is None:
        return ""
    problem = why_not(result.get("structuredContent", MISSING), schema)
    return f"structuredContent does not match its output schema: {problem}" if problem else ""


def _text(result: dict[str, Any]) -> str:
    content = result.get("content")
    texts = [item.get("text") for item in content if isinstance(item, dict)] if isinstance(content, list) else []
    return next((text for text in texts if isinstance(text, str)), "")
