"""The run as JUnit XML, for CI systems."""

from pathlib import Path

from ..outcome import Run


def write_junit(run: Run, path: Path) -> None:
    """Write the run as JUnit XML. An existing file is replaced."""
    raise NotImplementedError
