"""What every test may ask for."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.environment import uncovered
from tests.loopback import Serve, served

os.environ.setdefault("BALLAST_STORE", "memory:")
"""Connectors of tests that do not name a store leave no file behind, in processes they start neither."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A function that serves a connector or an ASGI app and gives the URL of its origin."""
    with ExitStack() as stack:
        yield lambda target: stack.enter_context(served(target.app() if hasattr(target, "app") else target))


@pytest.fixture
def untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that the test starts are not traced by coverage."""
    for name in set(os.environ) - set(uncovered()):
        monkeypatch.delenv(name)
