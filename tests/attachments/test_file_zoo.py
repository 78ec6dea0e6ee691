"""The zoo: every animal is let into the reading room, and none breaks anything."""

import os
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connector import FileRefused, FileSettings
from connector.files.file import File
from connector.files.intake import SUFFIXES
from connector.files.reading import kinds
from connector.files.reading.formats import archives
from connector.files.reading.limits import Limits
from connector.files.reading.problems import Problem, Refused
from connector.files.reading.steps import answer
from connector.files.refusals import called
from connector.files.room.room import ReadingRoom
from tests.attachments import zoo

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Unlocked(ReadingRoom):
    """A room without processes: the same steps, where a debugger and a measure of coverage can see them."""

    async def read(self, path: Path, step: str, **asked: Any) -> tuple[dict[str, Any], bytes]:
        """Take the step here."""
        with warnings.catch_warnings(action="ignore"):  # which nobody hears in a process that reads
            try:
                return answer(str(path), {"step": step, **asked}, self._limits)
            except Refused:
                raise
            except Exception:  # noqa: BLE001  as the process does
                raise Refused(Problem.CORRUPT) from None


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=[ReadingRoom, Unlocked])
async def room(request: pytest.FixtureRequest) -> AsyncIterator[ReadingRoom]:
    """One room for all: what one animal does must not hurt the next."""
    opened: ReadingRoom = request.param(FileSettings())
    yield opened
    await opened.aclose()


async def let_in(room: ReadingRoom, folder: Path, body: bytes) -> File:
    """The file as a tool that accepts its kind would get it."""
    (folder / "1").write_bytes(body)
    kind = kinds.kind_of(body[: kinds.HEAD])
    if kind in {kinds.ZIP, kinds.OLE}:
        try:
            kind = (await room.read(folder / "1", "identify", kind=kind))[0]["kind"]
        except Refused as refused:
            raise FileRefused(refused.problem, name="1", **{"kind": called(kind), **refused.detail}) from None
    file = File(
        id="f", name="1", media_type=kind, said_type=None, size=len(body), sha256="", path=folder / "1", room=room,
        settings=FileSettings(),
    )  # fmt: skip
    await file.check()
    return file


async def said_of(file: File) -> str:
    """What a curious tool finds in it."""
    if file.media_type == kinds.PDF:
        return " ".join([page.text async for page in file.pages()])
    if file.media_type in kinds.PICTURES:
        picture = await file.image(longest=100)
        return f"{picture.full_width}x{picture.full_height} {picture.frames} {picture.media_type}"
    if file.media_type == kinds.ZIP:
        return " ".join(f"{entry.name}:{entry.size}" for entry in await file.entries())
    return await file.text()


REPORT = "Page 1 of the report"

TAME = [
    (zoo.pdf(), REPORT),
    (zoo.pdf().replace(b"startxref\n", b"startxref\n99"), REPORT),
    (zoo.pdf().replace(b"\n0000000", b"\n0900000"), REPORT),
    (zoo.pdf() + bytes(2000), REPORT),
    (zoo.encrypted_pdf(user=""), "Page 1 of the report Page 2 of the report"),
    (zoo.polyglot(), REPORT),
    (zoo.png(), "4x3 1 image/jpeg"),
    (zoo.picture("JPEG", 300, 200), "300x200 1 image/jpeg"),
    (zoo.picture("TIFF"), "4x3 1 image/jpeg"),
    (zoo.animation("PNG"), "8x8 5 image/jpeg"),
    (zoo.animation("GIF"), "8x8 5 image/png"),
    (zoo.animation("WEBP"), "8x8 5 image/jpeg"),
    (zoo.archive({"a.txt": b"x", "folder/b.txt": b"yy", "folder/": b""}), "a.txt:1 folder/b.txt:2"),
    (zoo.archive({"within.zip": zoo.archive({"a": b"b"})}), "within.zip:103"),
    (zoo.docx("Dear reader,", "goodbye"), "Dear reader,\ngoodbye\n"),
    (zoo.docx("", more={"word/media/image1.png": zoo.png()}), "\n"),
    ("Grüße".encode("utf-16"), "Grüße"),
    ("Grüße".encode("cp1252"), "Grüße"),
]

