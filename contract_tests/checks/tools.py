"""CT-32: what tools/list declares can be read by every host, and results keep to it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from ..judging.matchers import Complaint
from ..judging.operators import look_up, show
from ..judging.reply import Reply
from ..notation.session import MISSING
from .contract import Contract
from .inquiry import Inquiry
from .speech import CALLED, RESULT, Speech, speaking
from .tool_lint import lint_result, lint_tools

_ANY: Final[dict[str, Any]] = {"status": [200, 400], "media": ["application/json", "text/event-stream"]}


async def ask(inquiry: Inquiry) -> None:
    """List, call well, call badly, and call what was removed."""
    speech, tool = await speaking(inquiry), inquiry.tool()
    listed = await inquiry.ask("tools/list", speech.request("tools/list", {}), RESULT)
    found = look_up(listed.message, ("result", "tools"))
    tools = found if isinstance(found, list) else []
    _complain(inquiry, (*lint_tools(tools), *lint_for_scanner(tools)))
    called = await inquiry.ask("a call", speech.call(tool), CALLED)
    _judge(inquiry, called, tool.output_schema, speech)
    wrong = {"name": tool.name, "arguments": {"ballast_no_such_argument": [1]}}
    failed = await inquiry.ask("a call with the wrong arguments", speech.request("tools/call", wrong), _ANY)
    if look_up(failed.message, ("error", "code")) is MISSING:
        _judge(inquiry, failed, tool.output_schema, speech)
    await _removed(inquiry, speech)


def lint_for_scanner(tools: Iterable[Any]) -> Iterator[Complaint]:
    """Complain about what ChatGPT refuses when it scans a list. Pure."""
    from connector.listing.scanner import faults_of  # noqa: PLC0415 - the whole of a connector comes with it

    for number, tool in enumerate(tools):
        for fault in faults_of(tool) if isinstance(tool, Mapping) else ():
            where = f"result.tools[{number}] {tool.get('name')}"
            yield Complaint(where=where, expected="what ChatGPT takes when it scans the tools", actual=fault)


def _judge(inquiry: Inquiry, reply: Reply, schema: Any, speech: Speech) -> None:
    if not inquiry.steps[-1].findings:
        _complain(inquiry, lint_result(look_up(reply.message, ("result",)), schema, speech.version))


def _complain(inquiry: Inquiry, complaints: Iterable[Complaint]) -> None:
    for complaint in complaints:
        inquiry.complain(
            where=complaint.where,
            expected=complaint.expected,
            actual=complaint.actual,
            advice=complaint.advice or CT_32.advice,
            incidents=complaint.incidents or CT_32.incidents,
        )


async def _removed(inquiry: Inquiry, speech: Speech) -> None:
    if not inquiry.means.removed_tools:
        inquiry.skip(
            "tools that were removed", 'name them in ballast.toml: removed_tools = ["old_name"] under [checks]'
        )
    for name in inquiry.means.removed_tools:
        expect = {**RESULT, "json": [{"at": "result.isError", "equals": True}]}
        more: dict[str, Any] = {
            "incidents": ("P-21", "CT-32"),
            "advice": "Answer a removed tool with isError that names its successor.",
        }
        request = speech.request("tools/call", {"name": name, "arguments": {}})
        reply = await inquiry.ask(f"{name}, removed", request, expect, **more)
        if not inquiry.steps[-1].findings and not names_another(reply, inquiry.catalogue.tools):
            expected, actual = "the name of a tool there is", show(look_up(reply.message, ("result", "content")))
            own: dict[str, Any] = {"advice": more["advice"], "incidents": more["incidents"]}
            inquiry.complain(where="result.content", expected=expected, actual=actual, **own)


def names_another(reply: Reply, tools: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a result names a tool that is there. Pure."""
    said = show(look_up(reply.message, ("result", "content")))
    return any(str(tool.get("name")) in said for tool in tools)


CT_32: Final = Contract(
    id="CT-32",
    title="Tools can be read by every host, and results keep to what they declare",
    about="One bad name rejects the whole connector; a result that does not fit its schema fails inside the host.",
    incidents=("P-38", "P-39", "P-06", "CT-32"),
    severity="critical",
    advice="Keep names, schemas and content to what the negotiated revision defines.",
    source="MCP 2025-11-25, tools; incidents P-06, P-38 and P-39 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("tool",),
    ask=ask,
)
