"""PDFs, some pages at a time. Decides what of pypdf's leniency is a damaged file and what is a readable one."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..limits import Limits
from ..problems import Problem, Refused

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

TAIL: Final = 64 * 1024
END_WITHIN: Final = 4096
"""Bytes. Readers look for the end mark in the last 1,024; padding and what mail programs append is forgiven."""

MOST_PAGES, MOST_TEXT, MOST_SECONDS = 16, 64 * 1024, 1.0
"""One step of reading ends with whichever comes first, so that the first page is there soon."""


class Shelf:
    """The PDF that was read last, open: its table of contents is read once for all its pages."""

    def __init__(self) -> None:
        self._path = ""
        self._reader: PdfReader | None = None

    def reader(self, path: str) -> "PdfReader":
        """The PDF at `path`.

        Raises:
            Refused: It cannot be opened.
        """
        if self._reader is None or path != self._path:
            self._reader, self._path = None, path
            self._reader = opened(path)
        return self._reader


def opened(path: str) -> "PdfReader":
    """Open a PDF.

    Raises:
        Refused: It is cut off, damaged or wants a password.
    """
    try:
        from pypdf import PdfReader  # noqa: PLC0415  an optional dependency
        from pypdf.errors import LimitReachedError, PyPdfError  # noqa: PLC0415
    except ImportError:
        raise Refused(Problem.NOT_INSTALLED) from None
    _must_have_an_end(Path(path))
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):  # with an empty password anybody may read it
            raise Refused(Problem.ENCRYPTED)
    except LimitReachedError:
        raise Refused(Problem.BOMB) from None
    except PyPdfError:
        raise Refused(Problem.CORRUPT) from None
    return reader


def check(reader: "PdfReader") -> dict[str, Any]:
    """How many pages there are.

    Raises:
        Refused: There are none, or they cannot be found.
    """
    total = _total(reader)
    _page(reader, 1)
    return {"pages": total}


def pages(reader: "PdfReader", first: int, last: int, limits: Limits) -> dict[str, Any]:
    """The text of the pages from `first` on: at least one, not beyond `last`, and no more than a step holds.

    Raises:
        Refused: One of them cannot be read.
    """
    total, found, size, ends = _total(reader), list[dict[str, Any]](), 0, time.monotonic() + MOST_SECONDS
    for number in range(first, min(last, total) + 1):
        with _skips() as skipped:
            text = _text(_page(reader, number), number, limits)
        found.append({"number": number, "text": text, "is_whole": not skipped})
        size += len(text)
        if len(found) >= MOST_PAGES or size >= MOST_TEXT or time.monotonic() > ends:
            break
    return {"pages": found, "total": total}


def _must_have_an_end(path: Path) -> None:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        tail = file.read().rstrip(b"\0\t\n\f\r ")
    if b"%%EOF" not in tail[-END_WITHIN:]:
        raise Refused(Problem.CUT_OFF)


class _Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.heard = list[logging.LogRecord]()

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record)


@contextmanager
def _skips() -> Iterator[list[logging.LogRecord]]:
    """What pypdf leaves out of a page's text, it only logs: a form it cannot decode, one that contains itself."""
    ear, logger = _Ear(), logging.getLogger("pypdf._page")
    logger.addHandler(ear)
    try:
        yield ear.heard
    finally:
        logger.removeHandler(ear)


def _total(reader: "PdfReader") -> int:
    total = len(reader.pages)
    if total < 1:
        raise Refused(Problem.CORRUPT)
    return total


def _page(reader: "PdfReader", number: int) -> "PageObject":
    try:
        return reader.pages[number - 1]
    except IndexError:  # it says that it has more pages than it has
        raise Refused(Problem.CORRUPT) from None


def _text(page: "PageObject", number: int, limits: Limits) -> str:
    from pypdf.errors import LimitReachedError  # noqa: PLC0415  an optional dependency

    try:
        contents = page.get_contents()
        if contents is not None:
            contents.get_data()  # extract_text answers a bomb with no text at all, and not a word
        text = page.extract_text()
    except LimitReachedError:
        raise Refused(Problem.BOMB, page=number) from None
    if len(text) > limits.characters:
        raise Refused(Problem.BOMB, page=number)
    return text
