"""From the arguments of a call to files on disk, and away with them when the call ends."""

import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread

from ..file_settings import FileSettings
from .declaring import FileParameter
from .fetching.download import Download
from .fetching.sink import Disk, Sink
from .file import File
from .reading import kinds
from .reading.problems import Problem, Refused
from .reference import Reference
from .refusals import FileRefused, any_of, called
from .room.room import ReadingRoom

logger = logging.getLogger("ballast.files")

SUFFIXES: Final[Mapping[str, str]] = {
    kinds.PDF: ".pdf",
    kinds.PNG: ".png",
    kinds.JPEG: ".jpg",
    kinds.GIF: ".gif",
    kinds.WEBP: ".webp",
    kinds.DOCX: ".docx",
    kinds.XLSX: ".xlsx",
    kinds.PPTX: ".pptx",
    kinds.ZIP: ".zip",
    "text/csv": ".csv",
    kinds.TEXT: ".txt",
}
"""Programs that a tool hands the path to go by it. The sender's own ending is not to be trusted."""


class Intake:
    """Takes in the files of all calls of one connector. Nothing is started before the first file comes."""

    def __init__(self, settings: FileSettings, *, download: Download | None = None) -> None:
        self._settings = settings
        self._download = download or Download(settings)
        self._disk = Disk(settings.on_disk)
        self.room = ReadingRoom(settings)

    @asynccontextmanager
    async def opened(
        self, arguments: Mapping[str, Any], files: Mapping[str, FileParameter], *, ends: float | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """The arguments with a `File` for each reference; the files are deleted at the end of the block.

        `ends` is when the call must be answered, in seconds of the monotonic clock; None if nobody says.

        Raises:
            FileRefused: One of them cannot be had, or is not what its parameter accepts.
        """
        wanted = [(name, each) for name in files for each in _references(arguments.get(name))]
        self._must_be_few([each for _, each in wanted])
        if not wanted:
            yield dict(arguments)
            return
        taken, sinks = list[tuple[str, File]](), list[Sink]()
        folder = Path(tempfile.mkdtemp(prefix="ballast-files-", dir=self._settings.folder))
        try:
            for name, reference in wanted:
                sinks.append(Sink(folder / str(len(sinks) + 1), largest=self._settings.largest, disk=self._disk))
                await self._fetched(reference, sinks[-1], ends)
                taken.append((name, await self._taken(reference, files[name], sinks[-1])))
            yield {**arguments, **_placed(taken, files)}
        finally:
            for _, file in taken:
                file._close()  # noqa: SLF001  a tool must not close its own
            for sink in sinks:
                sink.release()
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_delete, folder)

    async def aclose(self) -> None:
        """End every process that reads."""
        await self.room.aclose()

    def _must_be_few(self, references: list[Reference]) -> None:
        if len(references) > self._settings.per_call:
            raise FileRefused(
                Problem.TOO_MANY, name=references[0].name, size=len(references), limit=self._settings.per_call
            )

    async def _fetched(self, reference: Reference, sink: Sink, ends: float | None) -> None:
        try:
            await self._download.into(sink, reference.download_url, ends=ends)
        except Refused as refused:
            raise FileRefused(refused.problem, name=reference.name, **refused.detail) from None

    async def _taken(self, reference: Reference, parameter: FileParameter, sink: Sink) -> File:
        try:
            file = await self._judged(reference, parameter, sink)
        except Refused as refused:
            raise FileRefused(refused.problem, name=reference.name, **refused.detail) from None
        if any(kinds.fits(file.media_type, each) for each in parameter.accepts):
            await file.check()
        return file

    async def _judged(self, reference: Reference, parameter: FileParameter, sink: Sink) -> File:
        if sink.size == 0:
            raise Refused(Problem.EMPTY)
        kind = kinds.refined(await self._kind(sink.path, parameter.accepts), reference.mime_type)
        if parameter.accepts and not any(kinds.fits(kind, each) for each in parameter.accepts):
            raise Refused(Problem.WRONG_TYPE, kind=called(kind), wanted=any_of(parameter.accepts))
        return File(
            id=reference.file_id,
            name=reference.name,
            media_type=kind,
            said_type=kinds.plain(reference.mime_type),
            size=sink.size,
            sha256=sink.sha256,
            path=await anyio.to_thread.run_sync(_named, sink.path, SUFFIXES.get(kind, "")),
            room=self.room,
            settings=self._settings,
        )

    async def _kind(self, path: Path, wanted: tuple[str, ...]) -> str:
        kind = kinds.kind_of(await anyio.to_thread.run_sync(_head, path))
        if kind not in {kinds.ZIP, kinds.OLE}:
            return kind
        try:
            reply, _ = await self.room.read(path, "identify", kind=kind)
        except Refused:
            if any(kinds.fits(each, one) for each in kinds.WITHIN for one in wanted):
                raise  # "its end is missing" helps more than "it is a ZIP archive"
            return kind
        return str(reply["kind"])


def _references(value: Any) -> list[Reference]:
    if isinstance(value, Reference):
        return [value]
    return [each for each in value if isinstance(each, Reference)] if isinstance(value, list) else []


def _placed(taken: list[tuple[str, File]], files: Mapping[str, FileParameter]) -> dict[str, Any]:
    placed = dict[str, Any]()
    for name, file in taken:
        if files[name].many:
            placed.setdefault(name, []).append(file)
        else:
            placed[name] = file
    return placed


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(kinds.HEAD)


def _named(path: Path, suffix: str) -> Path:
    return path.rename(path.with_suffix(suffix)) if suffix else path


def _delete(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as failed:
        logger.warning("%s could not be deleted (%s): delete it yourself", folder, failed.strerror)
