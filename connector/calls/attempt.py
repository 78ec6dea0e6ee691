"""One attempt at a call: what its tool may know of it, and what its worker must."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from ..stores.port import Claimed
from .outcome import Ended, Reply
from .standing import Standing, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a tool may know of its own run. `key` is the same for every attempt at one wish, and for nothing else.

    `number` counts attempts; above 1, an earlier one was cut off.
    """

    number: int
    key: str


ATTEMPT: Final[ContextVar[Attempt | None]] = ContextVar("ballast_attempt", default=None)

ORIGIN: Final[ContextVar[str | None]] = ContextVar("ballast_origin", default=None)
"""How whoever is answered from somebody else's call may name that call. Opaque here; set by who hands a call over."""

Run = Callable[[], Awaitable[Ended]]


class NobodyAsks(Exception):
    """Raised by a `Run` before it has begun anything: whoever asked has left."""


@dataclass(slots=True)
class Running:
    """A call that this worker runs. `task` gives its reply."""

    task: "asyncio.Task[Reply | Claimed | None]"
    terms: Terms | None = None
    is_begun: bool = False
    origin: str | None = None
    standing: Standing | None = None
    waiting: int = 0
    """How many wait for it."""
    is_dropped: bool = False
    """It was stopped because nobody waits for it; nothing is lost with it."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is lost if it is stopped once nobody waits: it only reads, and nobody can ask about it."""
        is_read = self.terms is not None and self.terms.is_read
        return is_read and not (self.standing is not None and self.standing.is_handed_out)

    def drop(self) -> None:
        """Stop it, and forget it."""
        self.is_dropped = True
        if self.is_begun:  # a claim under way is answered, and then let go again
            self.task.cancel()

    async def end(self, result: Mapping[str, Any] | None) -> None:
        """It ended so, for who asks about it later; None where somebody else may go on with it."""
        if self.standing is not None:
            await self.standing.end(result)
