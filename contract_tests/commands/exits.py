"""What every command owes its caller: exit code 0 if it holds, 1 for a finding, 2 for wrong usage or nothing to judge.

An error of the user's is one sentence; an error of ours shows its traceback, and is never taken for a finding.
"""

import logging
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from ..errors import BallastTestError

WRONG_USAGE: Final = 2
_INTERRUPTED: Final = 128 + signal.SIGINT  # as shells have it


class Complaint(click.ClickException):
    """An error of ours as click shows errors."""

    exit_code = WRONG_USAGE


@contextmanager
def exit_codes() -> Iterator[None]:
    """Keep exit code 1 for findings: an error of the user's gets 2, and so does one of ours; an interrupt gets 130.

    SIGTERM, by which schedulers end a job, gets 143, and leaves no process that was started for the command.
    """
    try:
        with _leaving_on_term():
            yield
    except BallastTestError as problem:
        raise Complaint(str(problem)) from problem
    except (click.ClickException, click.exceptions.Exit):
        raise
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except Exception:  # noqa: BLE001 - Python would exit with 1, which says that the target has a fault
        traceback.print_exc()
        sys.exit(WRONG_USAGE)


@contextmanager
def _leaving_on_term() -> Iterator[None]:
    """End by an exception, so that whatever is open is closed. By itself Python ends at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


@contextmanager
def quiet_target(level: int = logging.INFO) -> Iterator[None]:
    """Keep what a target in this process logs, up to a level, out of the display."""
    before = logging.root.manager.disable
    logging.disable(level)
    try:
        yield
    finally:
        logging.disable(before)


def write_file(write: Callable[[Any, Path], None], what: Any, file: Path) -> None:
    """Write a report where the user wants it, and say so."""
    try:
        write(what, file)
    except OSError as problem:
        raise Complaint(f"{file} cannot be written: {problem.strerror}. Name another file.") from problem
    click.echo(f"written: {file}", err=True)
