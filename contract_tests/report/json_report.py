"""The run as JSON for machines, in the versioned form that run.schema.json describes."""

from pathlib import Path

from ..outcome import Run


def write_json(run: Run, path: Path) -> None:
    """Write the run as JSON. An existing file is replaced."""
    raise NotImplementedError
