"""An event loop whose time the test moves, so that waiting takes none."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Test = Callable[["Ticking"], Coroutine[Any, Any, None]]


class Ticking(asyncio.SelectorEventLoop):
    """Its clock stands still until the test says `pass_time`. Nothing may wait for real sockets on it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0

    def time(self) -> float:
        return self.now

    async def settle(self) -> None:
        """Let everything run that can run now."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def pass_time(self, seconds: float) -> None:
        """Let everything run that can, move the clock, and let everything run that is due then."""
        await self.settle()
        self.now += seconds
        await self.settle()


def ticking(test: Test) -> None:
    """Run a test on such a loop."""
    with asyncio.Runner(loop_factory=Ticking) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Ticking)
        runner.run(test(loop))
