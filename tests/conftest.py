"""What every test may ask for."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.loopback import Serve, served


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A function that serves a connector or an ASGI app and gives the URL of its origin."""
    with ExitStack() as stack:
        yield lambda target: stack.enter_context(served(target.app() if hasattr(target, "app") else target))
