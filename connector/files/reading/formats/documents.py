"""Word documents and plain texts, as text. XML is read as it comes, and none that declares entities."""

import codecs
import zipfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

from ..kinds import HEAD, encoding_of
from ..limits import Limits
from ..problems import Problem, Refused
from .archives import PIECE, Budget, archive, entry_named, must_be_modest, pieces

WORD: Final = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
"""ECMA-376, transitional and strict."""

FALLBACK: Final = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
"""The same text once more, for programs that do not know text boxes."""

RELATIONS, MAIN_PART = "_rels/.rels", "word/document.xml"

_SPACES: Final = {"tab": "\t", "br": "\n", "cr": "\n"}

Take = Callable[[str], None]


def check(path: str, limits: Limits) -> dict[str, Any]:
    """Read a Word document to its end: how many characters it has.

    Raises:
        Refused: It is damaged, encrypted, a bomb, or holds no text.
    """
    size = 0

    def count(text: str) -> None:
        nonlocal size
        size += len(text)

    _word(path, limits, count)
    return {"characters": size}


def word(path: str, limits: Limits) -> str:
    """The text of a Word document, a line for each paragraph.

    Raises:
        Refused: As `check`; or it is longer than one text may be.
    """
    taken = Taken(limits.characters)
    _word(path, limits, taken)
    return taken.text()


def plain(path: str, limits: Limits) -> str:
    """A text file.

    Raises:
        Refused: It is no text, or longer than one text may be.
    """
    taken, decoder = Taken(limits.characters), None
    with Path(path).open("rb") as file:
        encoding = encoding_of(file.read(HEAD))
        if encoding is None:
            raise Refused(Problem.NO_TEXT)
        decoder = codecs.getincrementaldecoder(encoding)("replace" if encoding == "cp1252" else "strict")
        file.seek(0)
        try:
            while piece := file.read(PIECE):
                taken(decoder.decode(piece))
            taken(decoder.decode(b"", final=True))
        except UnicodeDecodeError:
            raise Refused(Problem.CORRUPT) from None
    return taken.text()


class Taken:
    """Text that is collected, up to a limit."""

    def __init__(self, most: int) -> None:
        self._parts = list[str]()
        self._left = self._most = most

    def __call__(self, text: str) -> None:
        """Take more.

        Raises:
            Refused: It is too much.
        """
        self._left -= len(text)
        if self._left < 0:
            raise Refused(Problem.TOO_LONG, limit=self._most)
        self._parts.append(text)

    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)


class Paragraphs:
    """What a parser calls while it reads the main part of a Word document."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._is_text = False
        self._skipped = 0

    def start(self, name: str, _: dict[str, str]) -> None:
        """An element begins."""
        self._skipped += name == FALLBACK
        space, local = name.split(" ", 1) if " " in name else ("", name)
        if self._skipped or space not in WORD:
            return
        self._is_text = local == "t"
        if local in _SPACES:
            self._take(_SPACES[local])

    def end(self, name: str) -> None:
        """An element ends."""
        self._skipped -= name == FALLBACK
        self._is_text = False
        if not self._skipped and name in {f"{space} p" for space in WORD}:
            self._take("\n")

    def characters(self, text: str) -> None:
        """Characters, wherever they stand."""
        if self._is_text:
            self._take(text)


def _word(path: str, limits: Limits, take: Take) -> None:
    with archive(path) as found:
        must_be_modest(found, limits)
        budget, paragraphs = Budget(limits.inflated), Paragraphs(take)
        part = _main_part(found, budget)
        _parse(pieces(found, part, budget), paragraphs.start, paragraphs.end, paragraphs.characters)


def _main_part(found: zipfile.ZipFile, budget: Budget) -> zipfile.ZipInfo:
    """Usually `word/document.xml`; the relations of the package say otherwise if it is not."""
    targets = [MAIN_PART]

    def note(_: str, attributes: dict[str, str]) -> None:
        if attributes.get("Type", "").endswith("/officeDocument"):
            targets[0] = attributes.get("Target", MAIN_PART).lstrip("/")

    if RELATIONS in found.namelist():
        _parse(pieces(found, found.getinfo(RELATIONS), budget), note)
    try:
        return entry_named(found, targets[0])
    except Refused:
        raise Refused(Problem.NO_DOCUMENT) from None


def _parse(xml: Generator[bytes], start: Any, end: Any = None, characters: Any = None) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    parser.StartDoctypeDeclHandler = _refuse_entities
    try:
        for piece in xml:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise Refused(Problem.CORRUPT) from None
    finally:
        xml.close()


def _refuse_entities(*_: Any) -> None:
    raise Refused(Problem.ENTITIES)
