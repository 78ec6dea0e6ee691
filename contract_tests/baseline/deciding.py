"""A run beside a baseline file: compared, or accepted. The only part that reads and writes."""

from pathlib import Path

from ..outcome import Run
from .baseline import observed, read_baseline, write_baseline
from .comparing import drift, shared, with_drift


def decided(run: Run, file: Path, *, accepts: bool) -> Run:
    """The run with CT-37 decided. `accepts` writes what it saw, keeping what was accepted of other sessions.

    Raises:
        BadBaseline: the file is missing or cannot be used; not if it is to be written anew.
        OSError: it cannot be written.
    """
    now = observed(run)
    if not accepts:
        before = read_baseline(file)
        return with_drift(run, drift(before, now), compared=shared(before, now))
    write_baseline(now.over(read_baseline(file)) if file.exists() else now, file)
    return with_drift(run, (), compared=shared(now, now))
