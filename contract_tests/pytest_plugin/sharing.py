"""One target and several workers of xdist: who starts it, and who has it to himself. Nothing to do without xdist."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows, where workers take no turns
    fcntl = None  # type: ignore[assignment]


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of several that run tests."""
    return hasattr(config, "workerinput")


def has_workers(config: pytest.Config) -> bool:
    """Whether this process only hands tests out to others."""
    return not is_worker(config) and bool(config.getoption("numprocesses", None))


@contextmanager
def turn(config: pytest.Config, *, alone: bool) -> Iterator[None]:
    """Share the target with the other workers, or have it alone, until the block ends."""
    if fcntl is None or not is_worker(config):
        yield
        return
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "run")
    with (Path(tempfile.gettempdir()) / f"mcp-ballast-{run}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield  # closing the file gives the turn on
