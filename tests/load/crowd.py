"""A connector to be crowded, in a process of its own, which can say what it holds."""

import asyncio
import gc
import sys
from pathlib import Path

from connector import CapacitySettings, Connector, Settings, tool


def _of_the_process() -> dict[str, int]:
    status = Path("/proc/self/status").read_text()
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return {"resident_kb": int(resident), "descriptors": len(list(Path("/proc/self/fd").iterdir()))}


class Crowd(Connector):
    """Quick and endless tools, and a look inside."""

    name = "crowd"

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Answer at once."""
        return text

    @tool(read_only=True)
    async def wait(self) -> str:
        """Never answer."""
        await asyncio.Event().wait()
        return "never"

    @tool(read_only=True)
    async def held(self) -> dict[str, int]:
        """What this process holds: resident kB, open descriptors, tasks."""
        gc.collect()
        return {**_of_the_process(), "tasks": len(asyncio.all_tasks())}


if __name__ == "__main__":
    Crowd(settings=Settings(capacity=CapacitySettings(calls=2000))).serve(port=int(sys.argv[1]))
