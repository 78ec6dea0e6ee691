"""The text of a lock file as a lock. Strict: whatever cannot be meant is named with its line. Reads no file."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connector.recorder.paths import read, written

from ..errors import SessionFileError
from ..notation.document import Document, parse
from .errors import BadLock
from .kinds import Kind
from .lock import Approved, Lock, Measure, Place, Profile, Trait, Usage
from .lockwriting import EDGE, END, FORMAT, SECTIONS, SEEN, UNVERSIONED
from .measures import MEASURES

_Where = tuple[str, ...]

_TYPES: Final = ("array", "boolean", "null", "number", "object", "string")
_USAGE: Final = re.compile(r"(always|sometimes)(?: ([a-z]+(?: or [a-z]+)*))?")
_CONFLICT: Final = re.compile(r"^(<{7}|={7}|>{7})", re.MULTILINE)
_RESTORE: Final = "Restore it from version control, or delete it and approve anew."


def parse_lock(text: str, path: Path) -> Lock:
    """Read the text of a lock file.

    Raises:
        BadLock: it is no YAML, of another format, or says something that cannot be meant.
    """
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        raise BadLock(path, line, "It has the marks of a merge conflict.", "Resolve it: keep the lines of both sides.")
    try:
        document = parse(text, path)
    except SessionFileError as problem:
        said = problem.problem if text.strip() else "It is empty."
        raise BadLock(path, problem.line, said, _RESTORE) from problem
    return _Reader(document, path).lock()


@dataclass(frozen=True, slots=True)
class _Reader:
    document: Document
    path: Path

    def lock(self) -> Lock:
        data = self._members((), self.document.value, {"format", "rhythm", "edge", "surfaces", "end"})
        if data.get("format") != FORMAT:
            raise self._unknown_format(data.get("format"))
        if "surfaces" not in data or data.get("end") != END:
            raise self._bad((), f"It is cut off: its last line, `end: {END}`, is missing.", _RESTORE)
        return Lock(
            places=dict(self._places(data["surfaces"])),
            rhythm=self._rhythm(("rhythm",), data.get("rhythm", {})),
            edge=frozenset(self._edge(data.get("edge", {}))),
        )

    def _unknown_format(self, found: Any) -> BadLock:
        if isinstance(found, int) and found > FORMAT:
            remedy = "A newer mcp-ballast wrote it: upgrade this one."
            return self._bad(("format",), f"Its format is {found}; this version reads {FORMAT}.", remedy)
        return self._bad(("format",), f"Its format is {found!r}, which never was one.", _RESTORE)

    def _places(self, surfaces: Any) -> Iterable[tuple[Place, Approved]]:
        for surface, titles in self._mapping(("surfaces",), surfaces).items():
            for title, approved in self._mapping(("surfaces", surface), titles).items():
                where = ("surfaces", surface, title)
                channel, blank, method = title.partition(" ")
                if not blank or not channel or not method:
                    raise self._bad(where, f"{title!r} is no channel and method.", "Write e.g. `mcp tools/call`.")
                yield Place(surface=surface, channel=channel, method=method), self._approved(where, approved)

    def _approved(self, where: _Where, data: Any) -> Approved:
        data = self._members(where, data, {"rhythm", "versions"})
        versions = self._mapping((*where, "versions"), data.get("versions", {}))
        return Approved(
            versions={
                "" if version == UNVERSIONED else version: self._profile((*where, "versions", version), profile)
                for version, profile in versions.items()
            },
            rhythm=self._rhythm((*where, "rhythm"), data.get("rhythm", {})),
        )

    def _profile(self, where: _Where, data: Any) -> Profile:
        data = self._members(where, data, {"seen", *SECTIONS})
        seen = data.get("seen")
        if seen not in SEEN:
            raise self._bad((*where, "seen"), f"seen is {seen!r}.", f"Write one of {', '.join(SEEN)}.")
        traits: dict[Trait, Usage] = {}
        for section, kind in SECTIONS.items():
            for name, usage in self._mapping((*where, section), data.get(section, {})).items():
                if kind is Kind.MEMBER and not _is_place(name):
                    problem = f"{name!r} is no place in a request."
                    raise self._bad((*where, section, name), problem, """Write it as `params._meta["name"].member`.""")
                traits[kind, name] = self._usage((*where, section, name), usage, kind)
        return Profile(seen=SEEN[seen], traits=traits)

    def _usage(self, where: _Where, text: Any, kind: Kind) -> Usage:
        found = _USAGE.fullmatch(text) if isinstance(text, str) else None
        types = found[2].split(" or ") if found and found[2] else []
        unknown = [word for word in types if word not in _TYPES]
        if found is None or unknown or bool(types) != (kind is Kind.MEMBER):
            example = "`always string` or `sometimes string or null`" if kind is Kind.MEMBER else "always or sometimes"
            raise self._bad(where, f"{text!r} does not say how it is used.", f"Write {example}.")
        return Usage(is_always=found[1] == "always", words=frozenset(types))

    def _rhythm(self, where: _Where, data: Any) -> Mapping[str, Measure]:
        data = self._members(where, data, MEASURES)
        return {name: self._measure((*where, name), value) for name, value in data.items()}

    def _measure(self, where: _Where, value: Any) -> Measure:
        numbers = value if isinstance(value, list) else [value]
        is_list = MEASURES[where[-1]]
        if is_list != isinstance(value, list) or not all(_is_number(number) for number in numbers):
            remedy = "Write a list of numbers." if is_list else "Write one number."
            raise self._bad(where, f"{value!r} is not what {where[-1]!r} is measured in.", remedy)
        return tuple(float(number) for number in numbers) if is_list else float(value)

    def _edge(self, data: Any) -> Iterable[str]:
        for name, word in self._mapping(("edge",), data).items():
            if word != EDGE:
                raise self._bad(("edge", name), f"{word!r} stands after {name}.", f"Write: {EDGE}.")
            yield name

    def _members(self, where: _Where, data: Any, known: Collection[str]) -> Mapping[str, Any]:
        members = self._mapping(where, data)
        for name in members:
            if name not in known:
                near = difflib.get_close_matches(name, sorted(known), n=1)
                remedy = f"Did you mean {near[0]!r}?" if near else f"There may be {', '.join(sorted(known))}."
                raise self._bad((*where, name), f"{name!r} means nothing here.", remedy)
        return members

    def _mapping(self, where: _Where, data: Any) -> Mapping[str, Any]:
        if not isinstance(data, dict) or not all(isinstance(name, str) and name for name in data):
            raise self._bad(where, f"{'.'.join(where) or 'It'} is no mapping of names.", _RESTORE)
        found: Mapping[str, Any] = data
        return found

    def _bad(self, where: _Where, problem: str, remedy: str) -> BadLock:
        return BadLock(self.path, self.document.line(where), problem, remedy)


def _is_place(path: str) -> bool:
    try:
        return written(read(path)) == path
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
