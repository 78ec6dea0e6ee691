"""What the scale benchmark serves: calls that stay quiet for ever, and calls that take a place for a while."""

import asyncio

from connector import CapacitySettings, Connector, Settings, tool


class Scale(Connector):
    """Quiet calls and short ones."""

    name = "scale"

    @tool(read_only=True)
    async def quiet(self) -> str:
        """Never answer."""
        await asyncio.get_running_loop().create_future()  # the least that anybody can wait for
        return "never"

    @tool(read_only=True)
    async def short(self) -> str:
        """Hold a place for 50 ms."""
        await asyncio.sleep(0.05)
        return "done"


CAPACITIES = {
    "default": CapacitySettings(calls=20_000),  # the quiet ones are all to be in; all other settings are the defaults
    "json": CapacitySettings(calls=16, wait=0.05),  # 16 places of 50 ms take 320 calls a second; the rest is shed
}


def app(mode: str) -> object:
    """Build the ASGI app; `default` is for the quiet streams, `json` for the load that is shed."""
    return Scale(settings=Settings(capacity=CAPACITIES[mode])).app()
