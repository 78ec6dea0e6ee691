"""What becomes of a call that was made from an old list of tools. Pure.

Platforms keep a snapshot of the list: ChatGPT reads it at creation and when somebody presses "Refresh", Claude called
tools that had been gone for weeks (incident P-21). So a tool that was renamed is called by its old name, an argument
comes under its old name, and a tool that is gone is called all the same.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import DeclarationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """`aliases`: old name to today's. `arguments`: by tool, old name of an argument to today's. `tombstones`: name of a
    tool that is gone, to the tool to call instead, or to a sentence.
    """

    aliases: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tombstones: Mapping[str, str] = field(default_factory=dict)

    def today(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments under today's names. Where old and new name come together, the new one counts."""
        renamed = self.arguments.get(tool)
        if not renamed:
            return dict(arguments)
        moved = {renamed[name]: value for name, value in arguments.items() if name in renamed}
        kept = {name: value for name, value in arguments.items() if name not in renamed}
        return {**moved, **kept}

    def epitaph(self, name: str, tools: Collection[str]) -> str | None:
        """What to tell the model that calls a tool which is gone; None for one that never was."""
        said = self.tombstones.get(name)
        if said is None:
            return None
        return f"{name} is gone and nothing was done. {f'Call {said} instead.' if said in tools else said}"

    def check(self, tools: Mapping[str, Collection[str]]) -> None:
        """Compare with the tools there are, given with their arguments' names.

        Raises:
            DeclarationError: An old name is still in use, or leads nowhere.
        """
        for old in (*self.aliases, *self.tombstones):
            if old in tools:
                raise DeclarationError(f"{old!r} is said to be an old name, and there is a tool of that name: drop one")
        for old in self.aliases.keys() & self.tombstones.keys():
            raise DeclarationError(f"{old!r} is both an alias and a tombstone: drop one")
        for tool, renamed in self.arguments.items():
            for old, new in renamed.items():
                if old in tools[tool]:
                    raise DeclarationError(
                        f"{tool}: {old!r} is said to be an old name, and it has an argument of that name: drop one"
                    )
                if new not in tools[tool]:
                    known = ", ".join(tools[tool]) or "none"
                    raise DeclarationError(
                        f"{tool}: {old!r} leads to {new!r}, which it does not take (there are: {known})"
                    )


def aliases_of(tool: str, old_names: Collection[str], known: Mapping[str, str]) -> dict[str, str]:
    """What `known` grows by for one tool.

    Raises:
        DeclarationError: Another tool claims one of the names.
    """
    if isinstance(old_names, str):
        raise DeclarationError(f"{tool}: aliases={old_names!r} is one text: write a list, e.g. aliases=[{old_names!r}]")
    for old in old_names:
        if old in known:
            raise DeclarationError(f"{old!r} is an alias of both {known[old]!r} and {tool!r}: drop one")
    return dict.fromkeys(old_names, tool)
