"""Why there is no drift to report: the lock or the store cannot be used. Each says what to do; nothing was written."""

from pathlib import Path

from ..errors import BallastTestError


class BadLock(BallastTestError):
    """A lock file cannot be used. It was left as it is."""

    def __init__(self, path: Path | str, line: int, problem: str, remedy: str) -> None:
        self.path = str(path)
        self.line = line
        super().__init__(f"{path}:{line}: {problem} {remedy}" if line else f"{path}: {problem} {remedy}")


class NoBook(BallastTestError):
    """The visitors' book cannot be read: the store is not there, is not one, or has no such connector."""
