"""`File`: an attachment as a tool receives it, on disk and judged by its bytes. It lives as long as its call.

Annotate a parameter of a `@tool` with it. What is read of it is read in another process.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from ..errors import DeclarationError
from ..file_settings import FileSettings
from .reading import kinds
from .reading.frames import MOST_BYTES
from .reading.problems import Problem, Refused
from .refusals import FileRefused, any_of, called
from .room.room import ReadingRoom

LONGEST_SIDE: Final = 2048
"""Pixels: above, models that see make a picture smaller themselves."""

READABLE: Final = frozenset({kinds.PDF, *kinds.PICTURES, kinds.ZIP, kinds.DOCX})
"""The kinds that are read, and can therefore be looked through before a tool is run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The text of one page. `number` counts from 1; `is_whole` is False where some of the page could not be read."""

    number: int
    text: str
    is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture: PNG or JPEG, upright, without metadata. `width` and `height` are pixels of `data`; `full_width` and
    `full_height` those of the file. Of a picture that moves, `data` is the first of its `frames`.
    """

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    full_width: int
    full_height: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file in an archive. `size` is bytes, unpacked."""

    name: str
    size: int


class File:
    """An attachment. Every method that reads raises `FileRefused` with what to ask the user for.

    From a `def` tool, in its thread: `anyio.from_thread.run(file.text)`.
    """

    def __init__(
        self,
        *,
        id: str,  # noqa: A002  as the platform calls it
        name: str,
        media_type: str,
        said_type: str | None,
        size: int,
        sha256: str,
        path: Path,
        room: ReadingRoom,
        settings: FileSettings,
    ) -> None:
        self.id = id
        """The platform's id of the file: the same for the same attachment, whatever its link."""
        self.name = name
        """What it is called: never a path. Not to be trusted otherwise."""
        self.media_type = media_type
        """What it is by its bytes; among texts, which kind the sender says it is."""
        self.said_type = said_type
        """What the sender says it is; None if it does not."""
        self.size = size
        """Bytes."""
        self.sha256 = sha256
        """The digest of its bytes, in hexadecimal."""
        self.path = path
        """Where it lies until the call ends. Only to be read."""
        self._room = room
        self._settings = settings
        self._pages: int | None = None
        self._is_open = True

    def __repr__(self) -> str:
        return f"File({self.name!r}, {self.media_type}, {self.size} bytes)"

    async def check(self) -> None:
        """Look through the whole file: a PDF's table of pages, every pixel, every entry. Other kinds are as they are.

        What a parameter `accepts` is looked through before the tool is run.

        Raises:
            FileRefused: It is damaged, cut off, encrypted or a bomb.
        """
        if self.media_type in READABLE:
            reply, _ = await self._step("check", kind=self.media_type)
            self._pages = reply.get("pages")

    async def page_count(self) -> int:
        """How many pages the PDF has.

        Raises:
            FileRefused: It is no PDF, or cannot be read.
        """
        self._must_be(kinds.PDF)
        if self._pages is None:
            await self.check()
        return self._pages or 0

    async def pages(self, first: int = 1, last: int | None = None) -> AsyncIterator[Page]:
        """The pages of a PDF from `first` to `last`, one after the other, as fast as they are taken and no faster.

        Raises:
            FileRefused: It is no PDF, cannot be read, has no such page, or more pages were asked for than are read.
        """
        total = await self.page_count()
        if not 1 <= first <= total:
            self._refuse(Problem.NO_SUCH_PAGE, page=first, total=total)
        until = total if last is None else min(last, total)
        if until - first >= self._settings.pages:
            self._refuse(Problem.TOO_MANY_PAGES, total=total, asked=until - first + 1, limit=self._settings.pages)
        following = first
        while following <= until:
            reply, _ = await self._step("pages", first=following, last=until)
            for page in reply["pages"]:
                following = page["number"] + 1
                yield Page(number=page["number"], text=_clean(page["text"]), is_whole=page["is_whole"])
            if not reply["pages"]:
                self._refuse(Problem.CORRUPT)

    async def text(self) -> str:
        """All text of a PDF, a Word document or a text file.

        Raises:
            FileRefused: There is none, it cannot be read, or it is longer than one text may be.
        """
        if self.media_type == kinds.PDF:
            return await self._text_of_pages()
        if self.media_type != kinds.DOCX and not kinds.is_text(self.media_type):
            self._refuse(Problem.NO_TEXT, kind=called(self.media_type))
        _, body = await self._step("text", kind=self.media_type)
        return _clean(body.decode("utf-8", "replace"))

    async def image(self, *, longest: int = LONGEST_SIDE) -> Picture:
        """The picture, made smaller until no side has more than `longest` pixels.

        Raises:
            FileRefused: It is no picture, has too many pixels, or cannot be read.
        """
        self._must_be(*kinds.PICTURES)
        reply, data = await self._step("picture", kind=self.media_type, longest=longest)
        return Picture(
            data=data,
            media_type=reply["media_type"],
            width=reply["shown_width"],
            height=reply["shown_height"],
            full_width=reply["width"],
            full_height=reply["height"],
            frames=reply["frames"],
        )

    async def entries(self) -> list[Entry]:
        """What is in a ZIP archive, folders left out. The whole archive is looked through first.

        Raises:
            FileRefused: It is none, or cannot be unpacked safely.
        """
        self._must_be(kinds.ZIP, kinds.DOCX, kinds.XLSX, kinds.PPTX)
        reply, _ = await self._step("check", kind=kinds.ZIP)
        return [Entry(name=each["name"], size=each["size"]) for each in reply["entries"]]

    async def read_entry(self, name: str) -> bytes:
        """What one entry of a ZIP archive holds, up to 64 MiB.

        Raises:
            FileRefused: There is none, or it cannot be unpacked safely.
        """
        self._must_be(kinds.ZIP, kinds.DOCX, kinds.XLSX, kinds.PPTX)
        _, body = await self._step("entry", name=name, most=min(MOST_BYTES, self._settings.inflated))
        return body

    def _close(self) -> None:
        self._is_open = False

    def _must_be(self, *wanted: str) -> None:
        if self.media_type not in wanted:
            self._refuse(Problem.WRONG_TYPE, kind=called(self.media_type), wanted=any_of(wanted))

    def _refuse(self, problem: Problem, **detail: Any) -> NoReturn:
        raise FileRefused(problem, name=self.name, **detail)

    async def _step(self, step: str, **asked: Any) -> tuple[dict[str, Any], bytes]:
        if not self._is_open:
            raise ValueError(f"{self!r} was deleted when its call ended: read it before, or keep a copy")
        try:
            return await self._room.read(self.path, step, **asked)
        except Refused as refused:
            raise FileRefused(
                refused.problem, name=self.name, **{"kind": called(self.media_type), **refused.detail}
            ) from None

    async def _text_of_pages(self) -> str:
        texts, size, limit = list[str](), 0, self._settings.characters
        async for page in self.pages():
            size += len(page.text) + 1
            if size > limit:
                self._refuse(Problem.TOO_LONG, limit=limit)
            texts.append(page.text)
        return "\n".join(texts)

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> NoReturn:
        raise DeclarationError(
            "File stands where no attachment can come: annotate a parameter of a @tool with File, list[File] or "
            "File | None; the platform fills no others"
        )


def _clean(text: str) -> str:
    """Without what is no text: lone surrogates, and the zero byte that databases refuse."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
