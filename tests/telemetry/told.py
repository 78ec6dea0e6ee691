"""A connector to be traced, served from a process of its own because a tracer provider can be installed only once."""

import sys

import anyio

from connector import Call, Connector, Settings, StreamSettings, ToolFailed, tool


class Told(Connector):
    """Tools that end in every way."""

    name = "told"
    version = "3.1"
    _released: anyio.Event

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Answer."""
        return text

    @tool(read_only=True)
    async def fail(self, text: str) -> str:
        """Fail on purpose."""
        raise ToolFailed(f"no {text}")

    @tool(read_only=True)
    async def crash(self, text: str) -> str:
        """Fail by mistake."""
        raise RuntimeError(f"no {text}")

    @tool(read_only=True)
    async def hold(self, call: Call) -> str:
        """Begin to answer and never end."""
        await call.progress(1)
        await anyio.sleep_forever()
        return "never"


if __name__ == "__main__":
    Told(settings=Settings(stream=StreamSettings(interval=0.1))).serve(port=int(sys.argv[1]))
