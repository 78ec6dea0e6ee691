"""Today's list beside the approved one: what breaks calls made from the old list, and what needs a refresh. Pure.

What counts as a change is what OpenAI names as such (release rules, 2026-08-19): tool, schema, annotation, security
scheme, `_meta`, instructions, page address and its policy. What is behind a page's address may change freely.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ..judging.operators import look_up, show
from ..notation.session import MISSING
from ..outcome import Finding, Run, SessionRun, StepRun, Verdict
from .narrowing import Narrowing, narrowings
from .surface import Surface

CALLS, REFRESH = "tool-list-calls", "tool-list-refresh"
"""The two things that a list is judged by, as they are called in reports."""

_INCIDENTS: Final = ("P-21", "CT-32")
_KEEP: Final = (
    "Keep what old calls say: leave the old name or argument in place, or declare @tool(aliases=, argument_aliases=) "
    "and tombstones; make new arguments optional; accept more than before, and answer no less."
)
_AGAIN: Final = (
    "If this was meant: have the platform read the list again (Refresh, or scan and resubmit), then run with "
    "--surface FILE --accept."
)


def broken_calls(before: Surface, now: Surface, answered: Collection[str]) -> Iterator[Finding]:
    """What no longer works for who still has the old list. `answered` are removed tools whose calls are tested."""
    for name, old in sorted(before.tools.items()):
        new = now.tools.get(name)
        if new is None:
            if name not in answered:
                yield _call(name, "the tool", "there", "gone")
            continue
        for found in narrowings(old.get("inputSchema", True), new.get("inputSchema", True)):
            yield _narrowed(name, "argument", found)
        if "outputSchema" in old:
            for found in narrowings(new.get("outputSchema", True), old["outputSchema"]):
                yield _narrowed(name, "result", Narrowing(place=found.place, before=found.now, now=found.before))
        if _is_open(old) and not _is_open(new):
            yield _call(
                name, "securitySchemes", "anybody may call it", "a login is needed, which the old list does not say"
            )
    for uri in sorted(before.pages.keys() - now.pages.keys()):
        yield _call(uri, "the page", "readable", "not read in this run: name it under [checks] published_ui")


def changes(before: Surface, now: Surface) -> Iterator[Finding]:
    """What a platform does not see until it reads the list again."""
    if before.instructions != now.instructions:
        yield _change("instructions", show(before.instructions), show(now.instructions))
    for name in sorted(now.tools.keys() - before.tools.keys()):
        yield _change(name, "nothing there", "a new tool, which nobody can call yet")
    for kind, old, new in (("", before.tools, now.tools), ("", before.pages, now.pages)):
        for name in sorted(old.keys() & new.keys()):
            for place, was, is_now in _differences(old[name], new[name]):
                yield _change(f"{kind}{name}{place}", show(was), show(is_now))


def _differences(old: Any, new: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(key, MISSING), new.get(key, MISSING), f"{place} > {key}")
    elif old is MISSING or new is MISSING or type(old) is not type(new) or old != new:
        yield place, old, new


def _is_open(tool: Mapping[str, Any]) -> bool:
    schemes = tool.get("securitySchemes") or look_up(tool, ("_meta", "securitySchemes"))
    if not isinstance(schemes, list):
        return True
    return any(isinstance(scheme, Mapping) and scheme.get("type") == "noauth" for scheme in schemes)


def _narrowed(tool: str, what: str, found: Narrowing) -> Finding:
    return _call(tool, f"{what} {found.place}".strip(), found.before, found.now)


def _call(step: str, where: str, expected: str, actual: str) -> Finding:
    return Finding(step=step, where=where, expected=expected, actual=actual, incidents=_INCIDENTS, advice=_KEEP)


def _change(where: str, expected: str, actual: str) -> Finding:
    step, _, inside = where.partition(" > ")
    return Finding(
        step=step, where=inside or "list", expected=expected, actual=actual, incidents=_INCIDENTS, advice=_AGAIN
    )


def judged(run: Run, calls: tuple[Finding, ...], refresh: tuple[Finding, ...]) -> Run:
    """The run with both, so that every report has them."""
    added = (
        _session(run, CALLS, "Calls made from the approved list of tools still work", "critical", calls),
        _session(run, REFRESH, "The list of tools is the one that was approved", "minor", refresh),
    )
    return replace(run, sessions=(*run.sessions, *added))


def _session(run: Run, key: str, title: str, severity: str, findings: tuple[Finding, ...]) -> SessionRun:
    today = run.started.date()
    by_step = dict.fromkeys(finding.step for finding in findings)
    steps = [
        StepRun(name=name, sent=None, received=None, findings=tuple(each for each in findings if each.step == name))
        for name in by_step
    ]
    return SessionRun(
        id=key,
        title=title,
        host="any",
        surface="mcp",
        provenance="documented",
        seen=today,
        expires=today,
        is_expired=False,
        incidents=_INCIDENTS,
        verdict=Verdict.FAILED if findings else Verdict.PASSED,
        steps=tuple(steps) or (StepRun(name="compared with the approved list", sent=None, received=None),),
        severity=severity,
    )
