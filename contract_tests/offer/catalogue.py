"""What a target offers, and which of it may be used: decided from its own tools/list and from the user's examples.

Pure. A tool that is not read-only is never chosen unless the user gave example arguments for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import CannotMakeArguments
from .arguments import make_arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What the user says about a tool: arguments that may be used, and whether it is a slow one."""

    arguments: Mapping[str, Any] | None = None
    is_slow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallableTool:
    """A tool together with arguments it may be called with."""

    name: str
    arguments: Mapping[str, Any]
    output_schema: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What is known of a target before the first session. `trouble` says why it gave no tools.

    `is_protected` is about anonymous requests; `is_locked` about those with the configured headers. `hung` are tools
    that did not answer in time: they are not called again.
    """

    tools: tuple[Mapping[str, Any], ...] = ()
    is_modern: bool = False
    is_legacy: bool = False
    is_protected: bool = False
    is_locked: bool = False
    publishes_authorization: bool = False
    public_origin: str = ""
    trouble: str = ""
    examples: Mapping[str, Example] = field(default_factory=dict)
    hung: frozenset[str] = frozenset()

    @property
    def is_mcp(self) -> bool:
        """Whether anything was answered as MCP demands, be it a refusal."""
        return self.is_modern or self.is_legacy or self.is_protected

    def tool(self) -> CallableTool | str:
        """The tool for ordinary calls, or why there is none. The user's examples go first, then the target's order."""
        tools = self._open_tools()
        quick = [tool for tool in tools if not _example(self.examples, tool).is_slow]
        return self.trouble or self._first(quick or tools)

    def slow_tool(self) -> CallableTool | str:
        """The tool the user calls slow, else the ordinary one."""
        slow = [tool for tool in self._open_tools() if _example(self.examples, tool).is_slow]
        return self._first(slow) if slow else self.tool()

    def protected_tool(self) -> CallableTool | str:
        """A tool that asks for OAuth while others do not, or why there is none."""
        protected = [tool for tool in self.tools if _asks_for_oauth(tool)]
        if not protected:
            return self.trouble or "no tool's securitySchemes ask for OAuth"
        return self._first(protected)

    def ui_resource(self) -> str | None:
        """The first ui:// resource that a tool names, in either dialect."""
        for tool in self.tools:
            meta = tool.get("_meta")
            meta = meta if isinstance(meta, Mapping) else {}
            ui = meta.get("ui")
            for uri in (ui.get("resourceUri") if isinstance(ui, Mapping) else None, meta.get("openai/outputTemplate")):
                if isinstance(uri, str) and uri.startswith("ui://"):
                    return uri
        return None

    def _open_tools(self) -> list[Mapping[str, Any]]:
        return [tool for tool in self.tools if not _asks_for_oauth(tool)] if not self.is_protected else list(self.tools)

    def _first(self, tools: Sequence[Mapping[str, Any]]) -> CallableTool | str:
        """The first tool with the user's arguments, else the first that is read-only and can be given some."""
        awake = [tool for tool in tools if tool.get("name") not in self.hung]
        for tool in awake:
            example = _example(self.examples, tool)
            if example.arguments is not None:
                return _callable(tool, example.arguments)
        reasons: list[str] = []
        for tool in filter(_is_read_only, awake):
            try:
                return _callable(tool, make_arguments(tool.get("inputSchema")))
            except CannotMakeArguments as problem:
                reasons.append(f"{tool.get('name')}: {problem}")
        return self._why_none(awake, reasons)

    def _why_none(self, tools: Sequence[Mapping[str, Any]], reasons: Sequence[str]) -> str:
        remedy = "name example arguments in ballast.toml: [tools.NAME] arguments = {...}"
        if not self.tools:
            return "the target lists no tools"
        if self.hung:
            return f"{', '.join(sorted(self.hung))} did not answer in time before, and no other tool can be called"
        if reasons:
            return f"no arguments could be made for its read-only tools ({'; '.join(reasons)}); {remedy}"
        names = ", ".join(str(tool.get("name")) for tool in tools) or "none"
        return f"none of its tools ({names}) is marked read-only, and others are not called unasked; {remedy}"


def only_reading(catalogue: Catalogue) -> Catalogue:
    """The catalogue without the examples of tools that may write: for calls that nobody counted when giving them."""
    readers = {str(tool.get("name")) for tool in catalogue.tools if _is_read_only(tool)}
    return replace(catalogue, examples={name: own for name, own in catalogue.examples.items() if name in readers})


def _callable(tool: Mapping[str, Any], arguments: Mapping[str, Any]) -> CallableTool:
    return CallableTool(name=str(tool.get("name")), arguments=arguments, output_schema=tool.get("outputSchema"))


def _example(examples: Mapping[str, Example], tool: Mapping[str, Any]) -> Example:
    return examples.get(str(tool.get("name")), Example())


def _is_read_only(tool: Mapping[str, Any]) -> bool:
    annotations = tool.get("annotations")
    return isinstance(annotations, Mapping) and annotations.get("readOnlyHint") is True


def _asks_for_oauth(tool: Mapping[str, Any]) -> bool:
    kinds = set(_schemes(tool))
    return "oauth2" in kinds and "noauth" not in kinds


def _schemes(tool: Mapping[str, Any]) -> Iterator[str]:
    meta = tool.get("_meta")
    for holder in (tool, meta if isinstance(meta, Mapping) else {}):
        schemes = holder.get("securitySchemes")
        for scheme in schemes if isinstance(schemes, list) else ():
            if isinstance(scheme, Mapping):
                yield str(scheme.get("type"))
