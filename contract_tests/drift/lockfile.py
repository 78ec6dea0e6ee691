"""`ballast.lock.yaml` on the disk: read strictly, written whole or not at all. What people wrote beside it is kept.

Which text stands for which lock is decided in `lockreading` and `lockwriting`; this file knows paths and errors.
"""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .comments import Comments, comments_of
from .errors import BadLock
from .lock import Lock
from .lockreading import parse_lock
from .lockwriting import OWN_COMMENTS, as_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class LockFile:
    """A lock file as it was read: where, what it says, and its text. A file that does not exist says nothing."""

    path: Path
    lock: Lock
    text: str | None

    @property
    def exists(self) -> bool:
        """Whether there was a file."""
        return self.text is not None

    def rendered(self, lock: Lock) -> tuple[str, tuple[str, ...]]:
        """The text of another lock with this file's comments, and those whose place is gone."""
        comments = comments_of(self.text, own=OWN_COMMENTS) if self.text is not None else Comments()
        return comments.woven(as_lines(lock))

    def replaced(self, lock: Lock) -> tuple[str, ...]:
        """Write another lock in its place; returns the comments that had to move because their place is gone.

        Raises:
            BadLock: the file has changed since it was read, or cannot be written. It was left as it is.
        """
        text, moved = self.rendered(lock)
        if _text_of(self.path) != self.text:
            raise BadLock(self.path, 0, "It was changed by somebody else meanwhile.", "Run the command again.")
        try:
            _replace(self.path, text)
        except OSError as problem:
            said = problem.strerror or str(problem)
            raise BadLock(
                self.path, 0, f"It cannot be written: {said}.", "Name another file, or make it writable."
            ) from problem
        return moved


def read_lock_file(path: Path) -> LockFile:
    """Read a lock file; one that does not exist yet is an empty lock.

    Raises:
        BadLock: it cannot be read, or says something that cannot be meant; the line is named.
    """
    text = _text_of(path)
    lock = Lock() if text is None else parse_lock(text, path)
    return LockFile(path=path, lock=lock, text=text)


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as problem:
        raise BadLock(path, 1, "It is not UTF-8 text.", "Restore it from version control.") from problem
    except OSError as problem:
        raise BadLock(path, 0, f"It cannot be read: {problem.strerror}.", "Name a readable file.") from problem


def _replace(path: Path, text: str) -> None:
    """Whoever reads the file finds the old text or the new one, also after the machine has lost power."""
    real = path.resolve()
    handle, part = tempfile.mkstemp(prefix=f".{real.name}.", suffix=".part", dir=real.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            Path(part).chmod(real.stat().st_mode & 0o777)
        Path(part).replace(real)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
