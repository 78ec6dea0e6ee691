"""Files that hurt, made by code: every animal is bytes, small enough to make in a test."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import pypdf
from PIL import Image

MIB: Final = 1024 * 1024


def pdf(pages: int = 1, *, words: Callable[[int], str] = "Page {} of the report".format) -> bytes:
    """A PDF whose pages say `words(number)`, put together by hand: 10,000 pages take a moment only."""
    kids = [4 + 2 * number for number in range(pages)]
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Count {pages} /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for number, kid in enumerate(kids, 1):
        drawn = f"BT /F1 12 Tf 72 700 Td ({words(number)}) Tj ET".encode()
        objects[kid] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {kid + 1} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        ).encode()
        objects[kid + 1] = stream(drawn)
    return assembled(objects)


def stream(body: bytes, more: bytes = b"") -> bytes:
    """A PDF stream object."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(body), more, body)


def assembled(objects: Mapping[int, bytes]) -> bytes:
    """Objects, cross-reference table and trailer."""
    out, places = io.BytesIO(), {}
    out.write(b"%PDF-1.7\n")
    for number, body in objects.items():
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % places[number] for number in sorted(objects))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()


def encrypted_pdf(*, user: str, owner: str = "owner") -> bytes:
    """A PDF that asks for a password to be opened; with an empty one, it only forbids printing."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(2)))
    writer.encrypt(user, owner, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_bomb(size: int = 100 * MIB) -> bytes:
    """One page whose content inflates to `size` bytes, twice compressed so that the file stays small."""
    packed = zlib.compress(deflated_zeros(size), 9)
    content = stream(packed, b"/Filter [/FlateDecode /FlateDecode]")
    return assembled(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
            4: content,
        }
    )


def pdf_form_within_itself() -> bytes:
    """A page that says something, and draws a form which draws itself."""
    font = b"/Resources << /Font << /F1 6 0 R >> /XObject << /F 5 0 R >> >>"
    return assembled(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R %s >>" % font,
            4: stream(b"BT /F1 12 Tf 72 700 Td (Hello) Tj ET /F Do"),
            5: stream(b"/F Do", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] " + font),
            6: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        }
    )


def pdf_that_turns_in_circles() -> bytes:
    """A page tree that is its own child."""
    return assembled(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Count 3 /Kids [2 0 R 2 0 R] /Parent 2 0 R >>",
        }
    )


def deflated_zeros(size: int) -> bytes:
    """`size` zeros, deflated without holding them."""
    packer, block = zlib.compressobj(9), bytes(MIB)
    return b"".join(packer.compress(block) for _ in range(size // MIB)) + packer.flush()


def png(width: int = 4, height: int = 3) -> bytes:
    """A whole PNG."""
    return picture("PNG", width, height)


def picture(kind: str, width: int = 4, height: int = 3, **how: object) -> bytes:
    """A picture of any kind that Pillow writes."""
    out = io.BytesIO()
    Image.effect_noise((width, height), 64).convert("RGB").save(out, kind, **how)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is that large."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def animation(kind: str = "PNG", frames: int = 5) -> bytes:
    """An APNG, GIF or WebP that moves."""
    first, *rest = (Image.new("RGB", (8, 8), (30 * number, 0, 0)) for number in range(frames))
    out = io.BytesIO()
    first.save(out, kind, save_all=True, append_images=rest, duration=100)
    return out.getvalue()


def archive(entries: Mapping[str, bytes] | Iterable[tuple[str | zipfile.ZipInfo, bytes]]) -> bytes:
    """A zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in entries.items() if isinstance(entries, Mapping) else entries:
            made.writestr(name, body)
    return out.getvalue()


def flat_bomb(size: int = 64 * MIB) -> bytes:
    """A zip whose one entry inflates a thousandfold."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made,
        made.open("zeros.txt", "w", force_zip64=True) as entry,
    ):
        for _ in range(size // MIB):
            entry.write(bytes(MIB))
    return out.getvalue()


def lying_bomb() -> bytes:
    """A zip whose directory says that its entry is small."""
    bomb = bytearray(flat_bomb(20 * MIB))
    directory = bomb.rfind(b"PK\x01\x02")
    struct.pack_into("<I", bomb, directory + 24, 1000)
    return bytes(bomb)


def nested_bomb(levels: int = 4, fan: int = 10, core: int = 16 * MIB) -> bytes:
    """Zips in zips: no single one inflates to much."""
    inner = archive({"zeros": bytes(core)})
    for _ in range(levels):
        inner = archive({f"{number}.zip": inner for number in range(fan)})
    return inner


def overlapping_bomb(names: int = 2000) -> bytes:
    """Many directory entries that point to the same bytes."""
    once = archive({"a": bytes(200_000)})
    start = once.rfind(b"PK\x01\x02")
    record, end = once[start : once.rfind(b"PK\x05\x06")], bytearray(once[once.rfind(b"PK\x05\x06") :])
    struct.pack_into("<HHI", end, 8, names, names, len(record) * names)
    return once[:start] + record * names + bytes(end)


def link(name: str = "notes.txt", target: str = "/etc/passwd") -> bytes:
    """A zip with a symbolic link in it."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return archive([(info, target.encode())])


def encrypted_zip() -> bytes:
    """A zip whose entry says it is encrypted."""
    made = bytearray(archive({"a.txt": b"hello"}))
    made[made.find(b"PK\x03\x04") + 6] |= 1
    made[made.rfind(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


CONTENT_TYPES: Final = (
    b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
)
WORD: Final = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx(*paragraphs: str, prolog: str = "", more: Mapping[str, bytes] | None = None) -> bytes:
    """A Word document."""
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    document = f'<?xml version="1.0"?>{prolog}<w:document {WORD}><w:body>{body}</w:body></w:document>'
    return archive({"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": document.encode()} | dict(more or {}))


def docx_without_document() -> bytes:
    """It looks like Word outside, and holds no text."""
    return archive({"[Content_Types].xml": CONTENT_TYPES, "word/styles.xml": b"<styles/>"})


def docx_of_entities() -> bytes:
    """A billion laughs."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return docx("&l9;", prolog=f'<!DOCTYPE x [<!ENTITY l0 "ha">{levels}]>')


def docx_with_a_foreign_entity() -> bytes:
    """It asks for a file of the machine that reads it."""
    return docx("&f;", prolog='<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>')


def docx_bomb() -> bytes:
    """Tens of megabytes of white space between two tags."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        made.writestr("[Content_Types].xml", CONTENT_TYPES)
        with made.open("word/document.xml", "w", force_zip64=True) as entry:
            entry.write(f"<w:document {WORD}><w:body>".encode())
            for _ in range(40):
                entry.write(b" " * MIB)
            entry.write(b"</w:body></w:document>")
    return out.getvalue()


def encrypted_ooxml() -> bytes:
    """What Word writes when a password is set: an OLE container with these two streams."""
    names = "".join(f"{name}\0" for name in ("EncryptionInfo", "EncryptedPackage")).encode("utf-16-le")
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + names + bytes(1024)


def polyglot() -> bytes:
    """A PDF to one reader, a zip to another."""
    return pdf(1) + archive({"inside.txt": b"hello"})


def flat_png(width: int, height: int) -> bytes:
    """A whole PNG of one colour: a few bytes for many pixels."""
    packer, row = zlib.compressobj(1), bytes(1 + 3 * width)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