WILD: list[tuple[Callable[[], bytes], str, str]] = [
    (lambda: zoo.pdf(3)[:600], "is not whole", "attach it again"),
    (lambda: zoo.pdf(3)[:-30], "is not whole", "attach it again"),
    (lambda: b"%PDF-1.7\n" + os.urandom(500) + b"%%EOF", "is damaged", "attach it again"),
    (lambda: zoo.pdf().replace(b"/Root 1 0 R", b"/Root 9 0 R").replace(b"/Catalog", b"/Cat"), "is damaged", "attach"),
    (lambda: zoo.encrypted_pdf(user="secret"), "protected with a password", "a copy without one"),
    (zoo.pdf_that_turns_in_circles, "is damaged", "attach it again"),
    (zoo.pdf_bomb, "unpacks to far more", "saved anew"),
    (lambda: zoo.pdf(2500), "has 2500 pages, and 2500 were asked for", "which pages matter"),
    (lambda: zoo.png_header(50_000, 50_000), "too many pixels", "a smaller picture"),
    (lambda: zoo.png_header(8_000, 8_000), "too many pixels", "a smaller picture"),
    (lambda: zoo.png_header(3_000, 3_000), "is not whole", "attach it again"),
    (lambda: zoo.picture("PNG", 200, 200)[:5000], "is not whole", "attach it again"),
    (lambda: zoo.picture("JPEG", 200, 200)[:3000], "is not whole", "attach it again"),
    (lambda: zoo.png()[:40] + b"!!!!" + zoo.png()[44:], "is damaged", "attach it again"),
    (lambda: b"\xff\xd8\xff\xe0" + os.urandom(500), "is damaged", "attach it again"),
    (lambda: b"GIF89a", "is damaged", "attach it again"),
    (zoo.flat_bomb, "unpacks to far more", "the document itself"),
    (zoo.lying_bomb, "is damaged", "attach it again"),
    (zoo.nested_bomb, "unpacks to far more", "the document itself"),
    (zoo.overlapping_bomb, "unpacks to far more", "the document itself"),
    (zoo.link, "'notes.txt' leads out of the folder", "the files themselves"),
    (lambda: zoo.archive({"../../etc/cron.d/x": b""}), "'../../etc/cron.d/x' leads out", "the files themselves"),
    (lambda: zoo.archive({"a\\..\\..\\b": b""}), "leads out of the folder", "the files themselves"),
    (lambda: zoo.archive({"/etc/passwd": b""}), "leads out of the folder", "the files themselves"),
    (lambda: zoo.archive({"C:\\x": b""}), "leads out of the folder", "the files themselves"),
    (zoo.encrypted_zip, "protected with a password", "a copy without one"),
    (lambda: zoo.archive({"a": os.urandom(2000)})[:1500], "is not whole", "attach it again"),
    (lambda: zoo.docx("x" * 999)[:-40], "is not whole", "attach it again"),
    (zoo.docx_without_document, "holds none", "save it anew as .docx or PDF"),
    (zoo.docx_of_entities, "declares entities", "save it anew as .docx or PDF"),
    (zoo.docx_with_a_foreign_entity, "declares entities", "save it anew as .docx or PDF"),
    (zoo.docx_bomb, "unpacks to far more", "saved anew"),
    (lambda: zoo.docx("</w:t>"), "is damaged", "attach it again"),
    (zoo.encrypted_ooxml, "protected with a password", "a copy without one"),
    (lambda: b"SQLite format 3\0", "no text can be taken from it", "a PDF, a Word document or a plain text"),
    (lambda: b"word " * 200_001, "more than 1000000 characters", "the part that matters"),
]


@pytest.mark.parametrize(("body", "found"), TAME, ids=range(len(TAME)))
async def test_what_others_can_open_is_read(body: bytes, found: str, room: ReadingRoom, tmp_path: Path) -> None:
    """Issue 8: odd is not broken."""
    assert await said_of(await let_in(room, tmp_path, body)) == found


