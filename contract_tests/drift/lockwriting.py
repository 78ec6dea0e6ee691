"""A lock as lines of YAML, each with the path of keys it stands for: sorted, one piece to a line. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from .kinds import Kind
from .lock import FEW, LOTS, MANY, Approved, Lock, Measure, Place, Profile, Usage

FORMAT: Final = 1
EDGE: Final = "on the way"
END: Final = "of the lock"  # without its last line a file is cut off, and half a lock would raise false alarms
UNVERSIONED: Final = "unversioned"
SEEN: Final[Mapping[str, int]] = {"once": 1, "few": FEW, "many": MANY, "lots": LOTS}
SECTIONS: Final[Mapping[str, Kind]] = {"headers": Kind.HEADER, "members": Kind.MEMBER, "values": Kind.VALUE}

OWN_COMMENTS: Final = (
    "# What callers send to this connector, as it was approved: names and JSON types, never a value of anybody's.",
    "# `mcp-ballast drift --approve` writes it; everything else is drift. Comments of yours are kept.",
)

_LARGEST_SHORT: Final = 0xFFFF
_PLAIN = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_./()+*\[\]=@$ -]*(?<! )")
_NOT_TEXT = re.compile(r"-?[0-9.]+(?:[eE][+-]?[0-9]+)?|true|false|null")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the file; `path` are the keys that lead to it."""

    path: tuple[str, ...]
    text: str


def as_lines(lock: Lock) -> tuple[Line, ...]:
    """The file without comments but our own."""
    return (
        *(Line(path=(), text=text) for text in OWN_COMMENTS),
        _line(("format",), str(FORMAT)),
        *_rhythm((), lock.rhythm),
        *_edge(lock),
        *_surfaces(lock),
        _line(("end",), END),
    )


def scalar(text: str) -> str:
    """A text as YAML: bare where it can be, else between the quotes that need no strokes in it."""
    if _PLAIN.fullmatch(text) and not _NOT_TEXT.fullmatch(text):
        return text
    if "'" not in text and text.isprintable() and text.isascii():
        return f"'{text}'"
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(letter: str) -> str:
    if letter in {'"', "\\"}:
        return f"\\{letter}"
    if " " <= letter <= "~":
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) <= _LARGEST_SHORT else f"\\U{ord(letter):08x}"


def _surfaces(lock: Lock) -> Iterator[Line]:
    if not lock.places:
        yield _line(("surfaces",), "{}")
        return
    yield _line(("surfaces",))
    surface = None
    for place in sorted(lock.places):
        if place.surface != surface:
            surface = place.surface
            yield _line(("surfaces", surface))
        yield from _approved(("surfaces", place.surface, title_of(place)), lock.places[place])


def title_of(place: Place) -> str:
    """A place's key below its surface."""
    return f"{place.channel} {place.method}"


def _approved(path: tuple[str, ...], approved: Approved) -> Iterator[Line]:
    yield _line(path)
    yield from _rhythm(path, approved.rhythm)
    if approved.versions:
        yield _line((*path, "versions"))
    for version in sorted(approved.versions):
        yield from _profile((*path, "versions", version or UNVERSIONED), approved.versions[version])


def _rhythm(path: tuple[str, ...], rhythm: Mapping[str, Measure]) -> Iterator[Line]:
    if rhythm:
        yield _line((*path, "rhythm"))
    for name in sorted(rhythm):
        yield _line((*path, "rhythm", name), _measure(rhythm[name]))


def _edge(lock: Lock) -> Iterator[Line]:
    if lock.edge:
        yield _line(("edge",))
    for name in sorted(lock.edge):
        yield _line(("edge", name), EDGE)


def _profile(path: tuple[str, ...], profile: Profile) -> Iterator[Line]:
    yield _line(path)
    yield _line(
        (*path, "seen"), max((word for word in SEEN if profile.seen >= SEEN[word]), key=lambda word: SEEN[word])
    )
    for section, kind in SECTIONS.items():
        own = sorted(name for of, name in profile.traits if of is kind)
        if own:
            yield _line((*path, section))
        for name in own:
            yield _line((*path, section, name), usage_written(profile.traits[kind, name]))


def usage_written(usage: Usage) -> str:
    """How a piece is used, in words: `always`, `sometimes string or null`."""
    word = "always" if usage.is_always else "sometimes"
    return f"{word} {' or '.join(sorted(usage.words))}" if usage.words else word


def _measure(measure: Measure) -> str:
    if isinstance(measure, tuple):
        return f"[{', '.join(f'{number:g}' for number in measure)}]"
    return f"{measure:g}"


def _line(path: tuple[str, ...], value: str = "") -> Line:
    margin = "  " * (len(path) - 1)
    return Line(path=path, text=f"{margin}{scalar(path[-1])}:{f' {value}' if value else ''}")
