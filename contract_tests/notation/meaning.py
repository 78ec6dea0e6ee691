"""What the schema cannot see: dates in order, names that exist, variables that can have a value where they are used.

Works on the parsed file, so that every complaint names its line. Pure but for nothing: no files, no clock.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from ..errors import SessionFileError
from .document import Document
from .template import variables
from .vocabulary import ALWAYS, MAYBE_BY_NEED, PROVIDED_BY_NEED, SOMETIMES

_PATTERN_KEYS = ("matches",)


def check_meaning(document: Document, *, inherited: Sequence[str] = ()) -> None:
    """Check what a well-formed session file means; `inherited` are the variables of the session it begins with.

    Raises:
        SessionFileError: for the first thing that cannot be meant.
    """
    data = document.value
    _check_dates(document, data)
    _check_patterns(document, data)
    needs = data.get("needs", [])
    _check_client_document(document, data, needs)
    certain = {*ALWAYS, *(name for need in needs for name in PROVIDED_BY_NEED.get(need, {})), *inherited}
    possible = {*SOMETIMES, *(name for need in needs for name in MAYBE_BY_NEED.get(need, {}))}
    _Steps(document, certain, possible).check(data["steps"])
    _check_headers(document, data, certain | possible)


def _check_client_document(document: Document, data: Mapping[str, Any], needs: Sequence[str]) -> None:
    if ("client_document" in needs) == ("client_document" in data):
        for place, text in _walk_all(data.get("client_document", {}), ("client_document",)):
            for name, _ in variables(text) if isinstance(text, str) else ():
                if name not in PROVIDED_BY_NEED["client_document"]:
                    raise _unknown(document, place, name, set(PROVIDED_BY_NEED["client_document"]))
        return
    missing = "client_document" if "client_document" in needs else "needs"
    remedy = "Write both: needs: [client_document], and the document itself under client_document."
    raise document.error((missing,), "A client document is needed and not given, or given and not needed.", remedy)


def captured_names(step: Mapping[str, Any]) -> Iterator[str]:
    """Yield the variables a step of a file captures."""
    for name, how in step.get("capture", {}).items():
        yield name
        if how.get("url"):
            yield f"{name}.origin"
            yield f"{name}.path"
        if "parallel" in step:
            yield f"{name}.all"


def _check_dates(document: Document, data: Mapping[str, Any]) -> None:
    parsed = {}
    for name in ("seen", "expires"):
        try:
            parsed[name] = date.fromisoformat(data[name])
        except ValueError:
            raise document.error((name,), f"{data[name]} is not a date.", "Write YYYY-MM-DD.") from None
    if parsed["expires"] < parsed["seen"]:
        raise document.error(
            ("expires",),
            f"It expires on {parsed['expires']}, before it was seen on {parsed['seen']}.",
            "A recording is good for some time after it was seen: set a later date.",
        )


def _check_patterns(document: Document, data: Any) -> None:
    for place, value in _walk(data, ()):
        if place and place[-1] in _PATTERN_KEYS and isinstance(value, str) and "${" not in value:
            try:
                re.compile(value)
            except re.error as problem:
                raise document.error(
                    place, f"{value!r} is not a regular expression: {problem}.", "Correct it."
                ) from None


def _walk(data: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield place, data
    if isinstance(data, Mapping):
        if place and place[-1] == "json" and "send" in place:
            return
        for key, value in data.items():
            yield from _walk(value, (*place, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _walk(value, (*place, index))


def _check_headers(document: Document, data: Mapping[str, Any], known: set[str]) -> None:
    for place, text in _walk(data.get("headers", {}), ("headers",)):
        for name, _ in variables(text) if isinstance(text, str) else ():
            if name not in known:
                raise _unknown(document, place, name, known)


class _Steps:
    """The variables that can have a value, step by step."""

    def __init__(self, document: Document, certain: set[str], possible: set[str]) -> None:
        self.document = document
        self.known = certain | possible
        self.names: list[str] = []
        self.cut: list[str] = []

    def check(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """Check all steps in order."""
        for index, step in enumerate(steps):
            place = ("steps", index)
            self._check_name(step, place)
            self._check_condition(step.get("when", {}), (*place, "when"))
            own = self._own_variables(step, place)
            self.known |= own
            for part in ("follow_until", "send", "expect"):
                if part == "expect":
                    self.known |= self._captured(step, place)
                self._check_variables(step.get(part, {}), (*place, part))
            self.known -= own
            self.names.append(step["name"])
            if "cut_after" in step:
                self.cut.append(step["name"])

    def _own_variables(self, step: Mapping[str, Any], place: tuple[str | int, ...]) -> set[str]:
        """What exists in this step only: signed claims, and the item that a parallel request is for."""
        parallel = step.get("parallel")
        for part in ("sign", "idle", "parallel"):
            self._check_variables(step.get(part), (*place, part))
        return {*step.get("sign", {}), *(parallel if isinstance(parallel, Mapping) else ())}

    def _check_name(self, step: Mapping[str, Any], place: tuple[str | int, ...]) -> None:
        if step["name"] in self.names:
            raise self.document.error(
                (*place, "name"), f"Two steps are called {step['name']!r}.", "Give every step a name of its own."
            )

    def _check_condition(self, condition: Mapping[str, Any], place: tuple[str | int, ...]) -> None:
        for key in ("known", "unknown"):
            for index, name in enumerate(condition.get(key, [])):
                if name not in self.known:
                    raise _unknown(self.document, (*place, key, index), name, self.known)
        cut = condition.get("cut")
        if cut is not None and cut not in self.cut:
            problem = f"No earlier step with cut_after is called {cut!r}."
            raise self.document.error((*place, "cut"), problem, f"Such steps so far: {', '.join(self.cut) or 'none'}.")

    def _check_variables(self, part: Any, place: tuple[str | int, ...]) -> None:
        for inner, value in _walk_all(part, place):
            for name, _ in variables(value) if isinstance(value, str) else ():
                if name not in self.known:
                    raise _unknown(self.document, inner, name, self.known)

    def _captured(self, step: Mapping[str, Any], place: tuple[str | int, ...]) -> set[str]:
        names = set(captured_names(step))
        for name in names:
            if name in ALWAYS or name in SOMETIMES or any(name in own for own in PROVIDED_BY_NEED.values()):
                raise self.document.error(
                    (*place, "capture", name), f"{name!r} is a variable of the format.", "Choose another name."
                )
        return names


def _walk_all(data: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield place, data
    items = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from _walk_all(value, (*place, key))


def _unknown(document: Document, place: tuple[str | int, ...], name: str, known: set[str]) -> SessionFileError:
    needed = next((need for need, own in (*PROVIDED_BY_NEED.items(), *MAYBE_BY_NEED.items()) if name in own), None)
    near = difflib.get_close_matches(name, sorted(known), n=1)
    if needed is not None:
        remedy = f"It exists in a session that needs it: add {needed!r} to needs."
    elif near:
        remedy = f"Did you mean {near[0]!r}?"
    else:
        remedy = f"Capture it in an earlier step, or use one of {', '.join(sorted(known))}."
    return document.error(place, f"The variable {name!r} has no value here.", remedy)
