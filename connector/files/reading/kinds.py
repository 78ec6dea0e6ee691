"""Which kind of file bytes are: by what they begin with, never by a name or a header. Pure.

The first bytes decide alone: a file that is two kinds at once is the one it begins as, and is read as nothing else.
"""

import codecs
import re
from typing import Final

PDF: Final = "application/pdf"
PNG, JPEG, GIF, WEBP = "image/png", "image/jpeg", "image/gif", "image/webp"
BMP, TIFF = "image/bmp", "image/tiff"
ZIP: Final = "application/zip"
OOXML: Final = "application/vnd.openxmlformats-officedocument."
DOCX: Final = f"{OOXML}wordprocessingml.document"
XLSX: Final = f"{OOXML}spreadsheetml.sheet"
PPTX: Final = f"{OOXML}presentationml.presentation"
OLE: Final = "application/x-ole-storage"
WITHIN_OLE: Final = {
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
}
"""What old office programs wrote, by the stream that is in it ([MS-CFB])."""
TEXT, HTML, XML = "text/plain", "text/html", "application/xml"
UNKNOWN: Final = "application/octet-stream"

PICTURES: Final = {PNG: "PNG", JPEG: "JPEG", GIF: "GIF", WEBP: "WEBP", BMP: "BMP", TIFF: "TIFF"}
"""The pictures that are read, and what Pillow calls them."""

HEAD: Final = 8192
"""Bytes that are looked at."""

_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"{\\rtf", "application/rtf"),
    (b"%!PS", "application/postscript"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "application/ogg"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-executable"),
)
_BRANDS: Final = {b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic", b"avif": "image/avif"}
"""ISO 14496-12: the brand behind `ftyp`."""

LONGEST: Final = 100
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
"""RFC 6838, section 4.2: no space, so that no sentence passes for a type."""

_BLANK: Final = b"\xef\xbb\xbf\t\n\f\r "
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NO_TEXT: Final = frozenset(range(0x20)) - frozenset(b"\t\n\f\r\x1b\x08")
_ARE_TEXT: Final = ("json", "xml", "yaml", "csv", "javascript", "sql", "toml", "markdown")
_BMP_HEADER: Final = 26


WITHIN: Final = frozenset({ZIP, DOCX, XLSX, PPTX, *WITHIN_OLE.values()})
"""The kinds that are told by what is in the container."""

KNOWN: Final = frozenset(
    {
        PDF, *PICTURES, ZIP, DOCX, XLSX, PPTX, OLE, *WITHIN_OLE.values(), TEXT, HTML, XML, UNKNOWN, "image/svg+xml",
        "image/heic", "image/avif", "video/mp4", "application/epub+zip", *(kind for _, kind in _BEGINNINGS),
    }
)  # fmt: skip
"""What bytes tell. Beside these there are kinds of text, and what OpenDocument calls itself."""


def kind_of(head: bytes) -> str:
    """The media type of a file that begins with `head`; `application/octet-stream` if it is none that is known."""
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head.startswith(b"RIFF"):
        return WEBP if head[8:12] == b"WEBP" else UNKNOWN
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head.startswith(b"BM") and len(head) >= _BMP_HEADER and head[6:10] == bytes(4):
        return BMP
    if head.lstrip(_BLANK).startswith(b"%PDF-"):
        return PDF
    return _kind_of_text(head) if encoding_of(head) is not None else UNKNOWN


def encoding_of(head: bytes) -> str | None:
    """How a text that begins with `head` is encoded; None if it is no text.

    What is not UTF-8 and has no byte that texts do not have is taken for Windows-1252, which spreadsheets still write.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding if _decodes(head, encoding) else None
    if _NO_TEXT & frozenset(head):
        return None
    return "utf-8" if _decodes(head, "utf-8") else "cp1252"


def refined(kind: str, said: str | None) -> str:
    """`kind`, or the kind of text that the sender says it is: bytes cannot tell CSV from prose."""
    named = plain(said)
    if kind not in {TEXT, XML} or named is None or named == HTML:
        return kind
    is_text = named.startswith("text/") or any(word in named for word in _ARE_TEXT)
    return named if is_text else kind


def plain(said: str | None) -> str | None:
    """A media type without parameters, in small letters; None if it is none."""
    named = (said or "")[:LONGEST].partition(";")[0].strip().lower()
    return named if _MEDIA_TYPE.fullmatch(named) else None


def can_be_told(wanted: str) -> bool:
    """Whether some bytes are of the kind that `wanted` asks for."""
    is_text = refined(TEXT, wanted) == wanted or wanted == "text/*"
    is_open_document = wanted.startswith("application/vnd.oasis.opendocument.")
    return is_text or is_open_document or any(fits(kind, wanted) for kind in KNOWN)


def fits(kind: str, wanted: str) -> bool:
    """Whether a file of `kind` is what `wanted` asks for, which may be `image/*` or `*/*`."""
    group, _, one = wanted.partition("/")
    return kind == wanted or group == "*" or (one == "*" and kind.startswith(f"{group}/"))


def _kind_of_text(head: bytes) -> str:
    begins = head.replace(b"\0", b"").lstrip(_BLANK + b"\xff\xfe")[:64].lower()
    if begins.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return HTML
    if begins.startswith(b"<svg"):
        return "image/svg+xml"
    return XML if begins.startswith(b"<?xml") else TEXT


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head, final=False)
    except UnicodeDecodeError:
        return False
    return True


def is_text(kind: str) -> bool:
    """Whether a file of that kind can be read as text."""
    return kind in {XML, "image/svg+xml"} or kind.startswith("text/") or refined(TEXT, kind) == kind
