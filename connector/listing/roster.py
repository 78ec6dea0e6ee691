"""The SDK's tools, found by today's names and by those they had before; and the lists as hosts will see them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.tools import Tool, ToolManager

from .scanner import refusals
from .succession import Succession, aliases_of

logger = logging.getLogger("ballast")


class Roster(ToolManager):
    """A tool manager that knows old names. They are in no list."""

    def __init__(self, before: ToolManager, tombstones: Mapping[str, str]) -> None:
        super().__init__(before.warn_on_duplicate_tools, tools=before.list_tools())
        self._succession = Succession(tombstones=tombstones)

    def get_tool(self, name: str) -> Tool | None:
        """The tool of that name, or that once had it."""
        aliases = self._succession.aliases
        return self._tools.get(aliases.get(name, name) if aliases else name)

    def succeed(self, name: str, aliases: Sequence[str], arguments: Mapping[str, str]) -> Sequence[str]:
        """Let a tool answer to its old names, and take its arguments under theirs. Gives the old names.

        Raises:
            DeclarationError: Another tool claims one of them.
        """
        known = self._succession
        old = aliases_of(name, aliases, known.aliases)
        self._succession = replace(
            known, aliases={**known.aliases, **old}, arguments={**known.arguments, name: arguments}
        )
        return tuple(old)

    def check(self) -> None:
        """Compare the old names with the tools there are now.

        Raises:
            DeclarationError: An old name is still in use, or leads nowhere.
        """
        self._succession.check({tool.name: list(tool.parameters.get("properties", {})) for tool in self.list_tools()})

    def today(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments under today's names."""
        return self._succession.today(tool, arguments)

    def epitaph(self, name: str) -> str | None:
        """What to tell the model that calls a tool which is gone; None for one that never was."""
        return self._succession.epitaph(name, {tool.name for tool in self.list_tools()})


async def warn_of_refusals(server: MCPServer[Any]) -> None:
    """Log what a platform would refuse in the lists as they go out."""
    lists: tuple[Sequence[Any], ...] = (await server.list_tools(), await server.list_resources())
    tools, resources = (
        [each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in one] for one in lists
    )
    for said in refusals(tools, resources):
        logger.warning("ChatGPT would refuse this when it scans the tools: %s", said)
