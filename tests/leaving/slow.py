"""A connector whose calls are in flight when the process is told to leave. `uvicorn slow:app` and `serve` run it."""

import anyio

from connector import Connector, DrainSettings, Settings, StreamSettings, tool


class Slow(Connector):
    """Tools that end when a file appears."""

    name = "slow"

    @tool(read_only=True)
    async def look(self, until: str) -> str:
        """Look until the file exists."""
        while not await anyio.Path(until).exists():  # noqa: ASYNC110  # the file is made by another process
            await anyio.sleep(0.02)
        return "looked"

    @tool
    async def change(self, until: str) -> str:
        """Change something until the file exists."""
        return await self.look(until)


connector = Slow(
    settings=Settings(stream=StreamSettings(first_byte=0.1, interval=0.1), drain=DrainSettings(notice=2, within=8))
)
app = connector.app()
