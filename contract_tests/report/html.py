"""The run as one self-contained HTML page."""

from pathlib import Path

from ..outcome import Run


def write_html(run: Run, path: Path) -> None:
    """Write the run as one HTML page. An existing file is replaced."""
    raise NotImplementedError
