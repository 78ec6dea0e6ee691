"""CT-36: every ui:// resource can be read, is of a kind hosts render, and says the same in both dialects."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from ..judging.matchers import Complaint
from ..judging.operators import look_up, show
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry
from .speech import RESULT, Speech, speaking

_KINDS: Final = ("text/html;profile=mcp-app", "text/html+skybridge")
_DOMAINS: Final[Mapping[str, str]] = {
    "connect_domains": "connectDomains",
    "resource_domains": "resourceDomains",
    "frame_domains": "frameDomains",
}
"""The members of `openai/widgetCSP`, and those of `ui.csp` that mean the same."""


async def ask(inquiry: Inquiry) -> None:
    """Read every resource a tool names, and every one that was ever published."""
    named = sorted(set(resources(inquiry.catalogue.tools)))
    if not named and not inquiry.means.published_ui:
        raise CannotBeChecked("no tool names a ui:// resource")
    speech = await speaking(inquiry)
    for uri in named:
        await _read(inquiry, speech, uri)
    for reason in unequal(inquiry.catalogue.tools):
        inquiry.find(reason, step="both dialects on tools")
    if not inquiry.means.published_ui:
        inquiry.skip(
            "resources published before", 'name them in ballast.toml: published_ui = ["ui://..."] under [checks]'
        )
    for uri in inquiry.means.published_ui:
        more = {"incidents": ("P-15", "CT-36"), "advice": "Serve every address ever published: hosts keep old ones."}
        await inquiry.ask(f"{uri}, published before", speech.request("resources/read", {"uri": uri}), RESULT, **more)


async def _read(inquiry: Inquiry, speech: Speech, uri: str) -> None:
    expect = {**RESULT, "json": [{"at": "result.contents", "min_items": 1}]}
    request = speech.request("resources/read", {"uri": uri})
    request = (
        request if not speech.is_modern else speech.request("resources/read", {"uri": uri}, headers={"Mcp-Name": uri})
    )
    reply = await inquiry.ask(uri, request, expect)
    contents = look_up(reply.message, ("result", "contents"))
    for item in contents if isinstance(contents, list) else ():
        for reason in lint_content(item):
            own: dict[str, Any] = {"advice": CT_36.advice, "incidents": CT_36.incidents}
            inquiry.complain(where=reason.where, expected=reason.expected, actual=reason.actual, **own)


def resources(tools: tuple[Mapping[str, Any], ...]) -> Iterator[str]:
    """Every ui:// resource that tools name, in either dialect. Pure."""
    for tool in tools:
        for uri in _both(tool):
            if isinstance(uri, str) and uri.startswith("ui://"):
                yield uri


def unequal(tools: tuple[Mapping[str, Any], ...]) -> Iterator[Complaint]:
    """Tools that name their resource in one dialect only. Pure."""
    for tool in tools:
        new, old = _both(tool)
        if (new is None) != (old is None):
            missing = "ui.resourceUri" if new is None else "openai/outputTemplate"
            where = f"{tool.get('name')}, _meta {missing}"
            yield Complaint(where=where, expected="to be there beside the other dialect", actual="nothing there")


def _both(tool: Mapping[str, Any]) -> tuple[Any, Any]:
    return look_up(tool, ("_meta", "ui", "resourceUri")) or None, look_up(
        tool, ("_meta", "openai/outputTemplate")
    ) or None


def lint_content(item: Any) -> Iterator[Complaint]:
    """Complain about one content of a ui:// resource. Pure."""
    kind = item.get("mimeType") if isinstance(item, Mapping) else None
    if kind not in _KINDS:
        yield Complaint(where="mimeType", expected=f"one of {show(list(_KINDS))}", actual=show(kind))
    old, new = look_up(item, ("_meta", "openai/widgetCSP")), look_up(item, ("_meta", "ui", "csp"))
    old, new = (value if isinstance(value, Mapping) else {} for value in (old, new))
    for one, other in _DOMAINS.items():
        ours, theirs = sorted(map(str, old.get(one, ()))), sorted(map(str, new.get(other, ())))
        if ours != theirs:
            where = f"openai/widgetCSP.{one} and ui.csp.{other}"
            yield Complaint(where=where, expected="the same domains", actual=f"{show(ours)} and {show(theirs)}")


CT_36: Final = Contract(
    id="CT-36",
    title="Widgets can be read, and say the same in both dialects",
    about="ChatGPT moved from its own dialect to that of MCP Apps overnight; what stood in one only was a blank frame.",
    incidents=("P-14", "CT-36"),
    severity="serious",
    advice="Declare every widget once and write both dialects from it: resource, MIME type and security policy.",
    source="OpenAI documentation of widgets; MCP Apps; incident P-14 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("access",),
    ask=ask,
)
