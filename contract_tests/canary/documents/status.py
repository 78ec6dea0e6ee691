"""What a status feed says of today: open incidents and whether they concern connectors. Pure.

Reads the usual JSON of status pages (`summary.json`, `incidents.json`); whatever else it may hold is left alone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..findings import Change, Severity

_CLOSED: Final = frozenset({"resolved", "postmortem", "completed", "scheduled"})
_OURS: Final = re.compile(
    r"\b(mcp|connectors?|apps?|plugins?|tools?|agents?|responses|oauth|log[ -]?in|chatgpt|api)\b", re.IGNORECASE
)
_WORST: Final = {"critical": Severity.CRITICAL, "major": Severity.CRITICAL, "minor": Severity.SERIOUS}


def incidents_of(content: Mapping[str, Any]) -> tuple[Change, ...] | None:
    """Every open incident; None if the document is no status feed."""
    listed = content.get("incidents")
    if not isinstance(listed, list):
        return None
    return tuple(_change(each) for each in listed if isinstance(each, Mapping) and _is_open(each))


def concerns_connectors(change: Change) -> bool:
    """Whether an incident's own words name what connectors hang on."""
    return _OURS.search(f"{change.after}") is not None


def _is_open(incident: Mapping[str, Any]) -> bool:
    return str(incident.get("status", "")).lower() not in _CLOSED and not incident.get("resolved_at")


def _change(incident: Mapping[str, Any]) -> Change:
    name, impact = str(incident.get("name", "an incident without a name")), str(incident.get("impact", "none")).lower()
    parts = ", ".join(_components(incident))
    return Change(
        place="incidents[]",
        sentence=f"an incident is open ({incident.get('status', 'no status')}, impact {impact})",
        severity=_WORST.get(impact, Severity.MINOR),
        after=f"{name}: {parts}" if parts else name,
        advice="Compare its times with your own failures before you look for them at home.",
        incidents=("P-32",),
    )


def _components(incident: Mapping[str, Any]) -> Iterator[str]:
    listed = incident.get("components")
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, Mapping) and isinstance(each.get("name"), str):
            yield each["name"]
