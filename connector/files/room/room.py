"""The processes that read, as many as there may be: made when needed, used again, replaced before they have grown.

Every question stands alone, so that no process is held while a tool thinks about a page. Whoever asks on goes back to
the process that has the file open, if it is free.
"""

import asyncio
import logging
from pathlib import Path
from typing import Any, Final

import anyio

from ...file_settings import FileSettings
from ..reading.limits import Limits
from ..reading.problems import Problem, Refused
from .process import Died, Reader, started

logger = logging.getLogger("ballast.files")

START_WITHIN: Final = 30.0
"""Seconds: a Python starts in a tenth of one, unless the machine does something else altogether."""


LONGEST: Final = 200
"""Characters of what a process says of a problem: it may have been taken over by what it reads."""


class ReadingRoom:
    """Asks processes to read files. Bound to the loop that uses it first, until `aclose`."""

    def __init__(self, settings: FileSettings) -> None:
        self._settings = settings
        self._limits = Limits(
            step=settings.step,
            memory=settings.memory,
            pixels=settings.pixels,
            characters=settings.characters,
            inflated=settings.inflated,
            entries=settings.entries,
        )
        self._places = asyncio.Semaphore(settings.readers)
        self._idle = list[Reader]()
        self._living = set[Reader]()

    @property
    def pids(self) -> list[int]:
        """The ids of the processes there are now."""
        return [each.pid for each in self._living]

    async def read(self, path: Path, step: str, **asked: Any) -> tuple[dict[str, Any], bytes]:
        """Take one step of reading a file, in another process.

        Raises:
            Refused: The file cannot be read, or it cost the process its life.
        """
        async with self._places:
            reader = await self._taken(str(path))
            reply, body = await self._asked(reader, {"path": str(path), "step": step, **asked})
        if "problem" not in reply:
            return reply, body
        if "raised" in reply:
            logger.info("A parser raised %s at what is damaged", str(reply["raised"])[:80])
        raise Refused(_problem(reply["problem"]), **_texts(reply.get("detail")))

    async def aclose(self) -> None:
        """End every process. The next file starts new ones."""
        living, self._idle, self._living = self._living, [], set()
        self._places = asyncio.Semaphore(self._settings.readers)
        for reader in living:
            await reader.aclose()

    async def _taken(self, path: str) -> Reader:
        for dead in [each for each in self._idle if not each.is_alive]:  # the system may end any process, busy or not
            self._idle.remove(dead)
            self._living.discard(dead)
            await dead.aclose()
        for reader in reversed(self._idle):
            if reader.path == path:
                self._idle.remove(reader)
                return reader
        return self._idle.pop(0) if self._idle else await self._new()

    async def _new(self) -> Reader:
        try:
            with anyio.fail_after(START_WITHIN):
                reader = await started(self._limits)
        except (Died, TimeoutError):
            raise Refused(Problem.CRASHED) from None
        self._living.add(reader)
        return reader

    async def _asked(self, reader: Reader, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        is_kept = False
        try:
            with anyio.fail_after(self._settings.step):
                reply, body = await reader.ask(question)
            is_kept = not reply.get("is_spent") and reader.asked < self._settings.jobs and reader in self._living
        except TimeoutError:
            raise Refused(Problem.STUCK) from None
        except Died as died:
            raise Refused(died.problem) from None
        finally:
            if is_kept:
                self._idle.append(reader)
            else:
                self._living.discard(reader)
                await reader.aclose()
        return reply, body


def _problem(said: Any) -> Problem:
    try:
        return Problem(said)
    except ValueError:
        return Problem.CRASHED


def _texts(detail: Any) -> dict[str, Any]:
    if not isinstance(detail, dict):
        return {}
    known = {key: value for key, value in detail.items() if isinstance(value, int | float | str)}
    return {key: value[:LONGEST] if isinstance(value, str) else value for key, value in known.items()}
