"""Calls that nothing can be claimed for, because nobody says who asks or the store cannot answer: they run all the
same, and their answer goes out in time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from .outcome import BACK_IN, Ended, Outcome, Reply, refusal
from .partial import GOES_ON, TOO_LONG
from .standing import Terms

logger = logging.getLogger("ballast.calls")


class Loose:
    """The calls of one worker that are not claimed."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[Ended]] = set()

    async def run(self, run: Callable[[], Awaitable[Ended]], terms: Terms | None) -> Reply:
        """Run it. When the terms want an answer before it has ended, a read is stopped and anything else goes on."""
        if terms is None:
            return Reply(outcome=Outcome.BYPASSED, result=(await run()).result)
        task = asyncio.ensure_future(run())
        self.tasks.add(task)
        task.add_done_callback(self._forget)
        try:
            await asyncio.wait({task}, timeout=terms.left())
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done():
            return Reply(outcome=Outcome.BYPASSED, result=task.result().result)
        if terms.is_read:
            task.cancel()
        said = TOO_LONG.format(seconds=BACK_IN) if terms.is_read else GOES_ON
        return Reply(outcome=Outcome.BYPASSED, result=refusal(said))

    def stop(self) -> None:
        """Stop every one."""
        for task in self.tasks:
            task.cancel()

    def _forget(self, task: asyncio.Task[Ended]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (raised := task.exception()) is not None:
            logger.info("A call that was not claimed ended with %s", type(raised).__qualname__)
