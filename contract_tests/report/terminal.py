"""The run as it happens, on a terminal or as plain lines."""

from types import TracebackType
from typing import Self

from rich.console import Console

from ..outcome import Run, SessionRun


class Progress:
    """What a person sees while sessions are played, and the account at the end.

    Also a context manager, so that a terminal is given back whatever happens.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""

    def run_started(self, target: str, url: str, total: int) -> None:
        """Say what is about to be played: `total` sessions against `target`."""
        self._console.print(f"{target} {url} {total}")

    def session_started(self, id: str, title: str) -> None:  # noqa: A002 - the session's own word
        """Show that a session is being played."""

    def session_ended(self, session: SessionRun) -> None:
        """Show how a session ended."""

    def run_ended(self, run: Run) -> None:
        """Give the verdict, then every finding."""
