"""A connector with sessions, in a process of its own: `uvicorn tests.hardening.leaving_shop:app`."""

import asyncio
from pathlib import Path

from connector import Connector, DrainSettings, Settings, StreamSettings, tool


class Shop(Connector):
    """One tool that waits for a file."""

    name = "shop"
    version = "1"

    @tool
    async def change(self, until: str) -> str:
        """Wait until the file is there."""
        while not Path(until).exists():  # noqa: ASYNC110, ASYNC240  # another process makes it
            await asyncio.sleep(0.02)
        return "changed"


app = Shop(
    sessions="sticky",
    settings=Settings(
        stream=StreamSettings(first_byte=0.05, interval=0.05),
        drain=DrainSettings(notice=0.2, within=20),
    ),
).app()
