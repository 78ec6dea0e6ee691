"""From one published document and what it was to a part of the report. Pure but for `watch`, which fetches.

A document that is seen for the first time is no change. One that cannot be read changes nothing in what is remembered.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx2

from ...report.words import plural
from ..findings import Change, Part, Said, Severity, Standing, not_checked
from ..settings import Source
from .differences import differences
from .fetching import Fetched, fetch
from .rules import changes_of
from .status import concerns_connectors, incidents_of

Remembered = Mapping[str, Any]


async def watch(
    client: httpx2.AsyncClient, source: Source, known: Remembered, now: datetime
) -> tuple[Part, Remembered]:
    """Fetch a document, and say what differs from what is remembered; also what is to be remembered from now on."""
    return judged(source, known, await fetch(client, source.url, known), now)


def judged(source: Source, known: Remembered, fetched: Fetched, now: datetime) -> tuple[Part, Remembered]:
    """What a fetched document says, and what to remember of it."""
    name, is_same_place = f"document {source.name}", known.get("url") == source.url
    before = known.get("content") if is_same_place else None
    if fetched.problem:
        if fetched.is_gone and before is not None and not known.get("is_gone"):
            return _gone(name, source, fetched), {**known, "is_gone": True}
        return not_checked(name, f"{source.url}: {fetched.problem}"), known
    content = before if fetched.is_unchanged else fetched.content
    if source.kind == "status":
        part = _status(name, source, content)
    else:
        part = _compared(name, source, before, content, str(known.get("changed", "")))
    has_changed = part.standing is Standing.FINDING and source.kind != "status"
    return part, {
        "url": source.url,
        "content": content,
        "etag": known.get("etag", "") if fetched.is_unchanged else fetched.etag,
        "modified": known.get("modified", "") if fetched.is_unchanged else fetched.modified,
        "changed": now.date().isoformat() if has_changed else (known.get("changed", "") if is_same_place else ""),
    }


def _compared(name: str, source: Source, before: Any, content: Any, changed: str) -> Part:
    if before is None:
        return Part(name=name, standing=Standing.HOLDS, sentence="seen for the first time: compared from now on")
    changes = changes_of(source.kind, differences(before, content))
    if not changes:
        since = f"; its last change was seen on {changed}" if changed else ""
        same = Said(question="documents", answer="same", fact=name)
        return Part(name=name, standing=Standing.HOLDS, sentence=f"as it was{since}", said=(same,))
    fact = f"{name}: {', '.join(change.place for change in changes[:3])}"
    return Part(
        name=name,
        standing=Standing.FINDING,
        sentence=f"{plural(len(changes), 'change')} in {source.url}",
        changes=changes,
        said=(Said(question="documents", answer="changed", fact=fact),),
    )


def _status(name: str, source: Source, content: Any) -> Part:
    found = incidents_of(content) if isinstance(content, Mapping) else None
    if found is None:
        return not_checked(name, f"{source.url} is no status feed: it has no list of incidents")
    if not found:
        clear = Said(question="status", answer="clear", fact=source.url)
        return Part(name=name, standing=Standing.HOLDS, sentence="no open incident", said=(clear,))
    ours = [change for change in found if concerns_connectors(change)]
    said = (Said(question="status", answer="incident", fact=ours[0].after),) if ours else ()
    return Part(
        name=name,
        standing=Standing.FINDING,
        sentence=f"{plural(len(found), 'open incident')}, {len(ours)} of them on what connectors hang on",
        changes=found,
        said=said,
    )


def _gone(name: str, source: Source, fetched: Fetched) -> Part:
    change = Change(
        place=source.url,
        sentence=f"the document is gone ({fetched.problem})",
        severity=Severity.SERIOUS,
        advice="Look where the platform publishes it now, and name that address in ballast.toml.",
    )
    return Part(name=name, standing=Standing.FINDING, sentence="it was there before", changes=(change,))
