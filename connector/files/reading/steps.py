"""The steps of reading, by name: each takes a path and what it was asked, and gives JSON and bytes."""

import mmap
from collections.abc import Callable, Mapping
from typing import Any, Final

from . import kinds
from .formats import archives, documents, pdf, pictures
from .limits import Limits
from .problems import Problem, Refused

Step = Callable[[str, dict[str, Any], Limits], tuple[dict[str, Any], bytes]]

_SHELF: Final = pdf.Shelf()


def answer(path: str, asked: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], bytes]:
    """Take one step.

    Raises:
        Refused: The file cannot be read.
    """
    return STEPS[asked["step"]](path, asked, limits)


def _identify(path: str, asked: dict[str, Any], _: Limits) -> tuple[dict[str, Any], bytes]:
    if asked["kind"] == kinds.ZIP:
        return {"kind": archives.kind_within(path)}, b""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:  # noqa: PTH123  for its fileno
        if content.find("EncryptedPackage".encode("utf-16-le")) >= 0:  # [MS-OFFCRYPTO], section 2.3.4.4
            raise Refused(Problem.ENCRYPTED)
        found = (kind for name, kind in kinds.WITHIN_OLE.items() if content.find(name.encode("utf-16-le")) >= 0)
        return {"kind": next(found, kinds.OLE)}, b""


def _check(path: str, asked: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], bytes]:
    kind = asked["kind"]
    if kind == kinds.PDF:
        return pdf.check(_SHELF.reader(path)), b""
    if kind in kinds.PICTURES:
        return pictures.check(path, kind, limits), b""
    if kind == kinds.DOCX:
        return documents.check(path, limits), b""
    return archives.check(path, limits), b""


def _pages(path: str, asked: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], bytes]:
    return pdf.pages(_SHELF.reader(path), asked["first"], asked["last"], limits), b""


def _text(path: str, asked: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], bytes]:
    read = documents.word if asked["kind"] == kinds.DOCX else documents.plain
    return {}, read(path, limits).encode("utf-8", "replace")


def _picture(path: str, asked: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], bytes]:
    return pictures.picture(path, asked["kind"], limits, asked["longest"])


def _entry(path: str, asked: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], bytes]:
    return {}, archives.entry(path, asked["name"], limits, asked["most"])


STEPS: Final[Mapping[str, Step]] = {
    "identify": _identify,
    "check": _check,
    "pages": _pages,
    "text": _text,
    "picture": _picture,
    "entry": _entry,
}
