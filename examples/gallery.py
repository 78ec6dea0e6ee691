"""A gallery of woven patterns with a widget, in both dialects: ChatGPT's `window.openai` and MCP Apps.

The page beside this file draws what `show_patterns` returns, and its buttons call `favour`, which the model does not
see. A host that shows no pages still gets every pattern in words.

    mcp-ballast serve examples/gallery.py            # or: python examples/gallery.py
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from connector import Connector, ToolFailed, Widget, tool

WALL = Widget(
    uri="ui://gallery/wall.html",
    html=Path(__file__).with_name("gallery.html"),
    title="Woven patterns",
    description="Shows the patterns as swatches. The person can mark favourites in it.",
    prefers_border=True,
)

Craft = Literal["kilim", "tartan", "ikat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """`threads` are CSS colours, from the left edge to the right."""

    name: str
    craft: Craft
    threads: list[str]
    favoured: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """What the page draws."""

    patterns: list[Pattern]


PATTERNS = (
    Pattern(name="Black Watch", craft="tartan", threads=["#1c2a4a", "#0d0d0d", "#1f4d3a", "#0d0d0d", "#1c2a4a"]),
    Pattern(name="Dress Stewart", craft="tartan", threads=["#f4f1ea", "#b3232c", "#1f4d3a", "#f4f1ea", "#1c2a4a"]),
    Pattern(name="Konya", craft="kilim", threads=["#8c2f2a", "#d9a441", "#2f4858", "#e8dcc4", "#8c2f2a"]),
    Pattern(name="Hotan", craft="ikat", threads=["#5b2a6e", "#e3b23c", "#f4f1ea", "#2a6e63", "#5b2a6e"]),
)


class Gallery(Connector):
    """Woven patterns to look at, by craft. People mark favourites in the page."""

    name = "gallery"
    version = "1.0.0"
    tombstones: ClassVar = {"show_gallery": "show_patterns"}

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # what a Connector takes
        self._favours = dict.fromkeys((pattern.name for pattern in PATTERNS), 0)

    @tool(
        read_only=True, open_world=False, widget=WALL, invoking="Hanging the patterns", invoked="The patterns hang",
        aliases=["find_patterns"], argument_aliases={"technique": "craft"},
    )  # fmt: skip
    def show_patterns(self, craft: Craft | None = None) -> Wall:
        """Show woven patterns, all or those of one craft."""
        return Wall(patterns=[self._today(each) for each in PATTERNS if craft in {None, each.craft}])

    @tool(visibility=["app"], destructive=False, open_world=False)
    def favour(self, name: str) -> Pattern:
        """Mark a pattern as a favourite."""
        pattern = next((each for each in PATTERNS if each.name == name), None)
        if pattern is None:
            raise ToolFailed(f"There is no pattern {name!r}. Take a name that show_patterns gave.")
        self._favours[name] += 1
        return self._today(pattern)

    def _today(self, pattern: Pattern) -> Pattern:
        return Pattern(
            name=pattern.name, craft=pattern.craft, threads=pattern.threads, favoured=self._favours[pattern.name]
        )


connector = Gallery()

if __name__ == "__main__":
    connector.serve()
