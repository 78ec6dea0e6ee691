"""Gates that are open when their test is over, so that nothing is left waiting."""

from collections.abc import Iterator

import pytest

from tests.hardening.scripts import Gate


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()
