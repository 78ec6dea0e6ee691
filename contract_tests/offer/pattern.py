"""A text that matches a regular expression, where that is feasible. Pure.

Reads the common part of the language (literals, classes, groups, alternatives, quantifiers, anchors); look-around and
back references are not read. Every sample is tried with `re` before it is given out, so a wrong guess is no sample.
"""

import re
from collections.abc import Iterator

_CLASSES = {"d": "0123456789", "w": "abcdefghijklmnopqrstuvwxyz", "s": " ", "D": "a", "W": "-", "S": "a"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_PRINTABLE = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -_.,:;/@#+=%&!?()[]{}<>*'\"^$|~`\\"
_MOST_REPEATS = 1000


class _Unreadable(Exception):
    """The pattern uses something this reader does not know."""


def sample(pattern: str, least: int = 0) -> Iterator[str]:
    """Yield texts that match `pattern`, first one of at least `least` characters; none if it cannot be read."""
    for stretch in dict.fromkeys((least, 0, 1)):
        try:
            text = _Reader(pattern, stretch).read()
            if re.search(pattern, text) and len(text) >= least:
                yield text
        except (_Unreadable, re.error, IndexError):
            return


class _Reader:
    """Reads a pattern from left to right and writes one text; open quantifiers are stretched towards a length."""

    def __init__(self, pattern: str, stretch: int) -> None:
        self._pattern = pattern
        self._at = 0
        self._stretch = stretch

    def read(self) -> str:
        """Read the whole pattern."""
        text = self._alternatives()
        if self._at != len(self._pattern):
            raise _Unreadable
        return text

    def _peek(self) -> str:
        return self._pattern[self._at] if self._at < len(self._pattern) else ""

    def _take(self) -> str:
        self._at += 1
        return self._pattern[self._at - 1]

    def _alternatives(self) -> str:
        options = [self._sequence()]
        while self._peek() == "|":
            self._take()
            options.append(self._sequence())
        return next((option for option in options if option), options[0])

    def _sequence(self) -> str:
        text = ""
        while self._peek() not in {"", "|", ")"}:
            piece = self._piece()
            text += piece * self._repeats(len(piece))
        return text

    def _piece(self) -> str:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return self._bracket()
        if character == "\\":
            return self._escape()[0]
        return {"^": "", "$": "", ".": "a"}.get(character, character)

    def _group(self) -> str:
        if self._peek() == "?":
            head = re.match(r"\?(?::|P?<[A-Za-z_]\w*>)", self._pattern[self._at :])
            if head is None:
                raise _Unreadable
            self._at += head.end()
        text = self._alternatives()
        if self._take() != ")":
            raise _Unreadable
        return text

    def _escape(self) -> str:
        """The characters an escape stands for; none for a boundary."""
        character = self._take()
        if character in "bBAZzG":
            return "" if character in "AZz" else _raise()
        if character in "xu":
            width = 2 if character == "x" else 4
            self._at += width
            return chr(int(self._pattern[self._at - width : self._at], 16))
        if character in "pPkN" or character in "123456789":
            raise _Unreadable
        return _CLASSES.get(character) or _ESCAPES.get(character, character)

    def _bracket(self) -> str:
        is_negated = self._peek() == "^" and bool(self._take())
        members = ""
        while self._peek() != "]" or not members:
            members += self._member()
        self._take()
        allowed = [c for c in _PRINTABLE if c not in members] if is_negated else list(members)
        return allowed[0]

    def _member(self) -> str:
        first = self._escape() if self._peek() == "\\" and self._take() else self._take()
        if len(first) == 1 and self._peek() == "-" and self._pattern[self._at + 1] != "]":
            self._take()
            last = self._escape() if self._peek() == "\\" and self._take() else self._take()
            return "".join(chr(code) for code in range(ord(first), ord(last) + 1))
        return first

    def _repeats(self, width: int) -> int:
        counted = re.match(r"\{(\d+)(,(\d*))?\}|[*+?]", self._pattern[self._at :])
        if counted is None:
            return 1
        self._at += counted.end()
        if self._peek() in {"?", "+"}:
            self._take()
        least, most = _range(counted)
        wanted = -(-self._stretch // width) if width else 0
        return min(max(least, wanted), most, _MOST_REPEATS)


def _range(counted: re.Match[str]) -> tuple[int, int]:
    if counted[1] is None:
        return {"*": (0, _MOST_REPEATS), "+": (1, _MOST_REPEATS), "?": (0, 1)}[counted[0]]
    least = int(counted[1])
    if counted[2] is None:
        return least, least
    return least, int(counted[3]) if counted[3] else _MOST_REPEATS


def _raise() -> str:
    raise _Unreadable
