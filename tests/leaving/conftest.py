"""The servers of these tests."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.leaving.serving import Start


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        yield Start(stack)
