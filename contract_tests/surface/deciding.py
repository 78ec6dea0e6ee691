"""A run beside the file of the approved list: compared, or accepted. The only part that reads and writes."""

from collections.abc import Collection
from pathlib import Path

from ..errors import BadSurface
from ..outcome import Run
from .comparing import broken_calls, changes, judged
from .surface import observed, read_surface, write_surface


def with_surface(run: Run, file: Path, *, accepts: bool, answered: Collection[str] = ()) -> Run:
    """The run with the list of tools decided. `accepts` writes the list that it saw.

    Raises:
        BadSurface: the file is missing or cannot be used; or no list was seen, which is not written over one that was.
        OSError: it cannot be written.
    """
    now = observed(run)
    if not now.tools:
        raise BadSurface(
            "This run saw no list of tools, so nothing can be said of it. Leave out --only, or see why the target "
            "lists nothing"
        )
    if accepts:
        write_surface(now, file)
        return judged(run, (), ())
    before = read_surface(file)
    return judged(run, tuple(broken_calls(before, now, answered)), tuple(changes(before, now)))
