"""A night as one HTML page that needs nothing but itself: verdict first, what is new, every stage, the trend."""

from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..credentials import clean
from ..report.words import plural, printable, seconds
from .alerts.payload import headline
from .night import News, Night, Standing

TREND: Final = 30
"""Nights that are drawn."""

_STYLE: Final = Path(__file__).parents[1] / "report" / "page" / "page.css"


def write_page(night: Night, news: News, before: tuple[Night, ...], file: Path) -> None:
    """Write the page. `before` are earlier nights, the last one first.

    Raises:
        OSError: it cannot be written.
    """
    nights = (*reversed(before[: TREND - 1]), night)
    said = (
        _environment()
        .get_template("night.html.j2")
        .render(
            night=night,
            news=news,
            nights=nights,
            most=max((len(one.items) for one in nights), default=0) or 1,
            headline=headline(night, news),
            style=_STYLE.read_text(encoding="utf-8"),
            Standing=Standing,
        )
    )
    file.write_text(said, encoding="utf-8")


def verdict(night: Night) -> str:
    """The night in a few words."""
    found = len(night.items)
    return {0: "Everything holds", 1: plural(found, "finding"), 2: "Not everything could be asked"}[night.exit_code]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "page"),
        autoescape=True,
        finalize=lambda value: printable(clean(value)) if type(value) is str else value,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {"verdict": verdict, "plural": plural}
    environment.filters |= {"seconds": seconds}
    return environment
