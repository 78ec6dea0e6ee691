"""Every store keeps every guarantee of the port."""

from pathlib import Path

import pytest

from connector.stores.conformance import CHECKS, Check
from tests.stores.conftest import STORES


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("store", STORES)
@pytest.mark.asyncio
async def test_a_store_keeps_the_guarantee(store: str, check: Check, tmp_path: Path) -> None:
    """Issue 4, part 3: one conformance file runs every store."""
    async with STORES[store](tmp_path) as bench:
        await check(bench)
