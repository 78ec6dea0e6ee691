"""Zip archives: what is in them, whether it can be unpacked, and how much that would be. Nothing is ever written."""

import io
import stat
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, Any, Final

from ..kinds import DOCX, PPTX, XLSX, ZIP, plain
from ..limits import Limits
from ..problems import Problem, Refused

PIECE: Final = 256 * 1024

RATIO, RATIO_FROM = 200, 16 * 1024 * 1024
"""How many times its size an archive may grow to, once it grows to more than so many bytes. Texts reach about 20."""

DEEPEST: Final = 4
"""Archives in archives. Nobody packs deeper on purpose."""

MOST_TYPE: Final = 200
ENCRYPTED: Final = 0x1
"""The flag of a zip entry (APPNOTE.TXT, section 4.4.4)."""

_CONTENT_TYPES: Final = "[Content_Types].xml"
_OFFICE: Final = {"word/": DOCX, "xl/": XLSX, "ppt/": PPTX}


class Budget:
    """How many bytes may still come out."""

    def __init__(self, size: int) -> None:
        self.left = size

    def spend(self, size: int) -> None:
        """Count what came out.

        Raises:
            Refused: It is too much.
        """
        self.left -= size
        if self.left < 0:
            raise Refused(Problem.BOMB)


def kind_within(path: str) -> str:
    """What the archive is: Word, Excel, PowerPoint, what it calls itself (OpenDocument, EPUB), or just a zip.

    Raises:
        Refused: It has no directory.
    """
    with archive(path) as found:
        names = found.namelist()
        if _CONTENT_TYPES in names:
            return next((kind for folder, kind in _OFFICE.items() if any(n.startswith(folder) for n in names)), ZIP)
        if names[:1] == ["mimetype"]:
            with found.open("mimetype") as entry:
                said = plain(entry.read(MOST_TYPE).decode("ascii", "replace"))
            return said if said is not None and said.startswith("application/") else ZIP
        return ZIP


def check(path: str, limits: Limits) -> dict[str, Any]:
    """Unpack everything once, into nothing: names and sizes.

    Raises:
        Refused: It is damaged, encrypted, a bomb, or has names that lead out of the folder it would be unpacked in.
    """
    with archive(path) as found:
        entries = found.infolist()
        must_be_modest(found, limits)
        for entry in entries:
            _must_be_safe(entry)
        _unpack(found, Budget(limits.inflated), depth=1, limits=limits)
        return {"entries": [{"name": e.filename, "size": e.file_size} for e in entries if not e.is_dir()]}


def entry(path: str, name: str, limits: Limits, most: int) -> bytes:
    """What one entry holds.

    Raises:
        Refused: As `check`, for this entry; or there is none of that name.
    """
    with archive(path) as found:
        must_be_modest(found, limits)
        info = entry_named(found, name)
        _must_be_safe(info)
        if info.file_size > most:
            raise Refused(Problem.TOO_LARGE, size=info.file_size, limit=most)
        return b"".join(pieces(found, info, Budget(most)))


def entry_named(found: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The entry of that name.

    Raises:
        Refused: There is none.
    """
    try:
        return found.getinfo(name)
    except KeyError:
        raise Refused(Problem.NO_SUCH_ENTRY, entry=name) from None


@contextmanager
def archive(file: str | IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """An open archive; what goes wrong in the block is told as a problem.

    Raises:
        Refused: It has no directory, or its content cannot be unpacked.
    """
    try:
        found = zipfile.ZipFile(file)
    except zipfile.BadZipFile:  # its directory stands at the end
        raise Refused(Problem.CUT_OFF) from None
    except (ValueError, OverflowError, OSError, NotImplementedError, EOFError):
        raise Refused(Problem.CORRUPT) from None
    with found:
        try:
            yield found
        except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, NotImplementedError):
            raise Refused(Problem.CORRUPT) from None


def must_be_modest(found: zipfile.ZipFile, limits: Limits) -> None:
    """Judge what the directory says, before anything is unpacked.

    Raises:
        Refused: It is encrypted, or says of itself that it is a bomb.
    """
    entries = found.infolist()
    if any(each.flag_bits & ENCRYPTED for each in entries):
        raise Refused(Problem.ENCRYPTED)
    packed, inflated = sum(each.compress_size for each in entries), sum(each.file_size for each in entries)
    is_dense = inflated > RATIO_FROM and inflated > RATIO * max(1, packed)
    if len(entries) > limits.entries or inflated > limits.inflated or is_dense or packed > _size(found):
        raise Refused(Problem.BOMB)


def pieces(found: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> Generator[bytes]:
    """What an entry holds, piece by piece; its checksum is checked at the end.

    Raises:
        Refused: It is more than the budget allows.
    """
    with found.open(info) as unpacked:
        while piece := unpacked.read(PIECE):
            budget.spend(len(piece))
            yield piece


def _unpack(found: zipfile.ZipFile, budget: Budget, *, depth: int, limits: Limits) -> None:
    for info in found.infolist():
        within = io.BytesIO()
        for piece in pieces(found, info, budget):
            if within.tell() or piece.startswith(b"PK\x03\x04"):
                within.write(piece)
        if within.tell():
            _unpack_within(within, budget, depth + 1, limits)


def _unpack_within(file: io.BytesIO, budget: Budget, depth: int, limits: Limits) -> None:
    if depth > DEEPEST:
        raise Refused(Problem.BOMB)
    try:
        with archive(file) as found:
            must_be_modest(found, limits)
            _unpack(found, budget, depth=depth, limits=limits)
    except Refused as refused:
        if refused.problem is Problem.BOMB:
            raise  # whatever else is wrong with it is for whoever opens it


def _must_be_safe(info: zipfile.ZipInfo) -> None:
    name, mode = info.filename, info.external_attr >> 16
    leads_out = ".." in PurePosixPath(name.replace("\\", "/")).parts or name.startswith(("/", "\\"))
    is_odd = bool(PureWindowsPath(name).drive) or not name or not name.isprintable()
    if leads_out or is_odd or stat.S_ISLNK(mode):
        raise Refused(Problem.UNSAFE_NAME, entry=name)


def _size(found: zipfile.ZipFile) -> int:
    file = found.fp
    assert file is not None  # noqa: S101  it is open
    return file.seek(0, 2)