@pytest.mark.parametrize(("made", "wrong", "ask"), WILD, ids=range(len(WILD)))
async def test_what_cannot_be_read_says_what_to_ask_the_user(
    made: Callable[[], bytes], wrong: str, ask: str, room: ReadingRoom, tmp_path: Path
) -> None:
    """Issue 8 item 4: the sentence names the trouble, and the way out of it."""
    with pytest.raises(FileRefused) as refused:
        await said_of(await let_in(room, tmp_path, made()))

    assert wrong in str(refused.value)
    assert ask in str(refused.value)


async def test_ten_thousand_pages_are_counted_and_read_in_part(room: ReadingRoom, tmp_path: Path) -> None:
    """Issue 8: a tool can look at a few pages of what is too long to be read at once."""
    file = await let_in(room, tmp_path, zoo.pdf(10_000))

    assert await file.page_count() == 10_000
    assert [page.number async for page in file.pages(9_000, 9_002)] == [9_000, 9_001, 9_002]
    assert [page.text async for page in file.pages(10_000)] == ["Page 10000 of the report"]
    with pytest.raises(FileRefused, match="has 10000 pages, and no page 10001"):
        _ = [page async for page in file.pages(10_001)]


async def test_a_page_of_which_something_was_left_out_says_so(room: ReadingRoom, tmp_path: Path) -> None:
    """Issue 8: what is cut is never cut silently."""
    (tmp_path / "odd").mkdir()
    odd = await let_in(room, tmp_path / "odd", zoo.pdf_form_within_itself())
    usual = await let_in(room, tmp_path, zoo.pdf())

    assert [(page.text.strip(), page.is_whole) async for page in odd.pages()] == [("Hello", False)]
    assert [(page.text, page.is_whole) async for page in usual.pages()] == [("Page 1 of the report", True)]


async def test_an_entry_of_an_archive_is_read_alone(room: ReadingRoom, tmp_path: Path) -> None:
    """Ours: nothing is ever unpacked to the disk."""
    file = await let_in(room, tmp_path, zoo.archive({"a.txt": b"hello", "b/c.txt": b"world"}))

    assert await file.read_entry("b/c.txt") == b"world"
    with pytest.raises(FileRefused, match="without an entry called"):
        await file.read_entry("d.txt")
    assert os.listdir(tmp_path) == ["1"]  # noqa: PTH208  of two


async def test_a_picture_is_made_small_and_loses_what_is_not_the_picture(room: ReadingRoom, tmp_path: Path) -> None:
    """Ours: where it was taken is nobody's business, and which way up it was held is in the metadata."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a secret place"
    file = await let_in(room, tmp_path, zoo.picture("JPEG", 400, 200, exif=exif))

    picture = await file.image(longest=100)

    assert (picture.width, picture.height) == (50, 100)
    assert (picture.full_width, picture.full_height) == (400, 200)
    assert b"secret" not in picture.data


@pytest.mark.parametrize("tight", [{"inflated": 1000}, {"entries": 2}, {"inflated": 400}])
async def test_an_archive_may_hold_so_much_and_no_more(tight: dict[str, int], tmp_path: Path) -> None:
    """Issue 8 item 4: what its directory says, and what is in archives within, counts."""
    (tmp_path / "1").write_bytes(
        zoo.archive({"a": bytes(range(256)), "b.zip": zoo.archive({"c": b"d" * 900}), "e": b""})
    )
    usual = {"step": 9, "memory": 0, "pixels": 0, "characters": 0, "inflated": 2000, "entries": 3}

    assert len(archives.check(str(tmp_path / "1"), Limits.from_json(usual))["entries"]) == 3
    with pytest.raises(Refused, match="bomb"):
        archives.check(str(tmp_path / "1"), Limits.from_json(usual | tight))


async def test_every_suffix_belongs_to_a_kind_that_bytes_tell() -> None:
    """Ours: a typing error there would go unnoticed."""
    assert all(kinds.can_be_told(kind) for kind in SUFFIXES)
