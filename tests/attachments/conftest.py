"""A store of blobs for every test that wants one."""

from collections.abc import Iterator

import pytest

from tests.attachments.blobs import Blobs, blobs


@pytest.fixture
def store() -> Iterator[Blobs]:
    """Where the platform keeps attachments."""
    with blobs() as opened:
        yield opened
