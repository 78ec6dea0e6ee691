"""What the newest client did that the pinned one did not, both against the same target. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...report.words import first_line
from ..findings import Change, Part, Said, Severity, Standing, not_checked

NAME: Final = "newest client library"

_LONGEST: Final = 300
_NOT_OURS: Final = ("ImportError", "ModuleNotFoundError", "AttributeError", "TypeError", "SyntaxError")
"""Failures of a client whose names this canary does not know: they say nothing of the target."""


def compared(pinned: Mapping[str, Any], newest: Mapping[str, Any]) -> Part:
    """Compare two transcripts of `client_script`."""
    versions = f"{newest.get('version') or '?'} against {pinned.get('version') or '?'}"
    if pinned.get("failed"):
        return not_checked(NAME, f"the pinned client fails itself at {pinned.get('step')}: {_short(pinned['failed'])}")
    failed = str(newest.get("failed") or "")
    if failed.startswith(_NOT_OURS):
        return not_checked(NAME, f"{versions}: the client has other names now: {_short(failed)}")
    changes = (_broken(newest, failed),) if failed else tuple(_differences(pinned, newest))
    if not changes:
        same = Said(question="newest-sdk", answer="same", fact=versions)
        return Part(name=NAME, standing=Standing.HOLDS, sentence=f"{versions}: it gets the same", said=(same,))
    fact = f"{versions}: {changes[0].place}"
    return Part(
        name=NAME,
        standing=Standing.FINDING,
        sentence=f"{versions}: it does not get the same",
        changes=changes,
        said=(Said(question="newest-sdk", answer="differs", fact=fact),),
    )


def _broken(newest: Mapping[str, Any], failed: str) -> Change:
    return Change(
        place=str(newest.get("step") or "connect"),
        sentence="it fails where the pinned client works",
        severity=Severity.CRITICAL,
        after=_short(failed),
        advice="Play its requests (mcp-ballast record) and mend the connector before hosts take this release up.",
        incidents=("P-33", "P-28"),
    )


def _differences(pinned: Mapping[str, Any], newest: Mapping[str, Any]) -> Iterator[Change]:
    before, after = pinned.get("steps") or {}, newest.get("steps") or {}
    for step in [*before, *(step for step in after if step not in before)]:
        if before.get(step) != after.get(step):
            yield Change(
                place=step,
                sentence="it gets another answer than the pinned client",
                severity=Severity.SERIOUS,
                before=_short(before.get(step)),
                after=_short(after.get(step)),
                advice="See what it asks differently: mcp-ballast record shows the requests of both.",
                incidents=("O-16",),
            )


def _short(value: Any) -> str:
    return first_line(str(value), longest=_LONGEST)
