"""Where a download goes: a file that grows up to its limit, counted and hashed, while the loop does something else."""

import hashlib
from pathlib import Path
from typing import Final

import anyio.to_thread

from ..reading.problems import Problem, Refused

AT_ONCE: Final = 256 * 1024
"""Bytes that are gathered before a thread writes and hashes them: a small part of a millisecond for each."""


class Disk:
    """How many bytes all files of a process may still take."""

    def __init__(self, size: int) -> None:
        self._left = size

    def take(self, size: int) -> None:
        """Count bytes in.

        Raises:
            Refused: There is no room.
        """
        if size > self._left:
            raise Refused(Problem.DISK_FULL)
        self._left -= size

    def give(self, size: int) -> None:
        """Count bytes out."""
        self._left += size


class Sink:
    """One file that is being written. What it took of the disk is given back by `release`."""

    def __init__(self, path: Path, *, largest: int, disk: Disk) -> None:
        self.path = path
        self.size = 0
        self.largest = largest
        self._disk = disk
        self._gathered = bytearray()
        self._hash = hashlib.sha256()
        self._is_new = True

    @property
    def sha256(self) -> str:
        """The digest of what was written, in hexadecimal."""
        return self._hash.hexdigest()

    async def write(self, part: bytes) -> None:
        """Add bytes.

        Raises:
            Refused: The file would be too large, or there is no room on the disk.
        """
        if self.size + len(part) > self.largest:
            raise Refused(Problem.TOO_LARGE, limit=self.largest)
        self._disk.take(len(part))
        self.size += len(part)
        self._gathered += part
        if len(self._gathered) >= AT_ONCE:
            await self.flush()

    async def flush(self) -> None:
        """Write what was gathered.

        Raises:
            Refused: The disk is full.
        """
        gathered, self._gathered = self._gathered, bytearray()
        try:
            await anyio.to_thread.run_sync(self._append, gathered)
        except OSError:
            raise Refused(Problem.DISK_FULL) from None

    def restart(self) -> None:
        """Forget what came so far: the download begins again."""
        self.release()
        self._gathered, self._hash, self._is_new = bytearray(), hashlib.sha256(), True

    def release(self) -> None:
        """Give the disk back what was taken of it. The file itself is deleted by whoever owns the folder."""
        self._disk.give(self.size)
        self.size = 0

    def _append(self, part: bytearray) -> None:
        with self.path.open("wb" if self._is_new else "ab") as file:
            file.write(part)
        self._is_new = False
        self._hash.update(part)
