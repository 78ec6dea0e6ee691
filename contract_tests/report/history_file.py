"""The history file: JSON lines, one for each past run, appended by whoever runs and read by every report.

It is bounded, several runs may append at the same time, and what cannot be read is skipped and said: a report is never
lost to its history.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..outcome import Run
from .history import NotUnderstood, PastRun, line, parsed, redacted, remembered
from .words import plural

USUAL: Final = Path(".ballast") / "history.jsonl"
"""Where a history is kept unless told otherwise: below the current folder, because reports often go to a fresh one."""

MOST_RUNS: Final = 500
"""Lines that are kept. A year of nights and more; the oldest go first, whatever target they are of."""

_MOST_BYTES: Final = 16 * 1024 * 1024  # that are read, from the end: so many runs of a large corpus are a half


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The past runs of one target, oldest first, and remarks for people about what could not be read."""

    runs: tuple[PastRun, ...] = ()
    remarks: tuple[str, ...] = ()


def record_run(run: Run, file: Path) -> None:
    """Append a run to a history, which is made if need be; runs that do so at the same time do not lose each other's.

    Raises:
        OSError: the file cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    text = line(remembered(run)).encode("ascii")
    with _alone(file):
        known = _tail(file)
        lines = known.splitlines()
        if len(lines) >= MOST_RUNS or (known and file.stat().st_size > len(known)):
            _replace(file, b"\n".join([*lines[1 - MOST_RUNS :], text]) + b"\n")
            return
        gap = b"" if not known or known.endswith(b"\n") else b"\n"  # whoever died while writing left half a line
        with file.open("ab") as out:
            out.write(gap + text + b"\n")


def past_runs(file: Path, target: str) -> Past:
    """The past runs of a target, by its name without user, password, query and fragment. Never raises for the file."""
    try:
        found = _tail(file).splitlines()
    except OSError as problem:
        return Past(remarks=(f"{file} cannot be read: {problem.strerror or problem}",))
    runs, unread = [], Counter[str]()
    for text in filter(None, map(bytes.strip, found)):
        try:
            runs.append(parsed(text.decode("utf-8", "replace")))
        except NotUnderstood as problem:
            unread[str(problem)] += 1
    own = sorted((run for run in runs if run.target == redacted(target)), key=lambda run: run.started)
    remarks = (f"{plural(count, 'line')} of {file} left out: {why}" for why, count in unread.items())
    return Past(runs=tuple(own), remarks=tuple(remarks))


def _tail(file: Path) -> bytes:
    """The whole lines at the end of the file, as far as they are read; nothing if there is no file."""
    try:
        with file.open("rb") as source:
            size = source.seek(0, os.SEEK_END)
            source.seek(max(size - _MOST_BYTES, 0))
            text = source.read()
    except FileNotFoundError:
        return b""
    return text if size <= _MOST_BYTES else text.partition(b"\n")[2]


def _replace(file: Path, text: bytes) -> None:
    """Put the kept lines in the place of the file at once, so that no reader finds half of them."""
    other = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        other.write_bytes(text)
        other.replace(file)
    finally:
        other.unlink(missing_ok=True)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Keep others from writing meanwhile, by a lock on a file beside it, which the system releases for whoever dies.

    Where the system has no such locks (Windows) a line is still written in one piece; two that drop old lines in the
    same moment may lose one.
    """
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield
        return
    with file.with_name(f"{file.name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
