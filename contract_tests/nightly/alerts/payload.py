"""The words of an alert, and the two forms in which receivers take them. Pure. The report has all of it, and more."""

from typing import Any, Final

from ...credentials import clean
from ..night import Item, News, Night

MOST: Final = 20
"""Items that are named; more are counted. Slack shows 50 blocks at most."""

_LONGEST: Final = 2900
"""Characters of one block: Slack takes 3,000."""


def headline(night: Night, news: News) -> str:
    """One line that says what is otherwise than it was."""
    parts = [
        _counted(len(news.new), "new finding"),
        _counted(len(news.over), "finding over", "findings over"),
        f"could not be carried out: {', '.join(news.broken)}" if news.broken else "",
        f"works again: {', '.join(news.mended)}" if news.mended else "",
    ]
    return f"{night.target}, night of {night.date}: {'; '.join(filter(None, parts)) or 'nothing new'}"


def as_json(night: Night, news: News) -> dict[str, Any]:
    """The alert for receivers of ours."""
    return {
        "kind": "ballast.night",
        "format": 1,
        "date": night.date,
        "target": night.target,
        "text": headline(night, news),
        "new": [_plain(item) for item in news.new[:MOST]],
        "over": [_plain(item) for item in news.over[:MOST]],
        "broken": list(news.broken),
        "mended": list(news.mended),
        "left_out": max(0, len(news.new) - MOST) + max(0, len(news.over) - MOST),
    }


def as_slack(night: Night, news: News) -> dict[str, Any]:
    """The alert for receivers that take Slack's payload: `text` for notifications, `blocks` for the channel."""
    lines = [f"*new* {_line(item)}" for item in news.new] + [f"*over* {_mrkdwn(item.title)}" for item in news.over]
    more = [f"... and {len(lines) - MOST} more in the report"] if len(lines) > MOST else []
    blocks = [_block(text) for text in (f"*{_mrkdwn(headline(night, news))}*", *lines[:MOST], *more)]
    return {"text": clean(headline(night, news)), "blocks": blocks}


def _line(item: Item) -> str:
    said = f"[{item.severity}] {_mrkdwn(item.title)}"
    return f"{said}\n{_mrkdwn(item.advice)}" if item.advice else said


def _block(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_LONGEST]}}


def _mrkdwn(text: str) -> str:
    """Text that says only what it says: no mention, no link (Slack, "Escaping text")."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(item: Item) -> dict[str, str]:
    return {name: clean(getattr(item, name)) for name in ("key", "severity", "title", "detail", "advice")}


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}" if number else ""
