"""What the API's answer says of the connector: it works, it fails and how, or nothing can be said. Pure.

Shapes: the items of openai/openai-openapi at f85dbe2 (2026-08-21), and the 424 of a list that failed, seen 2025-08-25.
"""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from ...report.words import first_line, plural
from ..findings import Change, Part, Said, Severity, Standing, not_checked

NAME: Final = "API call"

_LONGEST: Final = 300
_OURS: Final = (401, 402, 403, 429)
"""Statuses that are about the key, its rights, its money and its rate."""

_SENTENCES: Final = {
    "list": "the platform's API cannot list the connector's tools",
    "mcp_tool_execution_error": "the tool answers the platform's API with an error",
}
_ADVICE: Final = {
    "list": "The API could not list the tools: is the address public, and do edge and certificate let it in? "
    "mcp-ballast diagnose asks the same way; contract CT-32 names schemas that it refuses.",
    "http_error": "The call failed on the way: mcp-ballast diagnose, and look for a call of 59.8 s that came twice.",
    "mcp_protocol_error": "The connector refused the call itself: its log has the request.",
    "mcp_tool_execution_error": "The tool answered with an error: call it by hand with these arguments.",
}


def judged(status: int, content: Any, tool: str) -> Part:
    """Read an answer; `content` is its JSON, or None if it was none."""
    said = content if isinstance(content, Mapping) else {}
    if status == HTTPStatus.FAILED_DEPENDENCY:
        return _failed("list", f"424: {_error(said)}", incidents=("P-06", "F-04"))
    if status in _OURS:
        return not_checked(NAME, f"the API refuses the key or its use ({status}): {_error(said)}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _down(f"the API answers {status}: {_error(said)}")
    if status != HTTPStatus.OK:
        return not_checked(NAME, f"the API does not take the request ({status}): {_error(said)}")
    return _of_items([item for item in said.get("output") or () if isinstance(item, Mapping)], tool)


def unreachable(why: str) -> Part:
    """The API itself was not reached: that says nothing of the connector, and may be ours."""
    return not_checked(NAME, f"the API was not reached: {why}")


def _of_items(items: Sequence[Mapping[str, Any]], tool: str) -> Part:
    for item in items:
        if item.get("type") == "mcp_list_tools" and item.get("error"):
            return _failed("list", _said(item["error"]), incidents=("F-04",))
    calls = [item for item in items if item.get("type") == "mcp_call"]
    failed = [item for item in calls if item.get("error") or item.get("status") == "failed"]
    if failed and len(failed) == len(calls):
        error = failed[0].get("error")
        kind = str(error.get("type", "")) if isinstance(error, Mapping) else ""
        return _failed(kind, f"{failed[0].get('name', tool)}: {_said(error)}", incidents=("T-03",))
    if calls:
        fact = f"{tool} answered {plural(len(str(calls[0].get('output') or '')), 'character')}"
        works = Said(question="api-call", answer="works", fact=fact)
        return Part(
            name=NAME, standing=Standing.HOLDS, sentence=f"the API lists the tools and calls {tool}", facts=(fact,),
            said=(works,),
        )  # fmt: skip
    listed = next((item for item in items if item.get("type") == "mcp_list_tools"), None)
    tools = ", ".join(_names(listed)) if listed else ""
    if listed and tool not in _names(listed):
        return not_checked(NAME, f"the API does not see {tool}; it lists {tools or 'nothing'}")
    return not_checked(NAME, "the API answered and called no tool")


def _failed(kind: str, said: str, *, incidents: tuple[str, ...]) -> Part:
    change = Change(
        place=kind or "mcp_call",
        sentence=_SENTENCES.get(kind, "the platform's API cannot call the connector"),
        severity=Severity.CRITICAL,
        after=said,
        advice=_ADVICE.get(kind, _ADVICE["http_error"]),
        incidents=incidents,
    )
    return Part(
        name=NAME,
        standing=Standing.FINDING,
        sentence=change.sentence,
        changes=(change,),
        said=(Said(question="api-call", answer="fails", fact=said),),
    )


def _down(said: str) -> Part:
    """An error of the API's own is the platform's: a finding, and evidence."""
    change = Change(
        place="HTTP", sentence="the platform's API fails by itself", severity=Severity.SERIOUS, after=said,
        advice="Look at the platform's status page; nothing follows for the connector.", incidents=("P-32",),
    )  # fmt: skip
    down = Said(question="api-call", answer="api-down", fact=said)
    return Part(name=NAME, standing=Standing.FINDING, sentence=change.sentence, changes=(change,), said=(down,))


def _error(said: Mapping[str, Any]) -> str:
    return _said(said.get("error")) or "no reason given"


def _said(error: Any) -> str:
    if isinstance(error, Mapping):
        texts = [str(error[name]) for name in ("type", "code", "message", "content") if error.get(name) is not None]
        return first_line(" ".join(texts), longest=_LONGEST)
    return first_line(str(error), longest=_LONGEST) if error else ""


def _names(listed: Mapping[str, Any]) -> list[str]:
    return list(_tool_names(listed.get("tools")))


def _tool_names(tools: Any) -> Iterator[str]:
    for tool in tools if isinstance(tools, list) else []:
        if isinstance(tool, Mapping):
            yield str(tool.get("name"))
